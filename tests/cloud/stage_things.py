"""One of everything a tenant may have, by the names that paths and forms use: for tests that try every way in."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, Connection, Table, Text, func, insert, select, update

from cloud.access import staff
from cloud.access.staff import Daily
from cloud.act import Refused
from cloud.booth import people as booth_people
from cloud.booth.tables import booth_shift
from cloud.coupons import codes, plates, posters
from cloud.lots import incidents
from cloud.lots.tables import debt as debt_table
from cloud.lots.tables import debt_move
from cloud.members import blocking, extending
from cloud.members import service as people
from cloud.members.tables import booth_visitor, excused_stay
from cloud.members.terms import Terms
from cloud.merchants import branches, leases
from cloud.merchants.branches import Plan
from cloud.payments import accounts
from cloud.payments.orders import Wanted, open_order
from cloud.payments.tables import pay_bill, pay_difference, pay_invoice, pay_order, pay_refund, pay_try
from cloud.reconciling.tables import day_difference, lot_day
from cloud.shop import buying, products
from cloud.shop.products import Product
from domain.coupon.limits import Limits
from domain.entitlement import Grant
from domain.ledger import Commodity
from plumbing.sealing import SealKey
from plumbing.signing import PrivateKey
from tests.cloud.world import World


def one_of_everything(world: World, plate: str, name: str) -> dict[str, str]:
    """What *world*'s merchant and operator have beside a coupon and a statement."""
    merchants = _of_coupons(world, plate, name) | _of_the_merchant(world, name) | _of_the_shop(world, name)
    return merchants | _of_money(world, name) | _of_people(world, plate, name) | _of_lots(world, plate, name)


def _of_coupons(world: World, plate: str, name: str) -> dict[str, str]:
    conn, act, merchant_id = world.conn, world.act(), world.merchant_id
    spare = world.template(value=100)
    batch = codes.print_papers(conn, act, merchant_id, spare, 0, 2, world.lot_id)
    assert isinstance(batch, str), batch
    poster = posters.put_up(conn, act, merchant_id, spare, world.lot_id, name, Limits(per_day=1))
    assert isinstance(poster, int), poster
    blocked = plates.block(conn, act, plate, name)
    assert isinstance(blocked, int), blocked
    return {"batch_id": batch, "batch": batch, "poster_id": str(poster), "blocked_id": str(blocked)}


def _of_the_merchant(world: World, name: str) -> dict[str, str]:
    conn, act, merchant_id = world.conn, world.act(), world.merchant_id
    branch = branches.add(conn, act, merchant_id, Plan(name, own_purse=True))
    assert isinstance(branch, int), branch
    assert branches.fill(conn, act, branch, Commodity.FEN, 300) is None
    member = branches.new_login(conn, act, branch, name, "x")
    assert isinstance(member, str), member
    account = staff.create(conn, act, merchant_id, f"m{merchant_id}", name, "x", Daily(5))
    assert not isinstance(account, Refused), account
    person = staff.listed(conn, world.operator_id, merchant_id)[-1]
    lease = leases.grant(conn, act, world.edge_id, merchant_id, Commodity.FEN, leases.Terms(100))
    assert isinstance(lease, int), lease
    return {"branch_id": str(branch), "user_id": str(person["user_id"]), "login": member, "lease_id": str(lease)}


def _of_the_shop(world: World, name: str) -> dict[str, str]:
    conn, act, purchases = world.conn, world.act(), []
    product = products.offer(conn, act, Product(name, "AMOUNT", 100, 90, 0, 12))
    assert isinstance(product, int), product
    for _ in range(2):
        order = buying.order_to_pay(conn, act, world.merchant_id, product, 3)
        assert not isinstance(order, Refused), order
        purchases.append(order.subject.removeprefix("purchase:"))
    assert buying.settle_here(conn, act, int(purchases[0])) is None
    return {"product_id": str(product), "purchase_id": purchases[0], "waiting": purchases[1]}


