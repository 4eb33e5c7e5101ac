"""Write docs/events.md from the code: every event type with version, priority, fields and ledger legs.

``python scripts/events_doc.py`` writes it, ``--check`` exits 1 when it is stale.
"""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

from domain.events import TYPES, Event

PAGE = Path(__file__).parent.parent / "docs" / "events.md"
HEAD = """# Events

Everything an edge reports to the cloud, made from `domain/events.py` by `scripts/events_doc.py`.
Each event is one line of the lot's log; `docs/sync.md` tells how it travels. Priorities: P0 money, barrier and audit,
P1 passages, P2 telemetry. Money is whole fen and its field ends in `_fen`. A leg moves an amount between two accounts
of a merchant's books in the transaction that applies the event.

| event | v | priority | what happened |
|---|---|---|---|
"""


def _first_sentence(cls: type[Event]) -> str:
    return " ".join((cls.__doc__ or "").split("\n\n")[0].split())


def page() -> str:
    """The whole page."""
    types = [TYPES[key] for key in sorted(TYPES)]
    lines = [f"| `{cls.TYPE}` | {cls.VERSION} | {cls.PRIORITY.name} | {_first_sentence(cls)} |" for cls in types]
    return HEAD + "\n".join(lines) + "\n\n## Fields\n" + "".join(_section(cls) for cls in types)


def _section(cls: type[Event]) -> str:
    fields = [f"`{field.name}` {field.type}" for field in dataclasses.fields(cls)]  # type: ignore[arg-type]
    legs = [f"- leg: `{leg.source}` → `{leg.target}`, {leg.amount}\n" for leg in cls.LEGS]
    return f"\n### `{cls.TYPE}` {cls.VERSION}\n\n{', '.join(fields)}\n" + ("\n" + "".join(legs) if legs else "")


def main() -> int:
    """Write or check the page."""
    if "--check" in sys.argv:
        return 0 if PAGE.read_text() == page() else 1
    PAGE.write_text(page())
    return 0


if __name__ == "__main__":
    sys.exit(main())
