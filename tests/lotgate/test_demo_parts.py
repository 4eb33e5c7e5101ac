"""The demo's own parts: what must hold before a day is played with them."""

from __future__ import annotations

import dataclasses
import io
import socket
import tomllib
from pathlib import Path

import pytest
from aiohttp.test_utils import TestClient, TestServer

from domain.moment import Moment
from domain.slip import Cut, Qr, Slip
from domain.voucher import Payload, Refusal, Refused, Valid, VoucherKey, check, issue
from drivers.printer.simulated import SimulatedPrinter
from edge.lot import verify
from edge.settings import load_settings
from lotgate.__main__ import main
from lotgate.demo.acts import Act, columns, padded, table
from lotgate.demo.folder import DemoError, Folder, held, ports_from, write_edge_settings
from lotgate.demo.forgery import forged_like
from lotgate.demo.lots import CONFIG, EIGHT
from lotgate.demo.pages import Page
from lotgate.demo.photos import Photo, find_photos
from lotgate.demo.progress import Progress
from lotgate.demo.qr import read_qr
from lotgate.demo.script import published_fee
from lotgate.demo.slips import slips_app
from lotgate.demo.toml_text import toml_text
from plumbing.paper.encode import encode
from plumbing.paper.picture import render
from plumbing.signing import PrivateKey

JPEG = b"\xff\xd8\xff\xe0 picture"


@pytest.mark.parametrize(
    ("minutes", "fen"),
    [(0, 0), (20, 0), (21, 700), (60, 700), (61, 1200), (125, 1700), (185, 2200), (480, 4200), (1440, 4200)],
)
def test_the_scripts_own_figures_are_those_of_the_notice(minutes: int, fen: int) -> None:
    assert published_fee(minutes) == fen


def test_settings_written_are_settings_read() -> None:
    settings = {
        "name": "演示",
        "lot_id": 3,
        "on": True,
        "paths": ["a", "b"],
        "zones": [{"name": "yard", "tariffs": ["t.toml"]}],
        "devices": {"cameras": {"east-in": {"type": "vzenith"}}, "loops": {"west": {"inputs": {"a": 0, "b": 1}}}},
    }

    assert tomllib.loads(toml_text(settings)) == settings


