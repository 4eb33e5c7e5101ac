"""Why a code held before a scanner does not count, at a lane, in the booth or on a phone: one list, one sentence each.

The sentences stand under ``why`` in the shell's catalogue; a surface adds what its reader is to do.
"""

from __future__ import annotations

from typing import Final

from domain.voucher import Refusal

SCAN_REFUSALS: Final = (
    *Refusal,
    "voucher_used", "voucher_voided", "voucher_already_laid", "voucher_on_other_stay", "plate_gets_no_coupons",
    "other_merchant", "one_per_stay", "no_repeat", "daily_max", "all_taken", "all_taken_today", "claim_unknown",
    "claim_taken", "claim_withdrawn", "claim_expired", "claim_not_inside", "claim_other_lot", "claim_no_link",
    "claim_no_answer", "pass_not_ours", "not_a_payment_code", "no_link",
)  # fmt: skip
