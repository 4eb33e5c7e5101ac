"""What people do: cars come and go, attendants take cash, merchants print vouchers and give coupons."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Connection

from cloud.act import Act
from cloud.coupons import service as coupons
from cloud.coupons import sharing
from cloud.merchants import contracts, leases
from cloud.merchants import service as merchants
from cloud.sync.context import ApplyContext
from cloud.sync.inbox import rerun_parked
from domain.contract import Basis, Terms
from domain.decision import ExitInputs, PayFirst, Seen
from domain.ledger import Commodity
from domain.moment import Moment
from domain.stay import UnpaidCause
from edge.db import stays
from edge.services import issuing, manual, passages, paying, redeeming
from edge.services.entering import enter
from edge.services.issuing import Issued, Order
from edge.services.leaving import leave
from edge.services.lot import Arrival, Decided, Done, Lot
from tests.simulator.acts import act
from tests.simulator.acts_line import any_edge
from tests.simulator.crash import Point
from tests.simulator.nodes import MERCHANTS, OPERATOR, TEMPLATES, EdgeNode, lot_of
from tests.simulator.violations import ViolationError
from tests.simulator.world import World

T = TypeVar("T")

PLATES = ("京A11111", "沪B22222", "粤C33333", "苏D44444", "浙E55555", "川F66666", "湘G77777")


def arrival(world: World, node: EdgeNode, lane: str, plate: str) -> Arrival:
    """A car read well; now and then the camera sends an old record again."""
    number = next(node.reads) if world.rng.randrange(10) else 1
    return Arrival(lane, plate, plate, (Seen(f"r{number}", "cam", plate, plate, 96, "blue", live=True, trusted=True),))


def pulse(world: World, node: EdgeNode, decision_id: str) -> None:
    """The barrier is told to open. Only what is committed may do that, and only once (I22)."""
    node.pulses[decision_id] += 1
    with node.looking() as conn:
        committed = conn.execute("SELECT count(*) FROM pulse WHERE decision_id = ?", (decision_id,)).fetchone()[0]
    if node.pulses[decision_id] > 1 or not committed:
        raise ViolationError("I22", f"{node.name}: pulse {node.pulses[decision_id]} of decision {decision_id}")
    world.say(f"{node.name}: pulse {decision_id[-6:]}")


def cloud_act(world: World) -> Act:
    """Somebody does something in the cloud now."""
    return Act(OPERATOR, "admin", world.cloud.clock.now().wall_ms, world.rng.randbytes)


def in_cloud(world: World, work: Callable[[Connection, Act], T]) -> T | None:
    """One transaction of somebody in the cloud."""
    done = world.cloud.do(lambda conn: work(conn, cloud_act(world)))
    world.books.look(world)
    return done


def open_stay(world: World, node: EdgeNode) -> tuple[str, str] | None:
    """(stay id, plate) of a car inside."""
    with node.looking() as conn:
        rows = conn.execute("SELECT stay_id, plate FROM stay WHERE state = 'open' ORDER BY stay_id").fetchall()
    return tuple(world.rng.choice(rows)) if rows else None


@act(12)
def car_comes(world: World) -> None:
    """A car at the entry."""
    node = any_edge(world)
    with node.looking() as conn:
        outside = [plate for plate in PLATES if stays.find_open(conn, plate) is None]
    plate = world.rng.choice(outside if outside and world.rng.randrange(8) else PLATES)
    seen = arrival(world, node, "in", plate)
    decided = node.act(lambda lot, now: enter(node.db, lot, seen, now))
    if decided is None:
        return
    if decided.opens:
        pulse(world, node, decided.decision_id)
        _through(world, node, "in", decided.decision_id, plate)


@act(14)
def car_goes(world: World) -> None:
    """A car at the exit; if it must pay it may pay at once."""
    node = any_edge(world)
    inside = open_stay(world, node)
    plate = inside[1] if inside and world.rng.randrange(8) else world.rng.choice(PLATES)
    _leave(world, node, plate)


def _leave(world: World, node: EdgeNode, plate: str) -> None:
    decided = ask_to_leave(world, node, plate)
    if decided is not None and isinstance(decided.decision.verdict, PayFirst) and world.rng.randrange(3):
        pay(world, node, decided.stay_id)
        ask_to_leave(world, node, plate)


def ask_to_leave(world: World, node: EdgeNode, plate: str) -> Decided | None:
    """A car stands at the exit, and drives if it may."""
    seen = arrival(world, node, "out", plate)
    node.asked.setdefault(plate, []).append(world.true.ms)
    decided = node.act(lambda lot, now: leave(node.db, lot, seen, now))
    if decided is None:
        return None
    check_length(world, node, decided)
    if decided.opens:
        pulse(world, node, decided.decision_id)
        _through(world, node, "out", decided.decision_id, plate)
    return decided


def check_length(world: World, node: EdgeNode, decided: Decided) -> None:
    """Within one boot a stay's length is true, whatever the wall clock was set to (I20)."""
    inputs = decided.decision.inputs
    if not isinstance(inputs, ExitInputs) or inputs.stay is None:
        return
    with node.looking() as conn:
        row = stays.get(conn, decided.stay_id)
    if row is None:
        raise ViolationError("I20", f"{node.name}: a decision on a stay that is not there")
    if inputs.estimated:
        if row.entered.boot == node.clock.now().boot:
            raise ViolationError("I20", f"{node.name}: a length within one boot was estimated")
        longest = world.true.ms - node.clock.true_at(row.entered)
        if not world.traits.step_clock and inputs.length_ms > longest:
            raise ViolationError("I21", f"{node.name}: {inputs.length_ms} ms charged, {longest} ms inside")
        return
    entered = node.clock.true_at(row.entered)
    true_lengths = {at - entered for at in (world.true.ms, *node.asked[inputs.stay.plate])}
    if inputs.length_ms not in true_lengths:
        raise ViolationError("I20", f"{node.name}: {inputs.length_ms} ms inside, truly one of {sorted(true_lengths)}")


