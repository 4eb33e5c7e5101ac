"""A shop's claim code (领取码) at the booth: the cloud ties its coupon to the car that is here.

The code is the cloud's, so this needs its line; the coupon itself comes down as every coupon does, a moment later.
"""

from __future__ import annotations

from domain.claim_code import BOOTH_ASK, BOOTH_PATH
from domain.decision import Refuse
from domain.scanned import recognise
from edge.db import stays
from edge.lanes.cloud_line import CloudLine, NoAnswerError, NotAskedError
from edge.lanes.office import Office
from edge.services.audit import record_act
from edge.services.limiting import Limited
from edge.services.lot import Done, Result


class ClaimDesk:
    """Claims codes for cars inside."""

    def __init__(self, office: Office, cloud: CloudLine) -> None:
        self._office, self._cloud = office, cloud

    async def claim(self, stay_id: str, scanned: str, by: str, mark: str) -> Result:
        """Tie the coupon of a code to a stay's car; *mark* said again is told the same. Done names the plate.

        Refuses ``no_open_stay``, ``claim_no_link``, ``claim_no_answer`` and what the cloud refuses.
        """
        stay = await self._office.read(stays.get, stay_id)
        if stay is None or not stay.is_open:
            return Refuse("no_open_stay")
        if not self._cloud.is_open:
            return Refuse("claim_no_link")
        code = recognise(scanned).token.upper()
        try:
            said = await self._cloud.ask(BOOTH_PATH, BOOTH_ASK, {"code": code, "plate": stay.plate, "mark": mark})
        except NotAskedError:
            return Refuse("claim_no_link")
        except NoAnswerError:
            return Refuse("claim_no_answer")
        why, facts = str(said.get("why", "")), said.get("facts")
        if why:
            return Limited(why, tuple(facts.items())) if isinstance(facts, dict) and facts else Refuse(why)
        done = await self._office.do(record_act, by, "coupon.claim", stay_id, code[-4:])
        return done if isinstance(done, Refuse) else Done(stay.plate)