def _of_money(world: World, name: str) -> dict[str, str]:
    """An order paid and its failed refund, an invoice, a bill and a day, each with a difference."""
    conn, act, own = world.conn, world.act(), {"operator_id": world.operator_id}
    wanted = Wanted("topup", f"merchant:{world.merchant_id}", 900, name, act.now_ms, merchant_id=world.merchant_id)
    order = open_order(conn, act, wanted)
    accounts.keep(conn, act, {f"pay-{world.merchant_id}": "wechat"})
    account = accounts.accounts(conn, world.operator_id)[-1]["account_id"]
    at, number = {"order_id": order.order_id, **own}, f"n{world.merchant_id}"
    done = {"state": "paid", "fulfilment": "done", "paid_ms": act.now_ms}
    conn.execute(update(pay_order).where(pay_order.c.order_id == order.order_id).values(**done))
    _put(conn, pay_try, **at, number=number, account_id=account, state="paid", way="qr", amount_fen=900, paid_fen=900)
    failed = f"r{world.merchant_id}"
    _put(
        conn,
        pay_refund,
        **at,
        number=number,
        refund_id=failed,
        amount_fen=100,
        cause="person",
        state="failed",
        reason=name,
    )
    invoice = act.uuid()
    _put(conn, pay_invoice, **at, invoice_id=invoice, live=order.order_id, title=name, state="requested")
    day = {"day": "2026-01-31", **own}
    _put(conn, pay_bill, **day, account_id=account)
    _put(conn, pay_difference, **day, account_id=account, number=number, kind="not_ours")
    kept = {"lot_id": world.lot_id, "day": f"2026-01-{world.merchant_id:02}", **own}
    _put(conn, lot_day, **kept, sums="{}")
    _put(conn, day_difference, **kept, kind="stay_sum", subject=name)
    difference = conn.execute(select(func.max(day_difference.c.difference_id))).scalar_one()
    told = {"order_id": order.order_id, "refund_id": failed, "invoice_id": invoice, "number": number}
    return {**told, "difference_id": str(difference), "order": order.order_id, "invoice": invoice}


def _of_people(world: World, plate: str, name: str) -> dict[str, str]:
    conn, act, box = world.conn, world.act(), SealKey.of(PrivateKey.generate())
    terms = Terms(Grant.MONTHLY, name, (plate,), ((world.lot_id, ""),), ends_ms=act.now_ms + 86_400_000)
    person = people.add(conn, act, terms)
    assert isinstance(person, int), person
    block = blocking.block(conn, act, plate, name)
    assert isinstance(block, int), block
    assert extending.set_price(conn, act, world.lot_id, 30_000) is None
    booth = booth_people.add(conn, act, box, name, "attendant", None, "x")
    assert isinstance(booth, int), booth
    of = {"operator_id": world.operator_id, "lot_id": world.lot_id, "edge_id": world.edge_id}
    _put(conn, booth_visitor, **of, visitor_id=f"v{world.merchant_id}", plate=plate, host=name, ends_ms=act.now_ms)
    _put(conn, excused_stay, **of, stay_id=f"e{world.merchant_id}", plate=plate, why="waived", detail=name)
    shift = f"s{world.merchant_id}"
    _put(conn, booth_shift, **of, shift_id=shift, opened_by=name, opened_ms=act.now_ms)
    ids = {"person_id": str(person), "block_id": str(block), "booth_person_id": str(booth), "shift_id": shift}
    return {**ids, "number": str(person), "person": str(booth), "shift": shift}


def _of_lots(world: World, plate: str, name: str) -> dict[str, str]:
    conn, of = world.conn, {"operator_id": world.operator_id, "lot_id": world.lot_id}
    debt = f"d{world.merchant_id}"
    _put(conn, debt_table, **of, debt_id=debt, plate=plate, owed_fen=700)
    _put(conn, debt_move, **of, move_id=f"m{world.merchant_id}", debt_id=debt, kind="paid", amount_fen=200, reason=name)
    incident = f"incident:{world.merchant_id}"
    incidents.raise_incident(conn, world.operator_id, incident, "lane_fault", name, world.now_ms, lot_id=world.lot_id)
    return {"debt_id": debt, "debt": debt, "incident_id": incident}


def _put(conn: Connection, table: Table, **known: object) -> None:
    """A row of *table*; what is not known is 0 or empty."""
    needed = [column for column in table.c if not column.nullable and not _numbers_itself(column)]
    plain = {column.name: "" if isinstance(column.type, Text) else 0 for column in needed}
    conn.execute(insert(table).values(plain | known))


def _numbers_itself(column: Column[Any]) -> bool:
    alone = len(column.table.primary_key.columns) == 1
    return column.primary_key and alone and not isinstance(column.type, Text)
