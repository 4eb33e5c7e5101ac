"""The edge's certificate for the broker: renewed over the line from day 120 of its year on (sync §9)."""

from __future__ import annotations

import logging
import sqlite3
import time
from datetime import UTC, datetime

from domain.moment import Moment
from domain.wire import Json, text
from edge.settings import Broker
from plumbing.files import write_private
from plumbing.tls import ForeignCertificateError, TlsFiles, check_renewed, is_due, make_request

logger = logging.getLogger(__name__)

LOOK_EVERY_S = 3600.0


class Certificate:
    """What this edge shows the broker. The key stays; only a request travels, and a certificate travels back.

    A new certificate takes the old one's place on disk and is shown from the next connection on; until it ends the old
    one is good too.
    """

    def __init__(self, edge: str, broker: Broker) -> None:
        self._edge, self._broker = edge, broker
        self._looked_s = -LOOK_EVERY_S
        self._request = ""

    def wanted(self) -> Json:
        """``{"csr": PEM}`` when it is time to renew, else nothing; the disk is looked at once an hour."""
        now_s = time.monotonic()
        if now_s - self._looked_s >= LOOK_EVERY_S:
            self._looked_s, self._request = now_s, self._made()
        return {"csr": self._request} if self._request else {}

    def install(self, _conn: sqlite3.Connection, _now: Moment, body: Json) -> str:
        """The cloud's ``cert.install``. A command handler; a certificate that is not ours changes nothing."""
        broker, pem = self._broker, text(body, "pem").encode()
        if broker.ca is None or broker.certificate is None:
            return "no_certificate_here"
        try:
            check_renewed(pem, TlsFiles(broker.ca, broker.certificate, broker.key), self._edge)
            write_private(broker.certificate, pem, replace=True)
        except (ForeignCertificateError, OSError) as exc:
            logger.error("the new certificate was not installed: %s", exc)
            return "not_installed"
        self._looked_s, self._request = time.monotonic(), ""
        logger.info("a new certificate for the broker is in %s", broker.certificate)
        return "installed"

    def _made(self) -> str:
        broker = self._broker
        if broker.certificate is None or broker.key is None:
            return ""
        try:
            if not is_due(broker.certificate.read_bytes(), datetime.now(UTC)):
                return ""
            return make_request(broker.key, self._edge).decode()
        except (OSError, ValueError) as exc:
            logger.warning("the certificate for the broker cannot be renewed: %s", exc)
            return ""
