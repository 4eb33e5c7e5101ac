"""The cloud's ``fee.ask``: what a plate has to pay here, for a phone that is not at the lane.

Whoever types a plate learns what is due for it and nothing of when it came: no times, no places, no pictures.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

from domain.decision import Refuse
from domain.fee_quote import FeeQuote
from domain.moment import Moment
from domain.plate import normalise
from domain.wire import Json, canonical
from edge.db import stays
from edge.services import settling
from edge.services.lot import Lot
from edge.services.phone_quotes import quote_debts, quote_of_stay, seal_of, token_of
from edge.settings import Arrears
from plumbing.lanepage.fee_lines import Worded, summed

KIND = "fee.ask"
LONGEST_PLATE = 20

Handler = Callable[[sqlite3.Connection, Moment, Json], str]


def handler(lot: Lot, worded: Worded) -> Handler:
    """What answers the command: quotes for the car inside and for what its plate owes, each signed."""

    def answer(conn: sqlite3.Connection, now: Moment, body: Json) -> str:
        plate = normalise(str(body.get("plate", ""))[:LONGEST_PLATE])
        stay = stays.find_open(conn, plate)
        made = quote_of_stay(conn, lot, stay, now)
        said: Json = {"code": made.code if isinstance(made, Refuse) else ""}
        if isinstance(made, FeeQuote) and stay is not None:
            decision = settling.standing(conn, lot, stay, now)
            lines = summed(decision.explanation.get("lines", ()), worded)
            off = [[ref, fen] for ref, fen in decision.priced.off if fen] if decision.priced else []
            said |= {"quote": token_of(lot, made, seal_of(conn)), "lines": lines, "off": off}
        collected = isinstance(made, FeeQuote) and lot.rules.arrears is Arrears.COLLECT
        owed = Refuse("nothing_due") if collected else quote_debts(conn, lot, plate, now)
        if isinstance(owed, FeeQuote):
            said["debts"] = token_of(lot, owed, seal_of(conn))
        return canonical(said).decode()

    return answer
