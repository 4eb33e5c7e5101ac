"""Passwords and PINs as Argon2id hashes (RFC 9106), computed off the event loop and few at a time.

One hash takes 64 MiB and a good part of a second on small machines, so a cap keeps a burst of logins from taking
the memory the lanes need.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import pairwise
from typing import ParamSpec, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

P = ParamSpec("P")
R = TypeVar("R")

AT_ONCE = 2
READABLE = "abcdefghjkmnpqrstuvwxyz23456789"  # no i l o 0 1: read aloud and typed by hand
MAX_LENGTH = 256  # longer input is refused unhashed


class Passwords:
    """Hashes and checks; safe to share between handlers. `close` at the end of the program."""

    def __init__(self, hasher: PasswordHasher | None = None, at_once: int = AT_ONCE) -> None:
        self._hasher = hasher or PasswordHasher()
        self._pool = ThreadPoolExecutor(at_once, thread_name_prefix="argon2")
        self._nobody = ""

    async def hash(self, secret: str) -> str:
        """The text to store for a password or PIN, parameters and salt included. Raises ValueError if too long."""
        _check_length(secret)
        return await self._in_pool(self.hash_blocking, secret)

    async def verify(self, stored: str | None, secret: str) -> bool:
        """Whether *secret* is the one; None (no such account) takes as long and is never right."""
        if len(secret) > MAX_LENGTH:
            return False
        if stored is None:
            self._nobody = self._nobody or await self._in_pool(self.hash_blocking, random_password())
            await self._in_pool(self.verify_blocking, self._nobody, secret)
            return False
        return await self._in_pool(self.verify_blocking, stored, secret)

    def hash_blocking(self, secret: str) -> str:
        """`hash` for command lines, on the caller's thread."""
        return self._hasher.hash(secret)

    def verify_blocking(self, stored: str, secret: str) -> bool:
        """`verify` for command lines, on the caller's thread."""
        try:
            return self._hasher.verify(stored, secret)
        except (VerificationError, InvalidHashError):
            return False

    def outdated(self, stored: str) -> bool:
        """True when *stored* was made with weaker parameters: hash again at the next successful login."""
        try:
            return self._hasher.check_needs_rehash(stored)
        except InvalidHashError:
            return True

    def close(self) -> None:
        """End the threads."""
        self._pool.shutdown(wait=True)

    async def _in_pool(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        return await asyncio.get_running_loop().run_in_executor(self._pool, partial(function, *args, **kwargs))


def random_password(groups: int = 4) -> str:
    """*groups* of four readable characters, about 5 bits each: ``k7mw-2qpe-zt9a-hx4c``."""
    return "-".join("".join(secrets.choice(READABLE) for _ in range(4)) for _ in range(groups))


def random_pin(digits: int = 6) -> str:
    """*digits* random digits, none of the easily guessed ones (one repeated digit, a run up or down)."""
    while True:
        pin = "".join(secrets.choice("0123456789") for _ in range(digits))
        if not weak_pin(pin):
            return pin


def weak_pin(pin: str) -> bool:
    """True for fewer than four digits, one digit repeated, or a run such as 123456 or 987654."""
    if len(pin) < 4 or not (pin.isascii() and pin.isdigit()):
        return True
    steps = {(int(after) - int(before)) % 10 for before, after in pairwise(pin)}
    return len(steps) == 1 and steps <= {0, 1, 9}


def _check_length(secret: str) -> None:
    if not secret or len(secret) > MAX_LENGTH:
        raise ValueError(f"a password has 1 to {MAX_LENGTH} characters")
