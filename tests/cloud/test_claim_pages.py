"""A driver's phone over a real port: from the code on the shop's screen to the coupon at the lot."""

from __future__ import annotations

import base64
import io
import itertools
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import zxingcpp
from aiohttp import ClientSession, CookieJar, web
from aiohttp.test_utils import TestClient, TestServer
from PIL import Image
from sqlalchemy import Connection, Engine, update

from cloud.access import service as access
from cloud.access.roles import Role
from cloud.app import make_app
from cloud.coupons import codes
from cloud.coupons import service as coupons
from cloud.coupons.tables import coupon_template
from cloud.db import Database
from cloud.lots import service as lots
from cloud.lots.edges import edge_of_lot
from cloud.lots.tables import voucher_key
from cloud.merchants import contracts
from cloud.settings import CloudSettings
from cloud.sync import channels
from cloud.web.state import Cloud
from domain import voucher
from domain.wire import Json
from plumbing.passwords import Passwords
from plumbing.signing import PrivateKey
from tests.cloud.paper import pictures, text_of
from tests.cloud.world import LANES, World, build

PASSWORD, SHOP, PLATE = "seven cars waiting", "m-shop", "京A12345"
Browser = TestClient[web.Request, web.Application]


@pytest.fixture(scope="module")
def hashed() -> str:
    passwords = Passwords()
    try:
        return passwords.hash_blocking(PASSWORD)
    finally:
        passwords.close()


