"""Asking the cloud over HTTPS while somebody waits: one question, signed with this device's key."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from domain.voucher import Sign
from domain.wire import Json, signed
from edge.trust import trust_of_cloud

log = logging.getLogger(__name__)

ANSWER_S = 8.0


class NotAskedError(Exception):
    """The question never went out."""


class NoAnswerError(Exception):
    """It went out, and what came of it is not known."""


@dataclass(frozen=True, slots=True)
class CloudLine:
    """Where the cloud is and whose key signs; *link_state* says whether its line is up."""

    edge: str
    url_file: Path
    ca: Path | None
    sign: Sign
    link_state: Callable[[], str]

    @property
    def is_open(self) -> bool:
        """Is there a line, so that it can be asked?"""
        return self.link_state() == "online" and self.url_file.exists()

    async def ask(self, path: str, purpose: str, body: Json) -> Json:
        """The answer to *body* at *path*. Raises NotAskedError and NoAnswerError."""
        message = signed(purpose, self.edge, {"edge_id": self.edge, **body}, self.sign)
        try:
            url = self.url_file.read_text(encoding="utf-8").strip().rstrip("/")
            trust = trust_of_cloud(self.ca)
        except OSError as exc:
            log.warning("the cloud cannot be asked: %s", exc)
            raise NotAskedError from exc
        try:
            async with (
                aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=ANSWER_S)) as session,
                session.post(f"{url}{path}", json=message, ssl=trust) as answer,
            ):
                answer.raise_for_status()
                said = await answer.json()
        except aiohttp.ClientConnectorError as exc:
            log.info("the cloud was not reached: %s", exc)
            raise NotAskedError from exc
        except (aiohttp.ClientError, TimeoutError, ValueError) as exc:
            log.warning("the cloud did not answer %s: %s", path, type(exc).__name__)
            raise NoAnswerError from exc
        if not isinstance(said, dict):
            raise NoAnswerError
        return said