def _through(world: World, node: EdgeNode, lane: str, decision_id: str, plate: str) -> None:
    """What the car does with an open barrier: mostly it drives."""
    dice = world.rng.randrange(10)
    if dice < 7:
        node.act(lambda lot, now: passages.seen(node.db, lot, lane, decision_id, plate, now))
    elif dice < 8:
        node.act(lambda lot, now: passages.turned_back(node.db, lot, lane, decision_id, plate, now))


def pay(world: World, node: EdgeNode, stay_id: str) -> None:
    """Cash for what is due or a part of it; the attendant may tap twice."""
    payment_id = f"p{node.name}{next(world.numbers)}"
    taps = world.rng.choice((1, 1, 2))

    def take(lot: Lot, now: Moment) -> None:
        due = paying.due_of(node.conn, lot, stay_id, now)
        amount = due if world.rng.randrange(3) else max(1, due // 2)
        for _ in range(taps):
            paying.take_cash(node.db, lot, payment_id, stay_id, amount, "li", now)

    node.act(take)


@act(2)
def car_slips_out(world: World) -> None:
    """A car leaves behind another one, unpaid."""
    node = any_edge(world)
    inside = open_stay(world, node)
    if inside is not None:
        plate = inside[1]
        node.act(lambda lot, now: passages.unpaid(node.db, lot, "out", UnpaidCause.TAILGATE, plate, now))


@act(2)
def attendant_opens(world: World) -> None:
    """The barrier by hand, with a name and a reason."""
    node, plate = any_edge(world), world.rng.choice((*PLATES, ""))
    lane = world.rng.choice(("in", "out"))
    opened = node.act(lambda lot, now: manual.open_barrier(node.db, lot, lane, "li", "queue", plate, now))
    if isinstance(opened, Done):
        pulse(world, node, opened.subject)


@act(10)
def voucher_at_the_counter(world: World) -> None:
    """A merchant prints a voucher; the printer confirms, fails, keeps silent, or the power goes."""
    node, merchant_id = any_edge(world), world.rng.choice(MERCHANTS)
    order = Order(merchant_id, world.rng.choice(TEMPLATES[merchant_id]), "shop")
    if world.traits.crash and not world.rng.randrange(6):
        node.fuse.light(1, world.rng.choice((Point.BEFORE_COMMIT, Point.AFTER_COMMIT)))
    issued = node.act(lambda lot, now: issuing.issue(node.db, lot, order, now))
    if isinstance(issued, Issued):
        print_voucher(world, node, issued.payload.voucher_id, issued.token)


def print_voucher(world: World, node: EdgeNode, voucher_id: tuple[int, int], token: str) -> None:
    """Paper, and how the daemon hears of it. A counter goes to the printer once in its life (I13)."""
    node.to_printer(voucher_id)
    end = world.rng.choice(("confirmed", "confirmed", "failed", "unknown", "crash"))
    world.say(f"{node.name}: voucher {voucher_id} {end}")
    if end == "confirmed" or (end != "failed" and world.rng.randrange(2)):
        node.papers.append(token)
    if end == "crash":
        node.crash()
        return
    node.act(lambda _, now: issuing.printed(node.db, *voucher_id, end, now))


@act(16)
def voucher_at_the_exit(world: World) -> None:
    """A driver hands over a voucher, good, used before, another lot's or forged; the drivers behind may try it too."""
    node = any_edge(world)
    source = node if world.rng.randrange(6) else any_edge(world)
    if not source.papers:
        return
    token = source.papers[-1] if world.rng.randrange(2) else world.rng.choice(source.papers)
    if not world.rng.randrange(8):
        _hand_over(world, node, token[:-9] + ("0" if token[-9] != "0" else "1") + token[-8:], forged=True)
        return
    for _ in range(world.rng.choice((1, 2, 3))):
        _hand_over(world, node, token, forged=False)


def _hand_over(world: World, node: EdgeNode, token: str, *, forged: bool) -> None:
    inside = open_stay(world, node)
    if inside is None:
        return
    laid = node.act(lambda lot, now: redeeming.lay_voucher(node.db, lot, inside[0], token, "li", "out", now))
    if forged and isinstance(laid, redeeming.LaidOn):
        raise ViolationError("I12", f"{node.name}: a forged voucher was taken")
    if laid is not None and world.rng.randrange(4):
        _leave(world, node, inside[1])


@act(2)
def voucher_taken_back(world: World) -> None:
    """The booth withdraws a voucher, or takes a paper off a stay again."""
    node = any_edge(world)
    with node.looking() as conn:
        known = [tuple(row) for row in conn.execute("SELECT key_id, counter FROM voucher")]
        laid = [row[0] for row in conn.execute("SELECT ref FROM laid")]
    if laid and world.rng.randrange(2):
        ref = world.rng.choice(laid)
        node.act(lambda lot, now: redeeming.take_off(node.db, lot, ref, "li", now))
    elif known:
        key_id, counter = world.rng.choice(known)
        node.act(lambda _, now: issuing.void(node.db, key_id, counter, "li", "torn", now))


@act(8)
def leases_refilled(world: World) -> None:
    """The cloud's own job: lots that hold too little get a fresh lease, the old one is called back."""
    node = any_edge(world)
    in_cloud(world, lambda conn, act: sharing.refill(conn, act, node.name, leases.Terms(3_000, 72)))


@act(1)
def lease_called_back(world: World) -> None:
    """An administrator wants a lease closed."""
    with world.cloud.looking() as conn:
        active = [row[0] for row in conn.execute("SELECT lease_id FROM lease WHERE state = 'active'")]
    if active:
        lease_id = world.rng.choice(active)
        in_cloud(world, lambda conn, act: leases.call_back(conn, act, lease_id))


@act(2)
def merchant_pays_in_or_out(world: World) -> None:
    """Top-up or refund of a purse."""
    merchant_id, amount = world.rng.choice(MERCHANTS), world.rng.choice((1, 500, 4_000, 30_000))
    commodity = world.rng.choice((Commodity.FEN, Commodity.MIN))
    if world.rng.randrange(2):
        in_cloud(world, lambda conn, act: merchants.top_up(conn, act, merchant_id, commodity, amount, amount // 10, ""))
    else:
        in_cloud(world, lambda conn, act: merchants.refund(conn, act, merchant_id, commodity, amount, ""))


@act(1)
def merchant_switched(world: World) -> None:
    """A merchant is disabled or enabled, or gets other terms."""
    merchant_id, lot_id = world.rng.choice(MERCHANTS), lot_of(any_edge(world).name)
    enabled, percent = bool(world.rng.randrange(4)), world.rng.choice((0, 50, 99, 100))
    if world.rng.randrange(2):
        in_cloud(world, lambda conn, act: merchants.set_enabled(conn, act, merchant_id, enabled=enabled))
    else:
        basis = world.rng.choice((Basis.FACE, Basis.REDUCED))
        free = world.rng.choice((0, 0, 700))
        terms = Terms(basis, percent, basis, percent, 0, basis, percent, free_fen=free, free_min=free)
        in_cloud(world, lambda conn, act: contracts.set_contract(conn, act, merchant_id, lot_id, terms))


@act(6)
def coupon_to_a_car(world: World) -> None:
    """A merchant gives a coupon to a car inside, as far as the cloud knows."""
    merchant_id = world.rng.choice(MERCHANTS)
    template_id = world.rng.choice(TEMPLATES[merchant_id])
    with world.cloud.looking() as conn:
        inside = [row[0] for row in conn.execute("SELECT stay_id FROM stay WHERE left_ms IS NULL ORDER BY stay_id")]
    if inside:
        stay_id = world.rng.choice(inside)
        in_cloud(world, lambda conn, act: coupons.issue(conn, act, merchant_id, template_id, stay_id))


@act(4)
def coupon_withdrawn(world: World) -> None:
    """A merchant wants a coupon back while the lot may be using it."""
    with world.cloud.looking() as conn:
        query = "SELECT coupon_id, edge_id, stay_id FROM coupon WHERE state = 'BOUND' ORDER BY coupon_id"
        out = [tuple(row) for row in conn.execute(query)]
    if not out:
        return
    coupon_id, edge, stay_id = world.rng.choice(out)
    in_cloud(world, lambda conn, act: coupons.void(conn, act, coupon_id, "mistake"))
    node = world.edges[edge]
    with node.looking() as conn:
        stay = stays.get(conn, stay_id)
    if stay is not None and stay.is_open and world.rng.randrange(2):
        _leave(world, node, stay.plate)


@act(1)
def expiries_recorded(world: World) -> None:
    """The cloud's own job, its clock days ahead: cars inside may still leave with what it withdraws (E3)."""
    ahead_ms = 3 * 86_400_000

    def job(conn: Connection, act: Act) -> None:
        coupons.record_expiries(conn, OPERATOR, act.now_ms + ahead_ms)
        coupons.withdraw_expired(conn, OPERATOR, act.now_ms + ahead_ms)
        coupons.release_left(conn, OPERATOR, act.now_ms)
        coupons.release_papers_left(conn, OPERATOR, act.now_ms)

    in_cloud(world, job)


@act(3)
def papers_past_their_end(world: World) -> None:
    """The same of printed vouchers; somebody may be about to hand one over at its lot."""
    ahead_ms = 3 * 86_400_000
    node = any_edge(world)
    if not node.papers:
        return
    in_cloud(world, lambda conn, act: coupons.withdraw_papers(conn, OPERATOR, act.now_ms + ahead_ms))
    if world.rng.randrange(2):
        _hand_over(world, node, world.rng.choice(node.papers), forged=False)


@act(1)
def parked_events_run_again(world: World) -> None:
    """A person has the cloud try again what it set aside, before or after an upgrade (I16)."""
    node = any_edge(world)
    if world.rng.randrange(2):
        world.upgrade_cloud()
    ctx = ApplyContext(node.name, node.lot_id, OPERATOR, 1, world.cloud.clock.now().wall_ms)
    in_cloud(world, lambda conn, _: rerun_parked(conn, ctx, "admin"))
