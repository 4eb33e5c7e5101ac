"""Phones pay: quotes of the lots, orders paid once, twice and late, passes and digits with the line up or down."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from cloud.fees import service as fees
from cloud.paid import DUTIES
from cloud.payments import orders
from cloud.payments.orders import PayOrder
from cloud.payments.provider import Outcome, State
from domain.fee_quote import FeeQuote
from edge.services import phone_paying
from edge.services.phone_quotes import quote_stay, seal_of, token_of
from tests.cloud.paying import begun
from tests.simulator.acts_line import any_edge
from tests.simulator.acts_trade import ask_to_leave, in_cloud, open_stay
from tests.simulator.keys import key_of
from tests.simulator.nodes import OPERATOR, EdgeNode

if TYPE_CHECKING:
    from tests.simulator.world import World


@dataclass(frozen=True, slots=True)
class Wallet:
    """A try that a wallet may pay: *number* at the provider, for *quote* of the lot of *node*."""

    node: EdgeNode
    quote: FeeQuote
    number: str


class Phones:
    """What phones did in one world."""

    def __init__(self) -> None:
        self.begun: list[Wallet] = []
        self.paid: list[Wallet] = []

    def begin(self, world: World) -> None:
        """Lots are told the key of their digits."""
        in_cloud(world, lambda conn, act: fees.tell_codes(conn, OPERATOR, key_of("cloud"), act.now_ms))  # type: ignore[arg-type]

    def step(self, world: World) -> None:
        """A few things that drivers do."""
        acts: tuple[Callable[[World], None], ...] = (self._pays, self._pays, self._wallet_says, self._shows_pass)
        for _ in range(world.rng.choice((0, 1, 1, 2))):
            world.rng.choice(acts)(world)

    def tick(self, world: World) -> None:
        """Every lot takes what its list tells of."""
        for node in world.edges.values():
            node.act(lambda lot, now, db=node.db: phone_paying.take_listed(db, lot, now))  # type: ignore[misc]

    def _pays(self, world: World) -> None:
        """A driver scans a quote and goes to pay, now and then two at a time; often it is paid at once."""
        node = any_edge(world)
        inside = open_stay(world, node)
        if inside is None:
            return
        quote = node.act(lambda lot, now: quote_stay(node.db, lot, inside[0], now))
        if not isinstance(quote, FeeQuote) or node.lot is None:
            return
        token = token_of(node.lot, quote, seal_of(node.db.conn))
        for _ in range(world.rng.choice((1, 1, 2))):
            order = in_cloud(world, lambda conn, act: fees.begin(conn, act, token, key_of("cloud")))  # type: ignore[arg-type]
            if isinstance(order, PayOrder):
                self._begin(world, node, quote, order)
        if world.rng.randrange(2):
            self._wallet_says(world)
        if world.rng.randrange(2):
            ask_to_leave(world, node, inside[1])

    def _begin(self, world: World, node: EdgeNode, quote: FeeQuote, order: PayOrder) -> None:
        provider = world.rng.choice(("till", "other"))
        number = in_cloud(world, lambda conn, act: begun(conn, act, order, provider))
        if number is not None:
            self.begun.append(Wallet(node, quote, number))
        if not world.rng.randrange(6):
            in_cloud(world, lambda conn, act: orders.cancel(conn, act, order.order_id))

    def _wallet_says(self, world: World) -> None:
        """A provider's notice: at once, late, or again."""
        if not self.begun:
            return
        wallet = self.begun[-1] if world.rng.randrange(2) else world.rng.choice(self.begun)
        outcome = Outcome(State.PAID, wallet.quote.due_fen, f"p-{wallet.number}")
        for _ in range(world.rng.choice((1, 1, 2))):
            said = in_cloud(world, lambda conn, act: orders.settled(conn, act, DUTIES, wallet.number, outcome))
            world.say(f"wallet of {wallet.quote.number[:6]}: {said}")
            if said is not None:
                self.paid.append(wallet)

    def _shows_pass(self, world: World) -> None:
        """A driver holds a pass before the scanner, or tells the booth its digits; then asks to leave."""
        if not self.paid:
            return
        wallet = world.rng.choice(self.paid)
        node, quote = wallet.node, wallet.quote
        shown = in_cloud(world, lambda conn, _: _pass_of(conn, quote))
        if shown is None:
            return
        token, digits = shown
        if world.rng.randrange(2):
            node.act(lambda lot, now: phone_paying.take_pass(node.db, lot, token, now))
        else:
            node.act(lambda lot, now: phone_paying.take_code(node.db, lot, quote.stay_id, digits, now))
        world.say(f"{node.name}: pass of {quote.number[:6]}")
        if world.rng.randrange(2):
            ask_to_leave(world, node, quote.plate)


def _pass_of(conn: Connection, quote: FeeQuote) -> tuple[str, str] | None:
    row = fees.paid(conn, OPERATOR, quote)
    return None if row is None else fees.pass_of(row, key_of("cloud"))  # type: ignore[arg-type]
