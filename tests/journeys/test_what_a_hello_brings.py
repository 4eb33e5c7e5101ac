"""What comes of a hello beside the log: fresh leases, a self-test, a certificate, versions."""

from __future__ import annotations

from pathlib import Path
from unittest.mock import patch

from sqlalchemy import select

from cloud.lots.tables import edge as edge_table
from cloud.lots.tables import incident
from cloud.sync.agent import CloudAgent
from cloud.sync.commands import add_command
from domain.moment import Moment
from domain.sync.caps import newest_versions
from domain.wire import Json
from edge.db import leases
from edge.services.leases import HANDLERS
from edge.sync.agent import EdgeAgent
from plumbing.signing import PublicKey
from plumbing.tls import Authority, common_name, make_request
from tests.journeys.line import UTC, Line, at, states


def test_after_a_restart_the_first_answer_of_the_cloud_makes_leases_fresh(line: Line) -> None:
    body = {"lease_id": 7, "merchant_id": 1, "commodity": "FEN", "funds": "PAID", "granted": 5000, "spend_h": 2}
    with line.engine.begin() as conn:
        add_command(conn, 1, "e1", "lease.grant", body, 10)
    line.settle(line.edge.connected(at(10)), at(10))
    rebooted = Moment("b2", 5, UTC + 60_000)
    line.edge = line.new_edge()
    (held,) = leases.active(line.db.conn)
    before = held.is_fresh(rebooted)

    line.settle(line.edge.connected(rebooted), rebooted)

    (held,) = leases.active(line.db.conn)
    assert (before, held.is_fresh(rebooted)) == (False, True)
    assert not held.is_fresh(Moment("b2", 5 + 2 * 3_600_000 + 1, UTC))


def test_a_cloud_behind_its_edges_tells_people_once_and_goes_on(line: Line) -> None:
    newer = {**newest_versions(), "stay.closed": 2}
    with patch("domain.sync.caps.newest_versions", lambda: newer):
        hello = line.edge.connected(at(10))
    line.settle(hello, at(12))
    line.settle(hello, at(13))

    with line.engine.begin() as conn:
        found = conn.execute(select(incident.c.code, incident.c.detail)).all()
    assert [row.code for row in found] == ["cloud_outdated"]
    assert found[0].detail.startswith("stay.closed:")
    assert line.edge.in_session


def test_a_lot_is_active_once_its_self_test_names_nothing_and_says_so_at_once(line: Line) -> None:
    result: list[Json | None] = [None]
    verify, nonces = line.cloud_key.public, line.nonces
    line.edge = EdgeAgent(
        "e1", line.db, line.edge_key, verify, lambda: next(nonces), HANDLERS, (), lambda: {"test": result[0]}
    )

    def told() -> tuple[str, list[str]]:
        with line.engine.begin() as conn:
            codes = conn.execute(select(incident.c.code)).scalars().all()
            return conn.execute(select(edge_table.c.state)).scalar_one(), list(codes)

    line.settle(line.edge.connected(at(10)), at(12))
    assert told() == ("claimed", [])

    result[0] = {"failed": ["barrier out"]}
    line.settle(line.edge.tick(at(6_000)), at(6_010))
    assert told() == ("claimed", ["self_test_failed"])

    result[0] = {"failed": []}
    line.settle(line.edge.tick(at(12_000)), at(12_010))
    assert told() == ("active", ["self_test_failed"])
    assert line.edge.tick(at(20_000)) == []


def renewing(line: Line, tmp_path: Path) -> list[str]:
    """The edge asks for a certificate in its hello; returns what it was sent."""
    installed: list[str] = []

    def install(_conn: object, _now: Moment, body: Json) -> str:
        installed.append(body["pem"])
        return "installed"

    verify, nonces = line.cloud_key.public, line.nonces
    more: Json = {} if installed else {"csr": make_request(tmp_path / "edge.key", "e1").decode()}
    line.edge = EdgeAgent(
        "e1", line.db, line.edge_key, verify, lambda: next(nonces), {**HANDLERS, "cert.install": install}, (),
        lambda: more,
    )  # fmt: skip
    line.settle(line.edge.connected(at(10)), at(12))
    line.settle(
        line.edge.tick(at(400_000)), at(400_010)
    )  # the hello after five minutes asks again: once a day is enough
    return installed


def test_a_certificate_is_renewed_over_the_line_by_whoever_may_sign(line: Line, tmp_path: Path) -> None:
    authority = Authority.create(tmp_path)

    def issue(request: str, edge: str) -> str:
        return authority.issue_client(request.encode(), edge).decode()

    line.cloud = CloudAgent(line.cloud_key, PublicKey.from_raw, None, issue)

    (pem,) = renewing(line, tmp_path)

    assert common_name(pem.encode()) == "e1"
    assert states(line) == [("done", "installed")]


def test_where_the_cloud_may_not_sign_people_are_told(line: Line, tmp_path: Path) -> None:
    assert renewing(line, tmp_path) == []

    with line.engine.begin() as conn:
        assert [row.code for row in conn.execute(select(incident.c.code))] == ["certificate_due"]
