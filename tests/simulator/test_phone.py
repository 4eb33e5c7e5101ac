"""Worlds in which phones pay: duplicates, lost and late messages, crashes, and the money is right all the same."""

from __future__ import annotations

from unittest.mock import patch

import pytest

from tests.simulator.checks_phone import PROMISE
from tests.simulator.play import play
from tests.simulator.violations import ViolationError

pytestmark = pytest.mark.simulator

WORLDS = 8
FAULTS = {
    "digits_do_not_stand_for_a_payment": ("edge.services.phone_paying._stood_for", lambda *_: None),
    "nothing_goes_back": ("cloud.payments.refunds.part_by_itself", lambda *_: None),
    "booked_payments_stay_on_the_list": ("cloud.fees.service.booked", lambda *_: None),
}


def test_every_fen_a_phone_paid_is_used_once_or_goes_back_once() -> None:
    _play_all(range(1, WORLDS + 1))


@pytest.mark.parametrize("name", sorted(FAULTS))
def test_a_fault_with_phones_money_is_caught(name: str) -> None:
    place, instead = FAULTS[name]
    with patch(place, instead), pytest.raises(ViolationError) as caught:
        _play_all(range(1, 300))

    assert caught.value.promise == PROMISE


def _play_all(seeds: range) -> None:
    for seed in seeds:
        play(seed, phones=True)
