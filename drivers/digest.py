"""HTTP Digest (RFC 7616, and RFC 2069 where a device leaves ``qop`` out) as a server checks it. MD5 and SHA-256."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, field

REALM = "lotgate"
LONGEST = 2048
NONCES = 64  # handed out and still good
_FIELD = re.compile(r'(\w+)\s*=\s*(?:"([^"]*)"|([^\s,"]+))')
_HASHES = {"": "md5", "md5": "md5", "sha-256": "sha256"}


@dataclass(slots=True)
class DigestCheck:
    """Whether a request knows the login. *empty*: also where realm and nonce are empty, as some cameras send them."""

    user: str
    password: str = field(repr=False)
    empty: bool = False
    _nonces: list[str] = field(default_factory=list)

    def challenge(self) -> str:
        """A ``WWW-Authenticate`` value with a fresh nonce."""
        nonce = secrets.token_hex(16)
        self.know(nonce)
        return challenge(nonce)

    def know(self, nonce: str) -> None:
        """Take a nonce that was handed out for several logins behind one address."""
        self._nonces.append(nonce)
        del self._nonces[:-NONCES]

    def accepts(self, method: str, target: str, header: str) -> bool:
        """True when *header* (``Authorization``) proves the login for this request."""
        scheme, _, rest = header[:LONGEST].partition(" ")
        if scheme.lower() != "digest":
            return False
        said = {name.lower(): quoted or plain for name, quoted, plain in _FIELD.findall(rest)}
        nonce, realm = said.get("nonce", ""), said.get("realm", "")
        known = nonce in self._nonces and realm == REALM
        if not (known or (self.empty and not nonce and not realm)):
            return False
        if said.get("username") != self.user or said.get("uri") != target:
            return False
        name = _HASHES.get(said.get("algorithm", "").lower())
        return name is not None and hmac.compare_digest(
            said.get("response", "").encode(), response(said, method, self.password, name).encode()
        )


def challenge(nonce: str) -> str:
    """A ``WWW-Authenticate`` value that asks for a proof over *nonce*."""
    return f'Digest realm="{REALM}", qop="auth", nonce="{nonce}", algorithm=MD5'


def response(said: dict[str, str], method: str, password: str, name: str = "md5") -> str:
    """The proof that belongs to the other fields of an ``Authorization`` header."""

    def digest(text: str) -> str:
        return hashlib.new(name, text.encode(), usedforsecurity=False).hexdigest()

    login = digest(f"{said.get('username', '')}:{said.get('realm', '')}:{password}")
    request = digest(f"{method}:{said.get('uri', '')}")
    nonce, qop = said.get("nonce", ""), said.get("qop", "")
    if not qop:
        return digest(f"{login}:{nonce}:{request}")
    return digest(f"{login}:{nonce}:{said.get('nc', '')}:{said.get('cnonce', '')}:{qop}:{request}")
