"""What was acted on and who acted, in words, in files and, as ``named``, in every template."""

from __future__ import annotations

from collections.abc import Mapping

from plumbing.i18n import Texts


def subject(t: Texts, text: str, names: Mapping[str, str] | None = None) -> str:
    """``lease:7`` as its kind in words and its number or, where *names* tell it, its name."""
    kind, _, rest = text.partition(":")
    key = f"subject.{kind}"
    return f"{t(key)} {(names or {}).get(text, rest)}".strip() if t.catalogue.has(key) else text


def who(t: Texts, name: str) -> str:
    """A person's login, or in words which program or device did it by itself."""
    key = f"actor.{name}"
    return t(key) if t.catalogue.has(key) else subject(t, name) if ":" in name else name
