"""Worlds in which people change their minds: coupons moved or taken back after the car has paid, ends undone."""

from __future__ import annotations

from cloud.coupons import service as coupons
from edge.db import stays
from edge.services import manual, redeeming, reopening
from tests.simulator.acts_line import any_edge
from tests.simulator.acts_trade import PLATES, ask_to_leave, coupon_to_a_car, in_cloud, open_stay, pay
from tests.simulator.world import World


def coupon_moved(world: World) -> None:
    """A coupon goes to another plate; the car it was for may have paid with it."""
    with world.cloud.looking() as conn:
        query = "SELECT coupon_id, edge_id, plate FROM coupon WHERE state = 'BOUND' ORDER BY coupon_id"
        out = [tuple(row) for row in conn.execute(query)]
    if not out:
        return
    coupon_id, edge, before = world.rng.choice(out)
    after = world.rng.choice([plate for plate in PLATES if plate != before])
    in_cloud(world, lambda conn, act: coupons.rebind(conn, act, coupon_id, after, "other car", None))
    if world.rng.randrange(2):
        ask_to_leave(world, world.edges[edge], world.rng.choice((before, after)))


def paid_coupon_withdrawn(world: World) -> None:
    """A car pays what its coupon left, and its merchant takes the coupon back before it drives out."""
    node = any_edge(world)
    with node.looking() as conn:
        query = "SELECT stay_id, key FROM stay JOIN channel_row USING (plate) WHERE channel = 'coupons'"
        held = [tuple(row) for row in conn.execute(f"{query} AND state = 'open' ORDER BY stay_id, key")]
    if not held:
        return
    stay_id, coupon_id = world.rng.choice(held)
    pay(world, node, stay_id)
    in_cloud(world, lambda conn, act: coupons.void(conn, act, coupon_id, "no guest of ours"))


def paid_car_goes(world: World) -> None:
    """A car that has paid drives to the exit."""
    node = any_edge(world)
    with node.looking() as conn:
        query = "SELECT plate FROM stay WHERE state = 'open' AND settled_boot IS NOT NULL ORDER BY stay_id"
        paid = [row[0] for row in conn.execute(query)]
    if paid:
        ask_to_leave(world, node, world.rng.choice(paid))


def exit_undone(world: World) -> None:
    """A stay was ended by mistake: all its end did is taken back, and its papers may be used once more."""
    node = any_edge(world)
    with node.looking() as conn:
        ended = [row[0] for row in conn.execute("SELECT stay_id FROM stay WHERE state = 'closed' ORDER BY stay_id")]
    if ended:
        stay_id = world.rng.choice(ended[-3:])
        node.act(lambda lot, now: reopening.reopen(node.db, lot, stay_id, "li", "supervisor", "misread", now))


def plate_mended(world: World) -> None:
    """The attendant gives a car inside another plate."""
    node, plate = any_edge(world), world.rng.choice(PLATES)
    inside = open_stay(world, node)
    if inside is not None:
        node.asked.setdefault(plate, []).extend(node.asked.get(inside[1], []))
        node.act(lambda _, now: manual.correct_plate(node.db, inside[0], plate, "li", now))


def coupon_set_aside(world: World) -> None:
    """The driver wants to keep a coupon, or to use it after all."""
    node = any_edge(world)
    inside = open_stay(world, node)
    if inside is None:
        return
    with node.looking() as conn:
        stay = stays.get(conn, inside[0])
        held = [row[0] for row in conn.execute("SELECT key FROM channel_row WHERE channel = 'coupons' ORDER BY key")]
    if stay is None or not held:
        return
    put = world.rng.choice((redeeming.set_aside, redeeming.put_back))
    ref = world.rng.choice(held)
    node.act(lambda lot, now: put(node.db, lot, stay.stay_id, ref, "li", now))


def change(world: World) -> None:
    """Now and then somebody does; the acts that money hangs on more often than others."""
    acts = (
        coupon_to_a_car, coupon_moved, paid_coupon_withdrawn, paid_coupon_withdrawn, paid_car_goes, paid_car_goes,
        exit_undone, plate_mended, coupon_set_aside,
    )  # fmt: skip
    if world.rng.randrange(2):
        world.rng.choice(acts)(world)
