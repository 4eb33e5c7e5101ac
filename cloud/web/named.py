"""What was acted on and who acted, in words, for files; pages have ``parts.subject`` and ``parts.who`` for the same."""

from __future__ import annotations

from plumbing.i18n import Texts


def subject(t: Texts, text: str) -> str:
    """``lease:7`` as its kind in words and its number."""
    kind, _, rest = text.partition(":")
    key = f"subject.{kind}"
    return f"{t(key)} {rest}".strip() if t.catalogue.has(key) else text


def who(t: Texts, name: str) -> str:
    """A person's login, or in words which program or device did it by itself."""
    key = f"actor.{name}"
    return t(key) if t.catalogue.has(key) else subject(t, name) if ":" in name else name
