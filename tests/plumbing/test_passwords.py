from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator

import pytest
from argon2 import PasswordHasher

from plumbing.passwords import Passwords, random_password, random_pin, weak_pin

QUICK = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)


@pytest.fixture
def passwords() -> Iterator[Passwords]:
    made = Passwords(QUICK)
    yield made
    made.close()


async def test_only_the_right_password_opens(passwords: Passwords) -> None:
    stored = await passwords.hash("密码 k7mw")

    assert stored.startswith("$argon2id$")
    assert await passwords.verify(stored, "密码 k7mw")
    assert not await passwords.verify(stored, "密码 k7mW")
    assert not await passwords.verify("not a hash", "密码 k7mw")
    assert not await passwords.verify(stored, "x" * 257)


async def test_an_unknown_account_costs_a_check_and_never_opens(passwords: Passwords) -> None:
    checked: list[str] = []

    class Counting(Passwords):
        def verify_blocking(self, stored: str, secret: str) -> bool:
            checked.append(secret)
            return super().verify_blocking(stored, secret)

    counting = Counting(QUICK)

    assert not await counting.verify(None, "guess")

    assert checked == ["guess"]
    counting.close()


async def test_a_burst_of_logins_takes_the_memory_of_two() -> None:
    running, most, lock = 0, 0, threading.Lock()

    class Slow(Passwords):
        def hash_blocking(self, secret: str) -> str:
            nonlocal running, most
            with lock:
                running += 1
                most = max(most, running)
            time.sleep(0.01)
            with lock:
                running -= 1
            return secret

    slow = Slow(QUICK, at_once=2)

    await asyncio.gather(*(slow.hash("x") for _ in range(10)))

    assert most == 2
    slow.close()


def test_hashes_of_weaker_parameters_are_outdated(passwords: Passwords) -> None:
    assert not passwords.outdated(passwords.hash_blocking("x"))
    assert Passwords(PasswordHasher(time_cost=2, memory_cost=64, parallelism=1)).outdated(QUICK.hash("x"))
    assert passwords.outdated("plain text from before")


@pytest.mark.parametrize(
    ("pin", "weak"),
    [
        ("111111", True), ("123456", True), ("654321", True), ("890123", True), ("123", True), ("12a4", True),
        ("１２９４", True), ("135792", False), ("112233", False), ("4071", False),
    ],
)  # fmt: skip
def test_guessable_pins_are_weak(pin: str, weak: bool) -> None:
    assert weak_pin(pin) is weak


def test_made_secrets_are_readable_and_differ() -> None:
    made = {random_password() for _ in range(50)}

    assert len(made) == 50
    assert all(len(password) == 19 and not set(password) & set("ilo01") for password in made)
    assert all(len(random_pin()) == 6 and not weak_pin(random_pin()) for _ in range(50))
