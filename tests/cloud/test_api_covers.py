"""Every act of a page of operator or merchant is a call, or docs/cloud.md says why not (docs/decisions/0044)."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from cloud.api.routes import OPERATIONS
from cloud.web.doors import DOORS, Open

DOCS: Final = Path(__file__).resolve().parents[2] / "docs" / "cloud.md"
CALLS: Final[dict[str, tuple[str, ...]]] = {
    "/admin/hooks": ("create_hook",),
    "/admin/hooks/{hook_id}/switch": ("switch_hook",),
    "/admin/hooks/{hook_id}/ping": ("ping_hook",),
    "/admin/hooks/{hook_id}/again": ("send_again",),
    "/admin/lots/new": ("create_lot",),
    "/admin/lots/{lot}/lanes/{lane}/open": ("open_barrier",),
    "/admin/lots/{lot}/slips": ("set_slip_layout", "drop_slip_layout"),
    "/admin/incidents/close": ("close_incident",),
    "/admin/edges": ("create_edge",),
    "/admin/edges/claim": ("renew_claim",),
    "/admin/edges/replace": ("replace_edge",),
    "/admin/edges/revoke": ("revoke_edge",),
    "/admin/merchants/new": ("create_merchant",),
    "/admin/merchants/{merchant_id}/enabled": ("enable_merchant",),
    "/admin/merchants/{merchant_id}/password": ("reset_password",),
    "/admin/merchants/{merchant_id}/remark": ("set_remark",),
    "/admin/merchants/{merchant_id}/low": ("set_low",),
    "/m/low": ("set_low",),
    "/admin/merchants/{merchant_id}/branches/members": ("admit_member",),
    "/admin/merchants/{merchant_id}/branches/members/dismiss": ("dismiss_member",),
    "/admin/merchants/{merchant_id}/branches/members/password": ("reset_branch_password",),
    "/admin/merchants/{merchant_id}/branches/{branch_id}/logins": ("create_branch_login",),
    "/admin/people/new": ("add_person",),
    "/admin/people/{number}": ("change_person",),
    "/admin/people/{number}/end": ("end_person",),
    "/admin/people/blocked": ("block_plate",),
    "/admin/people/blocked/{number}/end": ("unblock_plate",),
    "/admin/coupons/limits": ("set_lot_limits", "set_merchant_limits", "set_template_limits"),
    "/admin/coupons/plates": ("block_coupon_plate",),
    "/admin/coupons/plates/{number}/end": ("unblock_coupon_plate",),
    "/admin/booth-people": ("add_booth_person",),
    "/admin/booth-people/{person}/pin": ("reset_pin",),
    "/admin/booth-people/{person}/end": ("end_booth_person",),
    "/admin/events/rerun": ("rerun_events",),
    "/admin/people/passes": ("set_pass_price",),
    "/admin/people/{number}/extend": ("extend_pass",),
    "/admin/payments/days": ("make_day",),
    "/admin/payments/days/differences": ("close_day_difference",),
    "/admin/payments/accounts": ("assign_pay_account",),
    "/admin/payments/differences": ("close_bill_difference",),
    "/admin/payments/invoices/{invoice}": ("issue_invoice", "refuse_invoice", "reverse_invoice"),
    "/admin/payments/payouts/{payout}/handed": ("hand_over_payout",),
    "/admin/payments/payouts/{payout}/back": ("take_back_payout",),
    "/admin/payments/{order}/refund": ("refund_order",),
    "/admin/payments/{order}/again": ("send_refund_again",),
    "/admin/merchants/{merchant_id}/settlement": ("settle_merchant",),
    "/admin/merchants/{merchant_id}/top-up": ("top_up",),
    "/admin/merchants/{merchant_id}/correct": ("correct_top_up",),
    "/admin/merchants/{merchant_id}/refund": ("refund",),
    "/admin/merchants/{merchant_id}/contract": ("set_contract",),
    "/admin/merchants/{merchant_id}/contract/end": ("end_service",),
    "/admin/merchants/{merchant_id}/credit": ("set_credit",),
    "/admin/merchants/{merchant_id}/statements": ("make_statement",),
    "/admin/statements/{statement_id}/say": ("say_to_statement",),
    "/admin/statements/{statement_id}/correct": ("correct_statement",),
    "/admin/statements/{statement_id}/pay": ("pay_statement",),
    "/admin/leases/call-back": ("call_back_lease",),
    "/admin/merchants/{merchant_id}/branches": ("add_branch",),
    "/admin/merchants/{merchant_id}/branches/{branch_id}": ("limit_branch",),
    "/admin/merchants/{merchant_id}/branches/{branch_id}/fill": ("fill_branch",),
    "/admin/shop": ("offer_product",),
    "/admin/shop/{product_id}/withdraw": ("withdraw_product",),
    "/admin/shop/purchases/{purchase_id}/paid": ("settle_purchase",),
    "/admin/shop/purchases/{purchase_id}/refund": ("refund_purchase",),
    "/admin/merchants/{merchant_id}/templates": ("create_template",),
    "/admin/merchants/{merchant_id}/templates/delete": ("delete_template",),
    "/admin/coupons/issue": ("issue_coupon",),
    "/admin/coupons/void": ("void_coupon",),
    "/admin/coupons/{coupon_id}/rebind": ("rebind_coupon",),
    "/admin/coupons/{coupon_id}/driver": ("tell_driver",),
    "/admin/merchants/{merchant_id}/posters": ("put_up_poster",),
    "/admin/merchants/{merchant_id}/posters/down": ("take_down_poster",),
    "/m/issue": ("issue_coupon",),
    "/m/posters": ("put_up_poster",),
    "/m/posters/down": ("take_down_poster",),
    "/m/codes": ("show_code",),
    "/m/codes/{batch}/fresh": ("refresh_code",),
    "/m/codes/{batch}/close": ("close_batch",),
    "/m/print": ("print_papers",),
    "/m/print/lot": ("print_at_lot",),
    "/m/print/{batch}/close": ("close_batch",),
    "/m/templates": ("create_template",),
    "/m/templates/delete": ("delete_template",),
    "/m/records/{coupon_id}/rebind": ("rebind_coupon",),
    "/m/records/{coupon_id}/driver": ("tell_driver",),
    "/m/records/void": ("void_coupon",),
    "/m/staff": ("create_staff",),
    "/m/staff/{user_id}/limits": ("limit_staff",),
    "/m/staff/{user_id}/enabled": ("enable_staff",),
    "/m/staff/{user_id}/password": ("reset_staff_password",),
    "/m/top-up": ("order_top_up",),
    "/m/invoices/{at_office}": ("ask_for_office_invoice",),
    "/m/shop/{product_id}": ("buy",),
    "/m/statements/{statement_id}/say": ("say_to_statement",),
}
"""The calls that do what a page's form does, by the form's address."""


def _acts() -> set[str]:
    """Forms of pages somebody signs in for."""
    return {
        route.removeprefix("POST ")
        for route, door in DOORS.items()
        if route.startswith("POST ") and door not in (Open.ANYONE, Open.KEY)
    }


def _reasons() -> dict[str, str]:
    """Acts that docs/cloud.md keeps from programs, and why."""
    text = DOCS.read_text(encoding="utf-8")
    table = text[text.index("<!-- not called -->") : text.index("<!-- /not called -->")]
    rows = [line.split("|")[1:3] for line in table.splitlines() if line.startswith("| `")]
    return {path: why.strip() for acts, why in rows for path in re.findall(r"`POST ([^`]+)`", acts)}


def test_every_act_of_a_page_is_a_call_or_has_its_reason_in_the_docs() -> None:
    undecided = sorted(_acts() - CALLS.keys() - _reasons().keys())

    assert undecided == [], (
        "add a call to cloud/api and name it here, or say in docs/cloud.md (what no call does) why there is none"
    )


def test_nothing_is_both_and_no_reason_or_call_is_of_an_act_that_is_gone() -> None:
    reasons = _reasons()

    assert sorted(CALLS.keys() & reasons.keys()) == []
    assert sorted((CALLS.keys() | reasons.keys()) - _acts()) == []
    assert all(len(why) > 20 for why in reasons.values())


def test_the_calls_named_are_there_and_serve_merchants_where_the_page_is_theirs() -> None:
    known = {operation.name: operation for operation in OPERATIONS}

    for path, names in CALLS.items():
        for name in names:
            assert name in known, path
            assert known[name].method != "GET", path
            assert known[name].for_merchants or not path.startswith("/m/"), path


def test_every_call_of_a_money_page_takes_an_idempotency_key() -> None:
    known = {operation.name: operation for operation in OPERATIONS}
    of_money = {name for path, names in CALLS.items() if DOORS[f"POST {path}"] == "money" for name in names}

    assert sorted(name for name in of_money if not known[name].moves_money) == []
