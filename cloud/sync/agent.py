"""The cloud's side of the protocol over its database, without sockets: messages in, messages out (sync §§3-5).

``received`` runs inside one transaction; what it returns may be published only after the commit (I7). Whichever
worker handles a message, the lock on the edge's cursor row keeps the order of its log.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, bindparam, select, update

from cloud.lots import edges as lot_edges
from cloud.lots.incidents import raise_incident
from cloud.sync import channels, commands
from cloud.sync.context import ApplyContext
from cloud.sync.flow import Flow
from cloud.sync.inbox import apply_events, hash_at, parked_events
from cloud.sync.salvage import apply_salvage
from cloud.sync.tables import edge_cursor
from domain.sync.batch import open_batch
from domain.sync.caps import Caps, open_caps, unreadable
from domain.sync.channel import CHANNELS, Kept, open_kept
from domain.sync.inbox import Apply, Cursor, Fork, Known, Nak, NewEpoch, judge, judge_hello
from domain.wire import (
    BadMessageError,
    Json,
    Sign,
    Verify,
    canonical,
    digest_bytes,
    is_genuine,
    signed,
    text,
    unpack,
    whole,
)
from plumbing.paper.profile import profiles_told

logger = logging.getLogger(__name__)

WINDOW = 8  # batches an edge may have in flight
SEND_AGAIN_MS = 10_000
ASK_MS = 60_000
DAY_MS = 86_400_000
INSTALL = "cert.install"
HeardKey = Callable[[Connection, int, str, bytes, int], None]  # (…, operator, edge, public key, now in ms)
Issue = Callable[[str, str], str]  # (request, edge) -> certificate, both PEM; raises BadMessageError
_CURSOR: Final = select(edge_cursor).where(edge_cursor.c.edge_id == bindparam("edge")).with_for_update()
_CAPS: Final = select(edge_cursor.c.caps).where(edge_cursor.c.edge_id == bindparam("edge"))
_APPLIED: Final = (
    update(edge_cursor)
    .where(edge_cursor.c.edge_id == bindparam("edge"))
    .values(seq=bindparam("last"), head=bindparam("hash"), seen_ms=bindparam("now"))
)
ASK_PURPOSE = b"lotgate-ask\x00"


@dataclass(frozen=True, slots=True)
class CursorRow:
    """How far an edge's log is applied, and who the edge is."""

    edge_id: str
    operator_id: int
    epoch: int
    seq: int
    head: bytes
    sid: str
    lot_id: int
    state: str
    public_key: bytes


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message for topic ``lg/v1/<edge>/dn/<kind>``."""

    edge: str
    kind: str
    message: Json
    expires_ms: int | None = None  # when it is no use any more


class CloudAgent:
    """Speaks to all edges. *verifier* turns an edge's public key into its check function; *issue* signs their
    certificate requests, where this cloud may; *heard_key* is told what an edge opens seals with."""

    def __init__(
        self, sign: Sign, verifier: Callable[[bytes], Verify], flow: Flow | None = None, issue: Issue | None = None,
        heard_key: HeardKey | None = None,
    ) -> None:  # fmt: skip
        self._sign, self._verifier, self._heard_key = sign, verifier, heard_key
        self._flow, self._issue = flow or Flow(0), issue
        self._sent: dict[tuple[str, str], tuple[int, int]] = {}  # (edge, channel or command) -> version, when

    def received(self, conn: Connection, edge: str, kind: str, payload: bytes, now_ms: int) -> list[Outgoing]:
        """Act on a message from topic ``up/<kind>`` of *edge*; forged or senseless ones change nothing."""
        try:
            message = unpack(payload)
            cursor = self._lock(conn, edge)
            verify = self._verifier(cursor.public_key)
            match kind:
                case "hello":
                    return self._on_hello(conn, cursor, message, verify, now_ms)
                case "ev":
                    return self._on_batch(conn, cursor, message, verify, now_ms)
                case "salvage":
                    return self._on_salvage(conn, cursor, message, verify, now_ms)
                case _:
                    raise BadMessageError("unknown kind")
        except BadMessageError as exc:
            logger.warning("message %s of edge %s dropped: %s", kind, edge, exc)
            return []

    def _lock(self, conn: Connection, edge: str) -> CursorRow:
        """The edge's cursor, locked until the transaction ends. Raises BadMessageError for a stranger."""
        row = conn.execute(_CURSOR, {"edge": edge}).one_or_none()
        known = lot_edges.identity(conn, edge)
        if row is None or known is None:
            raise BadMessageError("no such edge is known here")
        return CursorRow(
            row.edge_id, row.operator_id, row.epoch, row.seq, bytes(row.head), row.sid,
            known["lot_id"], known["state"], bytes(known["public_key"]),
        )  # fmt: skip

    def _on_hello(self, conn: Connection, at: CursorRow, message: Json, verify: Verify, now_ms: int) -> list[Outgoing]:
        edge = at.edge_id
        if not is_genuine("hello", edge, message, verify):
            raise BadMessageError("hello is not signed by this edge")
        epoch, seq = whole(message, "ep"), whole(message, "seq")
        why = judge_hello(_cursor(at), epoch, seq, digest_bytes(message, "hash"))
        nonce, sid = text(message, "nonce"), text(message, "sid")
        if why == "epoch" and epoch < at.epoch:
            return [self._down(edge, "res", {"what": "newepoch", "nonce": nonce, "ep": at.epoch})]
        if why == "behind" and (sid == at.sid or not self._is_answer(at.edge_id, sid, message.get("answer"), now_ms)):
            return [] if sid == at.sid else [self._ask(at.edge_id, sid, now_ms)]
        if why is not None:
            return self._refuse(conn, at, why, {"nonce": nonce}, now_ms)
        caps = open_caps(message.get("caps"))
        conn.execute(
            update(edge_cursor)
            .where(edge_cursor.c.edge_id == edge)
            .values(
                sid=sid,
                boot=text(message, "boot"),
                told_seq=seq,
                hello_ms=now_ms,
                seen_ms=now_ms,
                caps=canonical(caps.message()).decode(),
                printers=canonical(printers_told(message)).decode(),
            )
        )
        self._compare_releases(conn, at, caps, now_ms)
        if self._heard_key is not None and message.get("seal"):
            self._heard_key(conn, at.operator_id, at.edge_id, digest_bytes(message, "seal"), now_ms)
        if message.get("csr"):
            self._renew(conn, at, text(message, "csr"), now_ms)
        if at.state == "claimed":
            self._begin_trade(conn, at, message, now_ms)
        answer = {**self._position(conn, at, sid), "what": "ok", "nonce": nonce, "m": whole(message, "m")}
        same, repairs = self._compare_channels(conn, edge, message)
        out = [self._down(edge, "res", {**answer, "same": same, "t1": now_ms, "t2": now_ms}), *repairs]
        return out + self.due(conn, edge, now_ms, nonce=nonce, kept=_kept(message["channels"]))

    def _begin_trade(self, conn: Connection, at: CursorRow, message: Json, now_ms: int) -> None:
        """A lot counts as active, and gets leases, once its devices work; until then people are told which do not."""
        tested = message.get("test", {"failed": []})  # a release that does not test itself
        failed = tested.get("failed") if isinstance(tested, dict) else None
        if failed == []:
            lot_edges.activate(conn, at.edge_id)
        elif isinstance(failed, list):
            parts = ", ".join(str(part) for part in failed[:20])
            raise_incident(
                conn, at.operator_id, f"self_test:{at.edge_id}:{parts}", "self_test_failed",
                f"not working yet: {parts}", now_ms, lot_id=at.lot_id, edge_id=at.edge_id,
            )  # fmt: skip

    def _renew(self, conn: Connection, at: CursorRow, csr: str, now_ms: int) -> None:
        """Sign the edge's request and send the certificate as a command, at most once a day; or tell people to."""
        lately = commands.recent(conn, at.edge_id, INSTALL, 1)
        if lately and now_ms - lately[0]["made_ms"] < DAY_MS:
            return
        if self._issue is None:
            raise_incident(
                conn, at.operator_id, f"certificate_due:{at.edge_id}:{now_ms // (30 * DAY_MS)}", "certificate_due",
                "sign its renewal with lotgate broker-ca", now_ms, lot_id=at.lot_id, edge_id=at.edge_id,
            )  # fmt: skip
            return
        try:
            body = {"pem": self._issue(csr, at.edge_id)}
        except BadMessageError as exc:
            logger.warning("the certificate of edge %s is not renewed: %s", at.edge_id, exc)
            return
        commands.add_command(conn, at.operator_id, at.edge_id, INSTALL, body, now_ms)

    def _ask(self, edge: str, sid: str, now_ms: int) -> Outgoing:
        """A hello that stands behind may be an old one, late or sent again by somebody: ask who is there now."""
        question = self._question(edge, sid, now_ms // ASK_MS)
        return self._down(edge, "res", {"what": "greet", "sid": sid, "ask": question})

    def _is_answer(self, edge: str, sid: str, answer: object, now_ms: int) -> bool:
        turn = now_ms // ASK_MS
        return answer in (self._question(edge, sid, turn), self._question(edge, sid, turn - 1))

    def _question(self, edge: str, sid: str, turn: int) -> str:
        """What only this cloud can ask of this session now; nothing of it has to be remembered."""
        return self._sign(ASK_PURPOSE, f"{edge} {sid} {turn}".encode()).hex()

    def _compare_releases(self, conn: Connection, at: CursorRow, caps: Caps, now_ms: int) -> None:
        """An edge ahead of us goes on: its events are set aside until this cloud is upgraded; people are told."""
        newer = unreadable(caps)
        if newer:
            detail = f"{', '.join(newer)}: upgrade the cloud; until then these events are set aside"
            finding = f"cloud_outdated:{at.edge_id}:{','.join(newer)}"
            raise_incident(
                conn, at.operator_id, finding, "cloud_outdated", detail, now_ms, lot_id=at.lot_id, edge_id=at.edge_id
            )

    def _refuse(self, conn: Connection, at: CursorRow, why: str, to: Json, now_ms: int) -> list[Outgoing]:
        """This log is not a continuation of what we hold: an old copy of a database, or two devices as one.

        The answer says where we stand: an edge whose log goes through there knows that we judged an old message.
        """
        raise_incident(
            conn,
            at.operator_id,
            f"log_{why}:{at.edge_id}:{at.epoch}:{at.seq}",
            f"log_{why}",
            f"the edge's log does not continue what is held at event {at.seq}",
            now_ms,
            lot_id=at.lot_id,
            edge_id=at.edge_id,
        )
        stands = {"ep": at.epoch, "s": at.seq, "h": at.head.hex()}
        return [self._down(at.edge_id, "res", {"what": "refused", "why": why, **stands, **to})]

    def _on_batch(self, conn: Connection, at: CursorRow, message: Json, verify: Verify, now_ms: int) -> list[Outgoing]:
        batch, hashes = open_batch(at.edge_id, message, verify)
        sid = text(message, "sid")  # not that of the last hello: an old one may have come late
        verdict = judge(_cursor(at), batch, hashes, lambda seq: hash_at(conn, at.edge_id, batch.epoch, seq))
        if not isinstance(verdict, Apply):
            return self._not_applied(conn, at, verdict, sid, now_ms)
        ctx = ApplyContext(at.edge_id, at.lot_id, at.operator_id, at.epoch, now_ms)
        parked = apply_events(conn, ctx, batch.bodies[verdict.skip :], hashes[verdict.skip :], verdict.first)
        conn.execute(_APPLIED, {"edge": at.edge_id, "last": batch.last, "hash": hashes[-1], "now": now_ms})
        ack = {"ep": at.epoch, "s": batch.last, "h": hashes[-1].hex(), "parked": parked, "win": WINDOW, "sid": sid}
        ack["eps"] = self._flow.share(at.edge_id, now_ms)
        out = [self._down(at.edge_id, "ack", ack)]
        return out + self.due(conn, at.edge_id, now_ms) if channels.behind(conn, at.edge_id) else out

    def _on_salvage(
        self, conn: Connection, at: CursorRow, message: Json, verify: Verify, now_ms: int
    ) -> list[Outgoing]:
        batch, hashes = open_batch(at.edge_id, message, verify)
        of, sid = text(message, "of"), text(message, "sid")
        ctx = ApplyContext(of, at.lot_id, at.operator_id, batch.epoch, now_ms)
        said = apply_salvage(conn, ctx, at.edge_id, at.epoch, batch, hashes)
        return [self._down(at.edge_id, "res", {**said, "of": of, "of_ep": batch.epoch, "sid": sid, "ep": at.epoch})]

    def _not_applied(
        self, conn: Connection, at: CursorRow, verdict: Known | Nak | Fork | NewEpoch, sid: str, now_ms: int
    ) -> list[Outgoing]:
        match verdict:
            case Known():
                return [self._down(at.edge_id, "ack", self._position(conn, at, sid))]
            case Nak(want, why):
                return [self._down(at.edge_id, "nak", {"ep": at.epoch, "want": want, "why": why, "sid": sid})]
            case NewEpoch(epoch):
                return [self._down(at.edge_id, "res", {"what": "newepoch", "sid": sid, "ep": epoch})]
            case Fork():
                return self._refuse(conn, at, "fork", {"sid": sid}, now_ms)

    def _position(self, conn: Connection, at: CursorRow, sid: str) -> Json:
        parked = parked_events(conn, at.edge_id, at.epoch)
        return {"ep": at.epoch, "s": at.seq, "h": at.head.hex(), "parked": parked, "win": WINDOW, "sid": sid}

    def _compare_channels(self, conn: Connection, edge: str, message: Json) -> tuple[list[str], list[Outgoing]]:
        """Take note of what the edge holds: which of its lists are ours as they stand, and where versions agree and
        digests do not, the buckets whole.
        """
        told = message.get("channels")
        if not isinstance(told, dict):
            raise BadMessageError("a hello names its channels")
        same, out, written = list[str](), list[Outgoing](), channels.versions(conn, edge)
        for channel, theirs in told.items():
            if channel not in CHANNELS or not isinstance(theirs, dict):
                continue
            version, digest = whole(theirs, "ver"), text(theirs, "digest")
            if channel not in written:
                same += [] if version else [channel]  # nothing was ever in it, here or there
                continue
            channels.set_held(conn, edge, channel, version, digest)
            if version == written[channel]:
                repairs = channels.repairs(conn, edge, channel, digest)
                out += [self._part(edge, part.message()) for part in repairs]
                same += [] if repairs else [channel]
        return same, out

    def due(
        self, conn: Connection, edge: str, now_ms: int, *, nonce: str = "", kept: Mapping[str, Kept] | None = None
    ) -> list[Outgoing]:
        """Steps of channels and commands the edge does not have yet; after a hello (*nonce*) what just went out too.

        *kept*: how far it said it has come with steps in many parts.
        """
        out = []
        told = conn.execute(_CAPS, {"edge": edge}).scalar_one_or_none()
        caps = open_caps(json.loads(told or "[]"))
        for channel, held, version in channels.behind(conn, edge):
            if channel not in caps.channels:
                continue
            if nonce or self._is_due((edge, channel), version, now_ms):
                self._note_sent((edge, channel), version, now_ms)
                parts = channels.parts(conn, edge, channel, held, (kept or {}).get(channel))
                out += [self._part(edge, part.message()) for part in parts]
        return out + self._commands(conn, edge, caps, now_ms, nonce)

    def _commands(self, conn: Connection, edge: str, caps: Caps, now_ms: int, nonce: str) -> list[Outgoing]:
        """What moves something goes out once, under the hello just heard; without one the edge is asked for it."""
        out, greet = [], 0  # the command that waits for a hello
        for message in commands.outstanding(conn, edge, now_ms):
            cmd_seq, kind, expires_ms = message["cmd_seq"], message["kind"], message.get("not_after")
            moves = kind in commands.MOVES
            if kind not in caps.commands:
                continue  # an older release: it goes out once that is upgraded, if it is still in time
            if moves and not nonce:
                greet = cmd_seq if self._is_due((edge, "greet"), cmd_seq, now_ms) else greet
            elif moves:
                commands.set_sent(conn, edge, cmd_seq)
                out.append(self._down(edge, "cmd", {**message, "nonce": nonce}, expires_ms))
            elif nonce or self._is_due((edge, f"cmd:{cmd_seq}"), cmd_seq, now_ms):
                self._note_sent((edge, f"cmd:{cmd_seq}"), cmd_seq, now_ms)
                out.append(self._down(edge, "cmd", message, expires_ms))
        if greet:
            self._note_sent((edge, "greet"), greet, now_ms)
            sid = conn.execute(select(edge_cursor.c.sid).where(edge_cursor.c.edge_id == edge)).scalar_one()
            out.append(self._down(edge, "res", {"what": "greet", "sid": sid}))
        return out

    def _is_due(self, what: tuple[str, str], version: int, now_ms: int) -> bool:
        sent = self._sent.get(what)
        return sent is None or sent[0] < version or now_ms - sent[1] >= SEND_AGAIN_MS

    def _note_sent(self, what: tuple[str, str], version: int, now_ms: int) -> None:
        """Remember it for as long as it says anything: later it would be sent again all the same."""
        self._sent.pop(what, None)
        self._sent[what] = (version, now_ms)
        while now_ms - next(iter(self._sent.values()))[1] >= SEND_AGAIN_MS:
            del self._sent[next(iter(self._sent))]

    def _part(self, edge: str, message: Json) -> Outgoing:
        return self._down(edge, "ch", message)

    def _down(self, edge: str, kind: str, message: Json, expires_ms: int | None = None) -> Outgoing:
        return Outgoing(edge, kind, signed(kind, edge, message, self._sign), expires_ms)


def printers_told(message: Json) -> Json:
    """How a hello says that the lot's printers print; nothing of one that older releases said."""
    return {name: one.looks() for name, one in profiles_told(message.get("printers")).items()}


def _kept(told: Json) -> dict[str, Kept]:
    """How far a hello's channels have come with steps in many parts. Raises BadMessageError."""
    said = {name: open_kept(one.get("kept")) for name, one in told.items() if isinstance(one, dict)}
    return {name: kept for name, kept in said.items() if kept is not None}


def _cursor(at: CursorRow) -> Cursor:
    return Cursor(at.epoch, at.seq, at.head)
