"""A lot's layouts set in the cloud: looked at, refused with their place, told to the lot's edge."""

from __future__ import annotations

import base64
import io
import re

import pytest
import zxingcpp
from PIL import Image
from sqlalchemy import Connection, update

from cloud.act import Refused
from cloud.lots import slips
from cloud.lots.edges import edge_of_lot
from cloud.lots.layout_pages import Sample
from cloud.lots.slips import OwnSlip
from cloud.sync import channels
from cloud.sync.agent import printers_told
from cloud.sync.tables import edge_cursor
from cloud.web.state import Cloud
from domain.slip import Paper
from domain.slip_faces import Language
from domain.slip_samples import LAYOUTS, QR
from domain.wire import Json, canonical
from plumbing.paper.profile import SHIPPED, Profile
from plumbing.paper.shipped import layout_of, shipped_text
from tests.cloud.test_pages import Browser, browser, cloud, hashed, post, sign_in
from tests.cloud.world import World
from tests.domain.slip_cases import NOON

__all__ = ["browser", "cloud", "hashed"]

TICKET = shipped_text("ticket").replace("入场凭证", "停车小票")


def told(world: World) -> dict[str, object]:
    return dict(channels.rows_of(world.conn, world.edge_id, slips.CHANNEL))


def test_what_is_set_goes_to_the_lots_edge_and_is_taken_back(world: World) -> None:
    own = slips.typed("欢迎\r\n\r\n 光临 ", "", TICKET.replace("\n", "\r\n"), "ticket")

    assert slips.set_own(world.conn, world.act(), world.lot_id, "ticket", own) is None

    assert told(world) == {"slip:ticket": {"head": ["欢迎", "光临"], "foot": [], "text": TICKET.strip()}}
    assert slips.own_of(world.conn, world.operator_id, world.lot_id, "ticket") == own
    assert slips.own_of(world.conn, world.operator_id + 1, world.lot_id, "ticket") is None
    assert slips.set_own(world.conn, world.act(), world.lot_id, "ticket", None) is None
    assert told(world) == {}


def test_the_shipped_file_unchanged_is_none_of_the_lots_own() -> None:
    assert slips.typed("", "再见", shipped_text("receipt"), "receipt") == OwnSlip((), ("再见",), "")


def test_a_layout_that_cannot_be_used_is_refused_with_its_place(world: World) -> None:
    wrong = OwnSlip(text=TICKET.replace("{lane}", "{lain}"))

    refused = slips.set_own(world.conn, world.act(), world.lot_id, "ticket", wrong)

    assert isinstance(refused, Refused)
    assert refused.code == "slip_layout_wrong"
    assert str(refused.facts["problem"]).startswith("ticket.toml: lines[8].value: no field {lain}; there are lot, lane")
    assert told(world) == {}
    assert slips.set_own(world.conn, world.act(), world.lot_id + 1, "ticket", OwnSlip()) == Refused("lot_unknown")
    assert slips.set_own(world.conn, world.act(), world.lot_id, "menu", OwnSlip()) == Refused("lot_unknown")


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize("paper", list(Paper))
def test_every_sample_is_drawn_and_its_code_is_read_off_the_picture(paper: Paper, language: Language) -> None:
    sample = Sample("示例车场", NOON, language)

    profile = Profile(58 if paper is Paper.MM58 else 80)
    codes = {name: scanned(sample.picture(layout_of(name), profile), paper) for name in LAYOUTS}

    assert codes["voucher"] == [QR]
    assert codes["ticket"] == [QR[:90]]
    assert len(codes["test"]) == 1
    assert codes["receipt"] == codes["report"] == codes["pickup"] == []


def scanned(address: str, paper: Paper) -> list[str]:
    picture = Image.open(io.BytesIO(base64.b64decode(address.partition(",")[2])))
    assert picture.width == paper * 12 + 32
    return [code.text for code in zxingcpp.read_barcodes(picture)]


