"""The text that binds a new edge to its lot: whom to ask, whom to believe, and a secret good once (sync §9)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import parse_qs, urlencode, urlsplit

_HEX = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Claim:
    """*config_key_sha256* and *ca_sha256* (empty: public authorities) are pinned before anything is sent."""

    url: str
    edge_id: str
    config_key_sha256: str
    secret: str  # 128 bits, Crockford base32
    ca_sha256: str = ""


def write_claim(claim: Claim) -> str:
    """The claim as one line to paste: a link whose fragment no server ever sees."""
    pinned = {"e": claim.edge_id, "k": claim.config_key_sha256, "s": claim.secret}
    if claim.ca_sha256:
        pinned["c"] = claim.ca_sha256
    return f"{claim.url}#claim?{urlencode(pinned)}"


def read_claim(text: str) -> Claim:
    """Read ``write_claim``'s line. Raises ValueError saying what is wrong with it."""
    parts = urlsplit(text.strip())
    kind, _, fields = parts.fragment.partition("?")
    if parts.scheme not in {"http", "https"} or not parts.netloc or kind != "claim":
        raise ValueError("not a claim: it starts with http and has #claim? in it")
    values = {key: found[0] for key, found in parse_qs(fields).items()}
    claim = Claim(
        parts._replace(fragment="").geturl(),
        values.get("e", ""),
        values.get("k", ""),
        values.get("s", ""),
        values.get("c", ""),
    )
    if not claim.edge_id or not claim.secret or not _HEX.fullmatch(claim.config_key_sha256):
        raise ValueError("a claim that was cut short: copy all of it")
    if claim.ca_sha256 and not _HEX.fullmatch(claim.ca_sha256):
        raise ValueError("a claim whose authority fingerprint is damaged")
    return claim
