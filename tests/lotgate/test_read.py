from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from domain.plate import PlateColour, PlateVerdict
from drivers.base import PlateCandidate
from drivers.recogniser.simulated import ToldRecogniser
from lotgate.__main__ import main
from lotgate.commands.read import Row, read_file
from tests.drivers import scenes
from tests.services.needs import needs


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    needs("tesseract")
    (tmp_path / "b.jpg").write_bytes(scenes.plate_jpeg("A58264"))
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
    assert [row["verdict"] for row in rows] == ["ask", "unread"]
    assert rows[0]["plate"].endswith("A58264")
    assert rows[0]["colour"] == "blue"
    assert int(rows[0]["ms"]) > 0
    assert "a.png: bytes are not a picture" in err


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


def test_people_get_a_table_with_a_sum(pictures: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["read", str(pictures / "b.jpg")]) == 0

    lines = capsys.readouterr().out.splitlines()
    assert "A58264" in lines[0]
    assert lines[-1] == "0 accept, 1 ask, 0 unread"


def test_a_path_that_is_not_there_is_bad_input(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["read", "no-such-folder"]) == 2
    assert "there is no file or folder no-such-folder" in capsys.readouterr().err


def test_a_row_carries_the_verdict_of_the_engine_and_a_confidence_of_0_to_1(tmp_path: Path) -> None:
    (tmp_path / "1.jpg").write_bytes(b"anything")
    recogniser = ToldRecogniser()
    found = PlateCandidate("京AD12345", 97.123456, PlateColour.GREEN, None, PlateVerdict.ACCEPT)
    recogniser.tell(found)

    row = read_file(recogniser, str(tmp_path / "1.jpg"))

    assert row == Row(str(tmp_path / "1.jpg"), "京AD12345", "accept", 0.9712, "green", "nev_small", row.ms)
