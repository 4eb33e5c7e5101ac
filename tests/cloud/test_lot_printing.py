"""A shop asks a lot to print: one command, seconds long, and what the lot told of it."""

from __future__ import annotations

from sqlalchemy import update

from cloud.act import Refused
from cloud.coupons import lot_printing
from cloud.sync import commands
from cloud.sync.tables import command
from tests.cloud.world import World


def ask(world: World, template: int, count: int = 2, lot_id: int = 0) -> Refused | None:
    return lot_printing.ask(world.conn, world.act("shop-1"), world.merchant_id, template, lot_id, count)


def test_a_lot_is_asked_once_and_not_after_its_seconds(world: World) -> None:
    assert ask(world, world.template()) is None
    (waiting,) = commands.outstanding(world.conn, world.edge_id, world.now_ms)
    late = commands.outstanding(world.conn, world.edge_id, world.now_ms + lot_printing.GOOD_MS + 1)

    assert (waiting["kind"], waiting["body"]["count"], waiting["body"]["by"]) == ("voucher.print", 2, "shop-1")
    assert waiting["kind"] in commands.MOVES  # goes out once, and never again by itself
    assert late == []
    world.conn.execute(update(command).values(state="done", result="confirmed 2"))
    shown = lot_printing.asked(world.conn, world.operator_id, world.merchant_id)
    assert [(row["result"], row["lot"]) for row in shown] == [("confirmed 2", "north lot")]
    assert lot_printing.asked(world.conn, world.operator_id, world.merchant_id + 1) == []


def test_what_cannot_be_printed_there_is_refused_before_it_is_asked(world: World) -> None:
    template = world.template()

    refused = [
        ask(world, template, count=11),
        ask(world, template, lot_id=world.lot_id + 1),
        ask(world, world.template("AMOUNT_CUSTOM", 0)),
        ask(world, 999),
    ]

    codes = ["count_malformed", "lot_missing", "custom_not_printed", "template_unknown"]
    assert [one.code if one else "" for one in refused] == codes
    assert commands.outstanding(world.conn, world.edge_id, world.now_ms) == []