def test_the_shipped_lot_and_the_one_written_from_it_are_lots(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.make()
    write_edge_settings(folder, ports_from(9000), 7, "e1")

    shipped, written = load_settings(CONFIG / "demo.toml"), load_settings(folder.edge_toml)

    assert [lane.name for lane in shipped.lanes] == [lane.name for lane in written.lanes]
    assert (written.lot_id, written.edge, written.listeners.booth.port) == (7, "e1", 9001)
    assert written.demo_clock == folder.clock


def test_the_lot_of_eight_lanes_has_every_make_and_one_folder_is_for_one_lot(tmp_path: Path) -> None:
    folder = Folder(tmp_path, EIGHT)
    folder.make()
    write_edge_settings(folder, ports_from(9000), 7, "e1")

    lot = load_settings(folder.edge_toml)

    assert [lane.name for lane in lot.lanes if not lane.unattended] == ["地面出口1", "地面出口2"]
    assert all(lane.attended for lane in lot.lanes)
    named = {table["type"] for kind in dataclasses.asdict(lot.devices).values() for table in kind.values()}
    assert named >= {"vzenith", "hikvision", "hikvision_push", "dahua", "video", "lotgate"}
    assert named >= {"modbus_tcp", "modbus_rtu", "lcus", "vzenith_io", "camera_io"}
    assert named >= {"olm", "olm_camera", "serial", "escpos_network", "escpos_serial"}
    assert {gate.name for gate in EIGHT.gates} == {lane.name for lane in lot.lanes}
    with pytest.raises(DemoError, match="holds a demo of eight-lanes"):
        Folder(tmp_path).make()


def test_free_ports_are_all_different() -> None:
    ports = ports_from(0)

    assert len({getattr(ports, name) for name in ports.__slots__}) == len(ports.__slots__)


def test_one_demo_at_a_time_uses_a_folder(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.make()

    with held(folder), pytest.raises(DemoError, match="already runs"), held(folder):
        pass


def test_a_forged_voucher_promises_the_same_and_is_signed_by_nobody_known() -> None:
    ours = PrivateKey.generate()
    token = issue(Payload(1, 1, 2, 3, 1500, 4, 29_000_000, 25, 7), ours)

    forged = forged_like(token)

    keys = {1: VoucherKey(1, ours.public.raw, 7, 0, 1 << 50)}
    now = Moment("boot", 0, 29_000_000 * 60_000)
    assert isinstance(check(token, keys, verify, now, 7), Valid)
    assert check(forged, keys, verify, now, 7) == Refused(Refusal.BAD_SIGNATURE)
    assert len(forged) == len(token)


def test_a_code_is_read_off_a_picture_and_a_blank_slip_has_none() -> None:
    assert read_qr(render(b"\x1b@no code here\n")) == ""


def test_an_act_holds_only_if_it_was_played_and_every_check_did() -> None:
    untouched, good, bad = Act("nothing checked"), Act("好"), Act("bad")
    good.expect_fen("fee", 1700, 1700, telling=True)
    bad.expect_fen("fee", 1700, 1900)

    lines = list(table([untouched, good, bad]))

    assert [act.held for act in (untouched, good, bad)] == [False, True, False]
    assert lines[1].endswith("fee 17.00")
    assert "expected 17.00, saw 19.00" in lines[-1]


def test_chinese_fills_two_columns_a_character() -> None:
    assert columns("东门A") == 5
    assert padded("东", 4) == "东  "


def test_a_page_is_read_as_a_person_reads_it() -> None:
    text = (
        '<form><input type="hidden" name="csrf_token" value="a&amp;b"></form>'
        '<p class="due"><span>应付</span>¥2.00</p><dl><dt>库存</dt>\n<dd class="long"><b>9</b> · 2027</dd></dl>'
        '<div class="alert bad" role="alert">余额 <b>不足</b></div>'
    )
    page = Page(422, text, "http://127.0.0.1:1/m/shop/1?view=table")

    assert (page.path, page.hidden, page.facts) == ("/m/shop/1", {"csrf_token": "a&b"}, {"库存": "9 · 2027"})
    assert (page.due, page.said) == ("¥2.00", "余额 不足")
    with pytest.raises(DemoError, match="/m/shop/1: 422 余额 不足"):
        page.well()


def test_progress_is_plain_lines_where_there_is_no_terminal() -> None:
    out = io.StringIO()
    progress = Progress(2, out)

    for what in ("one", "two"):
        progress.step(what)
    progress.done("over")

    assert out.getvalue().splitlines() == ["[1/2] one", "[2/2] two", "[2/2] over"]


def test_photographs_are_scenes_of_plain_plates_found_where_they_lie(tmp_path: Path) -> None:
    for name in ("a.jpg", "b.jpg", "c.jpg"):
        (tmp_path / name).write_bytes(JPEG)
    rows = ["file,plate,kind", "a.jpg,京A12345,scene", "b.jpg,京AD12345,scene", "c.jpg,京B12345,crop"]
    (tmp_path / "labels.csv").write_text("\n".join([*rows, "gone.jpg,京C12345,scene"]), encoding="utf-8")

    assert find_photos(tmp_path) == [Photo(tmp_path / "a.jpg", "京A12345")]


def test_photographs_without_labels_are_taken_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(JPEG)
    (tmp_path / "b.jpg").write_text("file,plate\n")  # only calls itself a picture
    (tmp_path / "notes.txt").write_text("none")

    assert find_photos(tmp_path) == [Photo(tmp_path / "a.jpg")]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--port", "80"], "--port must be"),
        (["--photos", "/nowhere"], "no such folder"),
        (["--photos", "{empty}"], "no pictures"),
    ],
)
def test_bad_input_is_said_before_anything_starts(
    words: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["demo", "--dir", str(tmp_path / "demo"), *(word.format(empty=tmp_path) for word in words)])

    assert code == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "demo").exists()


@pytest.mark.parametrize("where", ["/proc/nowhere/demo", "{file}"])
def test_a_folder_that_cannot_be_made_is_bad_input(
    where: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("taken")

    assert main(["demo", "--port", "0", "--dir", where.format(file=tmp_path / "file")]) == 2

    assert "choose a folder you may write" in capsys.readouterr().err


def test_a_taken_port_is_named_before_anything_is_set_up(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        first = other.getsockname()[1]
        folder = tmp_path / "demo"

        assert main(["demo", "--port", str(first), "--dir", str(folder)]) == 1

    assert f"port {first} (cloud) is taken" in capsys.readouterr().err
    assert not (folder / "cloud.toml").exists()


async def test_the_printers_paper_is_shown_as_pictures_that_can_be_scanned() -> None:
    code = "HTTPS://LOTGATE.EXAMPLE/V/1"
    async with SimulatedPrinter() as printer, TestClient(TestServer(slips_app(printer))) as browser:
        printer.jobs += [encode(Slip(32, (Qr(code), Cut()))), b"\x1b@\x1d"]  # the second breaks off inside a command

        page = await (await browser.get("/")).text()
        png = await (await browser.get("/slip/1.png")).read()

        assert "/slip/2.png" in page
        assert read_qr(png) == code
        assert (await browser.get("/slip/2.png")).status == 404