async def test_the_page_draws_what_was_typed_before_it_is_kept(browser: Browser, cloud: Cloud) -> None:
    await sign_in(browser, "admin")
    page = "/admin/lots/1/slips?slip=ticket"
    plain = pictures(await (await browser.get(page)).text())

    status, looked = await post(browser, page, page, head="欢迎光临", foot="", text=TICKET, do="look", written="en")
    assert (status, len(plain), "欢迎光临</textarea>" in looked) == (200, 1, True)
    assert not set(pictures(looked)) & set(plain)
    assert pictures(await (await browser.get(page)).text()) == plain, "looking keeps nothing"

    status, kept = await post(browser, page, page, head="欢迎光临", foot="", text=TICKET, do="save", written="zh-CN")
    assert (status, "已保存" in kept, "在这里设置" in kept, "停车小票" in kept) == (200, True, True, True)
    status, back = await post(browser, page, page, do="drop")
    assert (status, "已恢复" in back, pictures(back) == plain) == (200, True, True)


async def test_a_mistake_is_shown_beside_what_was_typed_and_others_may_only_look(browser: Browser) -> None:
    await sign_in(browser, "admin")
    page = "/admin/lots/1/slips?slip=ticket"

    for do in ("look", "save"):
        status, told = await post(browser, page, page, text=TICKET.replace("{lane}", "{<i>}"), do=do)
        assert (status, "版式有误：ticket.toml: lines[8].value: no field {&lt;i&gt;}" in told) == (422, True)
        assert ("&lt;i&gt;}" in told.partition('<textarea id="f-text"')[2], pictures(told)) == (True, [])
    assert (await browser.get("/admin/lots/1/slips?slip=menu")).status == 404
    assert (await browser.get("/admin/lots/2/slips")).status == 404

    await sign_in(browser, "read_only")
    shown = await (await browser.get(page)).text()
    assert (len(pictures(shown)), 'value="save"' in shown) == (1, False)
    assert (await post(browser, page, page, do="drop"))[0] == 403
    wide = await (await browser.get(f"{page}&printer=usual:80")).text()
    assert (len(pictures(wide)), pictures(wide) == pictures(shown)) == (1, False)
    assert '<form method="get"' in wide


async def test_a_slip_is_drawn_as_the_lots_own_printer_prints_it(browser: Browser, cloud: Cloud) -> None:
    await sign_in(browser, "admin")
    page = "/admin/lots/1/slips?slip=voucher"
    usual = await (await browser.get(page)).text()
    assert re.findall(r'<option value="([^"]+)"', usual)[: len(SHIPPED)] == [f"usual:{name}" for name in SHIPPED]

    gate, desk = Profile(58, "native", "drawn", cutter=False, tear_lines=6), Profile(80)
    told = {"gate": gate.looks(), "a <b>": desk.looks(), "ink": {**desk.looks(), "qr": "photo"}}
    await cloud.db.run(tell_printers, 1, told)

    own = await (await browser.get(page)).text()
    assert re.findall(r'<option value="([^"]+)"', own)[:3] == ["own:a &lt;b&gt;", "own:gate", "usual:58"]
    assert "<h2>a &lt;b&gt; · 80 mm · 打印机自带汉字 · 二维码画图</h2>" in own
    assert scanned(pictures(own)[0], Paper.MM80) == [QR]
    assert scanned(pictures(usual)[0], Paper.MM58) == [QR]
    of_gate = await (await browser.get(f"{page}&printer=own:gate&written=en")).text()
    assert "gate · 58 mm · 文字画图 · 打印机自带二维码" in of_gate
    on_usual = await (await browser.get(f"{page}&printer=usual:58&written=en")).text()
    assert pictures(of_gate) != pictures(on_usual)

    status, kept = await post(browser, page, page, head="欢迎", do="save", written="en", printer="own:gate")
    assert (status, "已保存" in kept) == (200, True)
    assert '<option value="own:gate" selected>' in kept, "one goes on with the printer one looked through"


def tell_printers(conn: Connection, lot_id: int, told: Json) -> None:
    """As the last hello of the lot's edge said."""
    said = canonical(printers_told({"printers": told})).decode()
    of_edge = edge_cursor.c.edge_id == edge_of_lot(conn, lot_id)
    conn.execute(update(edge_cursor).where(of_edge).values(printers=said))


def pictures(page: str) -> list[str]:
    return re.findall(r'src="(data:image/png;base64,[^"]+)"', page)
