from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from domain.plate import PlateColour, PlateVerdict
from drivers.base import PlateCandidate
from drivers.pictures import decode
from drivers.recogniser.simulated import ToldRecogniser
from lotgate.__main__ import main
from lotgate.commands.read import Row, read_file
from lotgate.demo.scenes import draw_scene
from tests.drivers import scenes
from tests.services.needs import needs

PLATE = "川A90T31"


@pytest.fixture(scope="module")
def scene() -> bytes:
    return draw_scene(PLATE, 6)


@pytest.fixture
def pictures(tmp_path: Path, scene: bytes) -> Path:
    (tmp_path / "b.jpg").write_bytes(scene)
    (tmp_path / "a.png").write_bytes(b"not a picture")
    (tmp_path / "labels.csv").write_text("file,plate\n")
    return tmp_path


def test_csv_alone_on_standard_output_one_row_a_picture_as_given(
    pictures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = [str(pictures / "b.jpg"), str(pictures / "a.png")]

    assert main(["read", *files, "--csv"]) == 0

    out, err = capsys.readouterr()
    rows = list(csv.DictReader(io.StringIO(out)))
    assert list(rows[0]) == ["file", "plate", "verdict", "confidence", "colour", "kind", "ms"]
    assert [row["file"] for row in rows] == files
    assert rows[0]["verdict"] in ("accept", "ask")
    assert (rows[0]["plate"], rows[0]["colour"], rows[0]["kind"]) == (PLATE, "blue", "normal")
    assert 0 < float(rows[0]["confidence"]) <= 1
    assert float(rows[0]["ms"]) > 0
    assert [rows[1][name] for name in ("plate", "verdict", "confidence", "colour")] == ["", "unread", "0.0", ""]
    assert "a.png: bytes are not a picture" in err


def test_both_runtimes_say_the_same(pictures: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = []
    for runtime in ("onnxruntime", "opencv"):
        assert main(["read", str(pictures / "b.jpg"), "--runtime", runtime, "--csv"]) == 0
        (row,) = csv.DictReader(io.StringIO(capsys.readouterr().out))
        said.append(row)

    assert said[0]["plate"] == said[1]["plate"] == PLATE
    assert float(said[0]["confidence"]) == pytest.approx(float(said[1]["confidence"]), abs=0.001)


def test_a_folder_is_walked_and_the_csv_can_go_to_a_file(pictures: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = pictures / "out.csv"

    assert main(["read", str(pictures), "--csv", str(target)]) == 0

    rows = list(csv.DictReader(io.StringIO(target.read_text("utf-8"))))
    assert [Path(row["file"]).name for row in rows] == ["a.png", "b.jpg"]
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("name", ["b.jpg", "labels", "folder"])
def test_csv_is_never_written_over_a_picture_or_what_is_no_csv(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "labels").write_bytes(b"kept")
    (tmp_path / "b.jpg").write_bytes(b"kept")
    (tmp_path / "c.jpg").write_bytes(b"kept")

    assert main(["read", "--csv", str(tmp_path / name), str(tmp_path / "c.jpg")]) == 2

    assert "put --csv after the pictures" in capsys.readouterr().err
    assert (tmp_path / "b.jpg").read_bytes() == (tmp_path / "labels").read_bytes() == b"kept"


def test_explaining_draws_beside_the_pictures_and_over_none(pictures: Path, scene: bytes) -> None:
    assert main(["read", str(pictures), "--explain", str(pictures)]) == 0

    (drawn,) = pictures.glob("*.read.jpg")
    assert decode(drawn.read_bytes()).shape[1] == 1280
    assert (pictures / "b.jpg").read_bytes() == scene
    assert main(["read", str(pictures), "--explain", str(pictures)]) == 0
    assert len(list(pictures.glob("*.read.jpg"))) == 1  # a drawn one is no picture of a gate


def test_the_alternative_engine_accepts_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    needs("tesseract")
    (tmp_path / "b.jpg").write_bytes(scenes.plate_jpeg("A58264"))

    assert main(["read", str(tmp_path / "b.jpg"), "--engine", "tesseract"]) == 0
    assert main(["read", str(tmp_path / "b.jpg"), "--engine", "tesseract", "--explain", str(tmp_path)]) == 2

    out, err = capsys.readouterr()
    assert out.splitlines()[-1].startswith("0 accept, ")
    assert "leave --engine out" in err


def test_a_path_that_is_not_there_is_bad_input(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["read", "no-such-folder"]) == 2
    assert "there is no file or folder no-such-folder" in capsys.readouterr().err


def test_every_plate_is_a_row_the_main_one_first(tmp_path: Path) -> None:
    (tmp_path / "1.jpg").write_bytes(b"anything")
    recogniser = ToldRecogniser()
    sure = PlateCandidate("京AD12345", 97.123456, PlateColour.GREEN, None, PlateVerdict.ACCEPT)
    recogniser.tell(sure, PlateCandidate("", 3, verdict=PlateVerdict.UNREAD))

    rows = read_file(recogniser, file := str(tmp_path / "1.jpg"))

    assert rows == [
        Row(file, "京AD12345", "accept", 0.9712, "green", "nev_small", rows[0].ms),
        Row(file, "", "unread", 0.03, "", "", rows[0].ms),
    ]