@pytest.fixture
def cloud(engine: Engine, hashed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cloud:
    """A service over a small world: a car inside, a shop with a template."""
    monkeypatch.setenv("LOTGATE_STRICT_TEXTS", "1")
    database = Database(engine)

    def fill(conn: Connection) -> World:
        world = build(conn)
        world.car("s1", PLATE)
        world.template("AMOUNT", 500)
        access.create_user(conn, world.act(), SHOP, SHOP, Role.MERCHANT, hashed, world.merchant_id)
        conn.exec_driver_sql("UPDATE app_user SET must_change = false")
        return world

    world = database.run_here(fill)
    made = Cloud(CloudSettings(data=tmp_path), database, PrivateKey.generate(), world.operator_id, "http://pay.example")
    made.now_ms = lambda: world.now_ms
    return made


@pytest.fixture
async def shop(cloud: Cloud) -> AsyncIterator[Browser]:
    """The shop's browser, signed in."""
    async with TestClient(TestServer(make_app(cloud)), cookie_jar=CookieJar(unsafe=True)) as browser:
        page = await (await browser.get("/login")).text()
        form = {"account": SHOP, "password": PASSWORD, "csrf_token": token_in(page)}
        assert (await browser.post("/login", data=form, allow_redirects=False)).status == 303
        yield browser


def phone_at(shop: Browser) -> ClientSession:
    """A phone that knows nothing, at the same server."""
    return ClientSession(shop.make_url("/"), cookie_jar=CookieJar(unsafe=True))


def token_in(page: str) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found is not None, page
    return found.group(1)


async def send(browser: Browser | ClientSession, page: str, path: str, **fields: str) -> tuple[int, str]:
    """A form of *page* as it is posted, and what it leads to."""
    answer = await browser.post(path, data={"csrf_token": token_in(page), **fields})
    return answer.status, await answer.text()


def scanned(page: str) -> list[str]:
    """What the codes pictured on *page* say."""
    pictures = re.findall(r'src="data:image/png;base64,([^"]+)"', page)
    opened = [Image.open(io.BytesIO(base64.b64decode(one))).convert("L") for one in pictures]
    return [found.text for one in opened for found in zxingcpp.read_barcodes(one)]


def path_of(code: str) -> str:
    assert code.startswith("HTTP://PAY.EXAMPLE/C/LC1")
    return code.removeprefix("HTTP://PAY.EXAMPLE")


async def test_a_scanned_code_becomes_a_coupon_and_the_screen_shows_the_next(shop: Browser, cloud: Cloud) -> None:
    status, screen = await send(shop, await (await shop.get("/m/codes")).text(), "/m/codes", template_id="1", count="5")
    (code,) = scanned(screen)
    async with phone_at(shop) as phone:
        form = await (await phone.get(path_of(code))).text()
        _, wrong = await send(phone, form, path_of(code), text="京A1")
        _, asked = await send(phone, form, path_of(code), text=" 京a·12345 ")
        done, told = await send(phone, asked, path_of(code), text=PLATE, step="bind")
        mine = await (await phone.get("/c/mine")).text()
    async with phone_at(shop) as stranger:
        dead = await stranger.get(path_of(code).lower())
        nothing = await (await stranger.get("/c/mine")).text()

    assert (status, done, dead.status) == (200, 200, 410)
    assert "车牌不完整" in wrong
    assert "data-claimed" in told
    assert "data-refused" in await dead.text()
    serial = (await cloud.db.run(coupons.coupons, cloud.operator_id, None, PLATE)).items[0]["serial"]
    assert serial in mine
    assert serial not in nothing
    batch = re.search(r"/m/codes/([0-9a-f-]{36})/live", screen)
    assert batch is not None
    fresh = await (await shop.get(f"/m/codes/{batch[1]}")).text()
    assert 'data-claimed="1"' in fresh
    assert scanned(fresh) not in ([], [code])


async def test_a_driver_is_asked_whether_a_car_read_with_one_character_wrong_is_theirs(
    shop: Browser, cloud: Cloud
) -> None:
    await cloud.db.run(
        lambda conn: World(conn, cloud.operator_id, 1, edge_id=str(edge_of_lot(conn, 1))).car("s9", "京A8B345")
    )
    _, screen = await send(shop, await (await shop.get("/m/codes")).text(), "/m/codes", template_id="1", count="5")
    (code,) = scanned(screen)
    async with phone_at(shop) as phone:
        form = await (await phone.get(path_of(code))).text()
        _, other = await send(phone, form, path_of(code), text="京A77777")
        _, asked = await send(phone, form, path_of(code), text="京A88345")
        _, told = await send(phone, asked, path_of(code), text="京A88345", step="near")
        mine = await (await phone.get("/c/mine")).text()

    assert ("data-alike" in other, "data-alike" in asked) == (False, True)
    assert "data-claimed" in told
    for page in (asked, told, mine):
        assert "8B345" not in re.sub(r"<[^>]+>", "", page)  # what the camera made of it is not told
    (row,) = [
        row for _, row in await cloud.db.run(channels.rows_of, str(await cloud.db.run(edge_of_lot, 1)), "coupons")
    ]
    assert (row["plate"], row["stay_id"]) == ("京A8B345", "s9")


async def test_the_screen_follows_by_itself(shop: Browser) -> None:
    _, screen = await send(shop, await (await shop.get("/m/codes")).text(), "/m/codes", template_id="1", count="2")
    (code,) = scanned(screen)
    live = await shop.get(re.findall(r'data-live="([^"]+)"', screen)[0])

    async with phone_at(shop) as phone:
        form = await (await phone.get(path_of(code))).text()
        await send(phone, form, path_of(code), text=PLATE, step="bind")
        heard = b""
        while b'data-claimed="1"' not in heard:
            heard += await live.content.readany()
    live.close()

    assert scanned(heard.decode())[-1] != code


async def test_printed_coupons_are_on_the_sheet_until_claimed(shop: Browser, cloud: Cloud) -> None:
    page = await (await shop.get("/m/print")).text()
    status, batch = await send(shop, page, "/m/print", template_id="1", count="5")
    sheet = re.findall(r'href="(/m/print/[^"]+/sheet)', batch)[0]

    full = await (await shop.get(f"{sheet}?per=4")).text()
    one = path_of(scanned(full)[0])
    async with phone_at(shop) as phone:
        form = await (await phone.get(one)).text()
        await send(phone, form, one, text="京B88888", step="bind")
    fewer = await (await shop.get(f"{sheet}?per=4&paper=58&first=1&last=3")).text()

    assert status == 200
    assert (len(scanned(full)), full.count('class="sheet"')) == (5, 2)
    assert (len(scanned(fewer)), fewer.count('class="sheet"')) == (2, 2)


async def test_a_template_for_some_lots_names_them_to_the_shop(shop: Browser, cloud: Cloud) -> None:
    def only_here(conn: Connection) -> tuple[int, str]:
        lot_id, name = conn.exec_driver_sql("SELECT lot_id, name FROM lot ORDER BY lot_id LIMIT 1").one()
        conn.execute(update(coupon_template).values(terms=f'{{"lots":[{lot_id}]}}'))
        return int(lot_id), str(name)

    lot_id, name = cloud.db.run_here(only_here)

    page = await (await shop.get("/m/print")).text()

    assert f'<span class="badge plain">{name}</span>' in page
    assert f'<span class="badge plain">{lot_id}</span>' not in page


async def test_the_pdf_holds_the_codes_of_the_sheet(shop: Browser) -> None:
    page = await (await shop.get("/m/print")).text()
    _, batch = await send(shop, page, "/m/print", template_id="1", count="12")
    (file,) = re.findall(r'href="(/m/print/[^"]+/sheet\.pdf)\?', batch)
    on_sheet = scanned(await (await shop.get(file.replace(".pdf", "?per=4"))).text())

    answer = await shop.get(f"{file}?per=10&lang=en")
    made = await answer.read()
    read = [found.text for page in pictures(made) for found in zxingcpp.read_barcodes(page)]

    assert (answer.status, answer.content_type) == (200, "application/pdf")
    assert sorted(read) == sorted(on_sheet)
    assert len(read) == 12
    assert "Parking coupon" in text_of(made)
    assert (await shop.get("/m/print/0197-none/sheet.pdf")).status == 404


async def test_codes_are_not_found_by_trying_and_need_the_page_of_the_shop(shop: Browser, cloud: Cloud) -> None:
    async with phone_at(shop) as phone:
        answers = [(await phone.get(f"/c/LC1{number:016d}")).status for number in range(62)]
        signed_out = await phone.get("/m/codes", allow_redirects=False)

    assert answers[0] == 404
    assert answers[-1] == 429
    assert signed_out.status == 303
    assert (await shop.get("/m/codes/nothing")).status == 404
    assert (await cloud.db.run(codes.batches, cloud.operator_id, 1, codes.Way.SCREEN)).total == 0


async def test_a_scanned_slip_is_named_for_a_car(shop: Browser, cloud: Cloud) -> None:
    key = PrivateKey.generate()

    def slip(conn: Connection) -> str:
        conn.execute(update(voucher_key).values(public_key=key.public.raw))
        minute = cloud.now_ms() // 60_000
        return voucher.issue(voucher.Payload(1, 7, 1, 1, 500, 1, minute + 1440, 25, 1), key)

    token = cloud.db.run_here(slip)
    async with phone_at(shop) as phone:
        form = await (await phone.get(f"/V/{token}")).text()
        done, told = await send(phone, form, f"/V/{token}", text=PLATE, step="bind")
        again = await phone.get(f"/V/{token}")
        forged = await phone.get(f"/V/{token[:-4]}0000")

    assert (done, again.status, forged.status) == (200, 410, 404)
    assert "data-claimed" in told
    held = cloud.db.run_here(_held)
    assert [(name, value["plate"]) for name, value in held] == [("1:7", PLATE)]


def _held(conn: Connection) -> list[tuple[str, Json]]:
    edge_id = edge_of_lot(conn, 1)
    assert edge_id is not None
    return channels.rows_of(conn, edge_id, "vstate")


async def test_a_coupons_page_tells_what_became_of_it_and_moves_it(shop: Browser, cloud: Cloud) -> None:
    def given(conn: Connection) -> str:
        act = cloud.act(SHOP)
        made = coupons.issue(conn, act, 1, 1, "s1")
        assert isinstance(made, coupons.Issued)
        return made.coupon_id

    path = f"/m/records/{cloud.db.run_here(given)}"
    before = await (await shop.get(path)).text()

    refused, wrong = await send(shop, before, f"{path}/rebind", plate="京A1", reason="wrong car")
    done, after = await send(shop, before, f"{path}/rebind", plate="京B54321", reason="wrong car")

    assert (refused, done) == (422, 200)
    assert "京A1" in wrong
    assert "wrong car" in after
    assert "54321" in after
    assert path.rpartition("/")[2] in await (await shop.get("/m/records?q=B54321")).text()


async def test_a_shop_finds_a_car_by_a_part_of_its_plate_with_one_character_wrong(shop: Browser) -> None:
    exact, near, none = [await (await shop.get(f"/m/issue?q={text}")).text() for text in ("A12", "AI2", "Q77")]

    assert "stay_id" in exact
    assert "stay_id" in near
    assert "stay_id" not in none
    assert near.count("badge warn") == exact.count("badge warn") + 1


async def test_a_shop_tells_the_driver_a_code_for_what_it_gave_straight_to_the_car(shop: Browser, cloud: Cloud) -> None:
    found = await (await shop.get(f"/m/issue?q={PLATE}")).text()
    _, records = await send(shop, found, "/m/issue", template_id="1", stay_id="s1", q=PLATE)
    path = re.search(r'action="(/m/records/[^"]+/driver)"', records)
    assert path is not None
    status, told = await send(shop, records, path[1])
    code = re.search(r"data-code>([^<]+)<", told)
    assert code is not None
    async with phone_at(shop) as phone:
        empty = await (await phone.get("/c/mine")).text()
        _, alone = await send(phone, empty, "/c/mine", text=PLATE, code="")
        _, mine = await send(phone, empty, "/c/mine", text=PLATE, code=code[1])

    serial = (await cloud.db.run(coupons.coupons, cloud.operator_id, None, PLATE)).items[0]["serial"]
    assert (status, scanned(told)) == (200, ["http://pay.example/c/mine"])
    assert (serial in alone, serial in mine) == (False, True)


async def test_a_driver_chooses_among_the_lots_of_a_code_unless_the_car_is_in_one(shop: Browser, cloud: Cloud) -> None:
    def second_lot(conn: Connection) -> None:
        world = World(conn, cloud.operator_id, 1, merchant_id=1, _bytes=itertools.count(500))
        lot_id = lots.create_lot(conn, world.act(), "south lot", "Asia/Shanghai", 100, LANES)
        assert isinstance(lot_id, int)
        world.new_edge(lot_id, "south")
        contracts.set_contract(conn, world.act(), 1, lot_id)

    await cloud.db.run(second_lot)
    page = await (await shop.get("/m/codes")).text()
    _, screen = await send(shop, page, "/m/codes", template_id="1", count="5", lot_id="any")
    (code,) = scanned(screen)
    async with phone_at(shop) as phone:
        form = await (await phone.get(path_of(code))).text()
        _, asked = await send(phone, form, path_of(code), text="京B54321")
        _, told = await send(phone, asked, path_of(code), text="京B54321", step="bind", lot_id="2")
    (fresh,) = scanned(await (await shop.get(re.findall(r"/m/codes/[0-9a-f-]{36}", screen)[0])).text())
    async with phone_at(shop) as other:
        own = await (await other.get(path_of(fresh))).text()
        _, inside = await send(other, own, path_of(fresh), text=PLATE, step="bind", lot_id="2")

    assert 'value="any"' in page
    assert re.findall(r'name="lot_id" value="(\d+)"( checked)?', asked) == [("1", " checked"), ("2", "")]
    assert "north lot / south lot" in screen
    assert ("south lot" in told, "north lot" in told) == (True, False)
    assert ("north lot" in inside, "south lot" in inside) == (True, False)
