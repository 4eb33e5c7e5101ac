"""The code of one coupon that a driver claims: what its QR holds, and the text within it (S1.29, S1.34, S1.44).

80 random bits: nobody finds one by trying. The text begins with ``LC1``, so that a lane's scanner can say what it is.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

from domain.ids import CROCKFORD, crockford_encode
from domain.scanned import CLAIM_PREFIX

RANDOM_BYTES: Final = 10
BOOTH_ASK: Final = "booth-claim"  # what an edge signs when it claims a code for a car at its booth
BOOTH_PATH: Final = "/api/claims/booth"
_CODE: Final = re.compile(f"{CLAIM_PREFIX}[{CROCKFORD}]{{16}}")


def write_code(random: bytes) -> str:
    """The code for ten random bytes. Raises ValueError for any other number of them."""
    if len(random) != RANDOM_BYTES:
        raise ValueError(f"a claim code takes {RANDOM_BYTES} random bytes")
    return CLAIM_PREFIX + crockford_encode(random)


def read_code(text: str) -> str | None:
    """The code in *text*, in capitals whatever a phone made of them; None when it is none."""
    code = text.strip().upper()
    return code if _CODE.fullmatch(code) else None


def claim_url(base: str, code: str) -> str:
    """What the QR holds: the cloud's address in capitals, which makes the picture smaller, and the code."""
    parts = urlsplit(base.rstrip("/"))
    plain = base.rstrip("/").upper() if not parts.path else base.rstrip("/")
    return f"{plain}/C/{code}"
