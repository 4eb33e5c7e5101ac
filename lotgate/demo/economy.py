"""Scenes of the coupon economy: a merchant taken on, coupons given, claimed, bought and printed, a fee paid."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from domain.ledger import AVAILABLE, REDEEMED
from domain.wire import Json
from lotgate.demo import script
from lotgate.demo.acts import Act
from lotgate.demo.folder import DemoError
from lotgate.demo.lots import EAST_IN, EAST_OUT
from lotgate.demo.pages import Page, Pages
from lotgate.demo.people import Driver, Merchant, Operator, codes_on, pay, quote_on
from lotgate.demo.script import Car, published_fee, yuan
from lotgate.demo.setup import PRODUCT, PRODUCT_FEN, UNIT_FEN
from lotgate.demo.steps import Steps
from lotgate.demo.system import System

SHOP, GIFT = "示例面馆", "面馆抵扣 10 元"
GIFT_FEN, PURSE_FEN = 10_00, 120_00  # a hundred paid, twenty on top
ON_SCREEN, ON_PAPER, BOUGHT = 5, 4, 10
STAY_MIN, WALK_MIN = 95, 5  # in the lot, and from paying by phone to the exit
PURSE = (AVAILABLE, "lease:")
GONE = 410
LOOKS, LOOK_S = 100, 0.1


class Economy:
    """One merchant's day, from the operator's form to its books. Whoever plays it opens its *people* first."""

    def __init__(self, system: System, steps: Steps) -> None:
        self._system, self._street, self._steps = system, system.street, steps
        operator, shop, driver = self.people = tuple(
            Pages(system.cloud_url, phone=phone) for phone in (False, True, True)
        )
        self._operator, self._merchant, self._driver = Operator(operator), Merchant(shop), Driver(driver)
        self._given, self._claimed, self._stocked = (Car(plate) for plate in script.SHOP_LANE)
        self._merchant_id, self._screen, self._by_phone = 0, "", 0
        self.scenes: Sequence[tuple[str, Callable[[Act], Awaitable[None]]]] = (
            ("an operator takes a merchant on and fills its purse", self._taken_on),
            ("the merchant gives a coupon to a car inside", self._gift),
            ("a driver's phone claims one by the merchant's code", self._claim),
            ("the merchant buys coupons in the shop, paid at the gateway", self._purchase),
            ("a bought coupon is given", self._from_stock),
            ("a sheet of codes is printed, and withdrawn", self._sheet),
            ("a driver pays the fee by phone", self._paid_by_phone),
            ("the three cars leave, each with its coupon off", self._exits),
            ("the merchant's records and books say the same", self._books),
        )

    async def _taken_on(self, act: Act) -> None:
        """The first password is good for nothing but choosing another."""
        await self._operator.pages.sign_in(**self._system.known["admin"])
        login = await self._operator.take_on(SHOP, "13900138000", self._system.known["lot_id"])
        await self._operator.top_up(login.merchant_id, "100", "20")
        home = await self._merchant.begin(login, f"{login.account}-{login.merchant_id}")
        act.expect("at home with a password of its own", "/m", home.path)
        await self._merchant.add_template(GIFT, yuan(GIFT_FEN))
        self._merchant_id = login.merchant_id
        await self._has(act, PURSE_FEN)

    async def _gift(self, act: Act) -> None:
        await self._steps.enter(act, EAST_IN, self._given)
        await self._gives(act, GIFT, self._given)
        await self._has(act, PURSE_FEN - GIFT_FEN)

    async def _claim(self, act: Act) -> None:
        """The phone reads the code off the picture on the shop's screen."""
        car, screen = self._claimed, await self._merchant.show_codes(GIFT, ON_SCREEN)
        await self._steps.enter(act, EAST_IN, car)
        self._screen, codes = screen.path, codes_on(screen)
        version = await self._version()
        asked, claimed = await self._driver.claim(codes[0], car.plate)
        act.expect("the plate is shown once more", car.plate, asked.hidden.get("text"), telling=True)
        act.expect("it is bound", True, "data-claimed" in claimed.text)
        again = codes_on(await self._merchant.pages.open(self._screen))
        act.expect("the screen shows one other code", (1, True), (len(again), again != codes))
        act.expect("to another phone that code is", GONE, (await self._merchant.pages.open(codes[0])).status)
        await self._reaches_the_lot(version)
        await self._has(act, PURSE_FEN - 3 * GIFT_FEN)

    async def _purchase(self, act: Act) -> None:
        cashier = await self._merchant.order(BOUGHT)
        told = await pay(self._merchant.pages, cashier)
        act.expect("the payer's phone says", f"已付款 ¥{yuan(BOUGHT * UNIT_FEN)}", told.said, telling=True)
        await self._shows(self._merchant.pages, cashier.path, "已支付")
        act.expect("in stock", BOUGHT, await self._merchant.stock(), telling=True)
        await self._has(act, PURSE_FEN - 3 * GIFT_FEN)

    async def _from_stock(self, act: Act) -> None:
        await self._steps.enter(act, EAST_IN, self._stocked)
        await self._gives(act, PRODUCT, self._stocked)
        act.expect("in stock", BOUGHT - 1, await self._merchant.stock(), telling=True)
        await self._has(act, PURSE_FEN - 3 * GIFT_FEN)

    async def _sheet(self, act: Act) -> None:
        """Every code can be read off the sheet; what is withdrawn is worth nothing, and its value is back."""
        printing = await self._merchant.print_codes(GIFT, ON_PAPER)
        await self._has(act, PURSE_FEN - (3 + ON_PAPER) * GIFT_FEN)
        codes = codes_on(await self._merchant.pages.open(f"{printing.path}/sheet?paper=a4&per={ON_PAPER}"))
        act.expect("codes on the sheet", ON_PAPER, len(set(codes)), telling=True)
        act.expect("a driver's phone opens one", 200, (await self._driver.pages.open(codes[0])).status)
        for path in (printing.path, self._screen):
            await self._merchant.withdraw(path)
        act.expect("and then no more", GONE, (await self._driver.pages.open(codes[0])).status)
        await self._has(act, PURSE_FEN - 2 * GIFT_FEN)

    async def _paid_by_phone(self, act: Act) -> None:
        """What the coupon leaves is paid at the gateway; the lot hears of it and gives the time to leave."""
        self._steps.later(STAY_MIN)
        quote = await self._quote(self._claimed)
        self._by_phone = self._steps.fee(self._claimed) - GIFT_FEN
        act.expect("due on the phone", f"¥{yuan(self._by_phone)}", quote.due, telling=True)
        told = await pay(self._driver.pages, await self._driver.order(quote))
        act.expect("the payer's phone says", f"已付款 ¥{yuan(self._by_phone)}", told.said)
        page = await self._shows(self._driver.pages, quote_on(quote), 'data-outcome="settled"')
        act.expect("an exit pass to show", True, "data-digits" in page.text)

    async def _exits(self, act: Act) -> None:
        self._steps.later(WALK_MIN)
        car = self._given
        view = await self._street.arrive(EAST_OUT, car.plate)
        due = await self._steps.is_asked_for(act, car, view, GIFT_FEN)
        await self._steps.pays_and_goes(act, EAST_OUT, car, due)
        for car, off, paid in ((self._claimed, GIFT_FEN, self._by_phone), (self._stocked, PRODUCT_FEN, 0)):
            before = await self._street.pulses(EAST_OUT)
            view = await self._street.arrive(EAST_OUT, car.plate)
            act.expect("let out", "Admit", view["verdict"])
            await self._steps.is_asked_for(act, car, view, min(off, self._steps.fee(car)), paid)
            await self._street.drive_through(EAST_OUT)
            act.expect("pulses", 1, await self._street.pulses(EAST_OUT) - before)

    async def _books(self, act: Act) -> None:
        """Coupons, purse and accounts as the cloud's own interface tells them."""
        await self._system.in_touch()
        api, cars = self._system.api, (self._given, self._claimed, self._stocked)
        rows = await api.get(f"coupons?merchant_id={self._merchant_id}")
        used = {row["plate"]: row["off_fen"] for row in rows if row["state"] == "REDEEMED"}
        fee = published_fee(STAY_MIN + WALK_MIN)
        act.expect("used", dict(zip((car.plate for car in cars), (GIFT_FEN, GIFT_FEN, fee), strict=True)), used)
        voided = sum(row["state"] == "VOIDED" for row in rows)
        act.expect("withdrawn", (ON_PAPER + 1, ON_PAPER + 4), (voided, len(rows)))
        mine = await self._own_books()
        act.expect("books are right", True, all(one["is_right"] for one in mine))
        spent = {one["funds"]: one["accounts"].get(REDEEMED, 0) for one in mine}
        act.expect_fen("paid from the purse", 2 * GIFT_FEN, spent["PAID"] + spent["BONUS"], telling=True)
        act.expect_fen("and from stock", UNIT_FEN, spent["BOUGHT"], telling=True)

    # Steps of this merchant's day

    async def _gives(self, act: Act, name: str, car: Car) -> None:
        """The merchant finds the car by its plate; the coupon is known at the lot when this returns."""
        version = await self._version()
        act.expect(f"{car.plate} found inside", car.stay_id, await self._merchant.give(name, car.plate))
        await self._reaches_the_lot(version)

    async def _version(self) -> int:
        return int((await self._system.local.standing())["coupons_version"])

    async def _reaches_the_lot(self, version: int) -> None:
        await self._system.until("the coupon to reach the lot", lambda now: now["coupons_version"] > version)

    async def _has(self, act: Act, fen: int) -> None:
        """What is left in the merchant's purse, and of it at the lot for its counter to print from."""
        left = 0
        for books in await self._own_books():
            left += sum(fen for account, fen in books["accounts"].items() if account.startswith(PURSE))
        act.expect_fen("in the purse", fen, left, telling=True)

    async def _own_books(self) -> list[Json]:
        return [one for one in await self._system.api.get("books") if one["merchant_id"] == self._merchant_id]

    async def _quote(self, car: Car) -> Page:
        """What the lot asks of a phone. The cloud hears the lot every two seconds; until then it asks nothing of it."""
        for _ in range(LOOKS):
            page = await self._driver.ask(self._system.known["lot_id"], car.plate)
            if page.status == 200:
                return page
            await asyncio.sleep(LOOK_S)
        raise DemoError("the lot tells no phone what is due")

    async def _shows(self, pages: Pages, path: str, words: str) -> Page:
        """A page once it says so. Raises DemoError when it does not come to that."""
        for _ in range(LOOKS):
            page = await pages.open(path)
            if words in page.text:
                return page
            await asyncio.sleep(LOOK_S)
        raise DemoError(f"{path} does not come to say {words}")
