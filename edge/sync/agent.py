"""The edge's side of the protocol over its database, without sockets: messages in, messages out (sync §§3-5).

Everything here runs on the database thread. What must survive is in the database; what is kept in memory (the
session, batches in flight) may be lost at any time at no more cost than sending again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from sqlite_utils import Database

from domain.events import ChannelApplied
from domain.moment import Anchor, Moment
from domain.sync.batch import MOST_EVENTS, Batch, batch_message, cut
from domain.sync.caps import own_caps
from domain.sync.channel import CHANNELS, digest_text, open_part
from domain.sync.uplink import Uplink
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
from edge.db import channels, counted, equal_lists, leases, log
from edge.db.database import transaction
from edge.sync.commands import Begun, Handler, carry_out

logger = logging.getLogger(__name__)

HELLO_EVERY_MS = 5 * 60_000  # time sample and digest in one
HELLO_AGAIN_MS = 5_000
FRESH_MS = 15_000  # a command that moves something names a hello no older than this
SALVAGE_AGAIN_MS = 10_000
SALVAGE_REFUSED_MS = 3_600_000  # a person looks at the incident; asked again once an hour
GREET_MS = 1_000  # between two hellos said before their time, because somebody asks or there is news


class OutdatedDatabaseError(Exception):
    """The cloud has seen more of this log than the database holds: an old copy, which must never run."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message for topic ``lg/v1/<edge>/up/<kind>``."""

    kind: str
    message: Json


@dataclass(slots=True)
class Session:
    """One connection to the broker: nothing but a hello is sent until the cloud has answered it."""

    sid: str  # names the connection: acks and naks of another one are stale
    nonce: str  # names the last hello: its answer must carry it
    hello_boot_ms: int
    answered: bool = False
    salvage_ms: int | None = None  # when events of a closed epoch went out that were not answered yet
    ask: str = ""  # the cloud's last question: our next hello carries it back, as proof that it is not an old one
    fresh: dict[str, int] = field(default_factory=dict)  # nonces of the last seconds and when they were said
    asked_for: bool = False  # somebody wants a hello, and the last one was said a moment before


class EdgeAgent:
    """Speaks for one edge. Construct and call on the database thread.

    *handlers* carry commands out within their transaction. Commands that *move* something are only begun here: they
    wait in ``begun`` for whoever called. *more* is what hellos say besides (self-test, certificate); news is said soon.
    """

    def __init__(
        self,
        edge: str,
        db: Database,
        sign: Sign,
        verify_cloud: Verify,
        new_nonce: Callable[[], str],
        handlers: Mapping[str, Handler],
        moves: Collection[str] = (),
        more: Callable[[], Json] = dict,
    ) -> None:
        self._edge, self._db, self._sign, self._verify = edge, db, sign, verify_cloud
        self._new_nonce, self._handlers, self._moves = new_nonce, handlers, frozenset(moves)
        self._more, self._told = more, canonical({})
        self._session: Session | None = None
        self._uplink = self._fresh_uplink()
        self.anchors: list[Anchor] = []  # comparisons with the cloud's clock, for whoever keeps the time
        self.begun: list[Begun] = []  # commands to be carried out now, each once

    def _fresh_uplink(self) -> Uplink:
        position = log.acked(self._db.conn)
        return Uplink(position.epoch, position.seq)

    @property
    def in_session(self) -> bool:
        """Has the cloud answered this connection's hello?"""
        return self._session is not None and self._session.answered

    def connected(self, now: Moment) -> list[Outgoing]:
        """The line is up: say hello."""
        self._uplink.lost_session()
        self._session = Session(self._new_nonce(), "", now.boot_ms)
        return [self._hello(now)]

    def disconnected(self) -> None:
        """The line is down; facts pile up in the log."""
        self._session = None
        self._uplink.lost_session()

    def tick(self, now: Moment) -> list[Outgoing]:
        """Whatever time makes due: a hello again, the next batches, lost batches again, a digest."""
        session = self._session
        if session is None:
            return []
        if not session.answered:
            return self._hello_again(session, now)
        if self._uplink.is_late(now.boot_ms):
            self._uplink.timed_out()
        since_ms = now.boot_ms - session.hello_boot_ms
        salvage = self._salvage(session, now)
        due = since_ms >= HELLO_EVERY_MS or (since_ms >= GREET_MS and (session.asked_for or self._has_news()))
        return [*([self._hello(now)] if due else []), *self._batches(now), *salvage]

    def _has_news(self) -> bool:
        """Is there anything to say that the cloud was not told last time?"""
        return canonical(self._more()) != self._told

    def _hello_again(self, session: Session, now: Moment) -> list[Outgoing]:
        if now.boot_ms - session.hello_boot_ms < HELLO_AGAIN_MS:
            return []
        return [self._hello(now)]

    def _hello(self, now: Moment) -> Outgoing:
        """Where we stand, under a fresh nonce that the answer must carry. It is also the time sample and digest."""
        assert self._session is not None  # noqa: S101  (callers hold a session)
        session = self._session
        session.nonce, session.hello_boot_ms, session.asked_for = self._new_nonce(), now.boot_ms, False
        lately = {nonce: said for nonce, said in session.fresh.items() if now.boot_ms - said <= FRESH_MS}
        session.fresh = {**lately, session.nonce: now.boot_ms}
        position = log.newest(self._db.conn)
        message: Json = {
            "v": 1,
            "ep": position.epoch,
            "seq": position.seq,
            "hash": position.head.hex(),
            "boot": now.boot,
            "m": now.boot_ms,
            "sid": session.sid,
            "nonce": session.nonce,
            "answer": session.ask,
            "caps": own_caps((*self._handlers, *self._moves), CHANNELS).message(),
            "channels": {
                channel: {"ver": version, "digest": digest_text(buckets), **self._kept(channel)}
                for channel, (version, buckets) in channels.standing(self._db.conn).items()
            },
            "leases": [
                {"id": held.lease.lease_id, "granted": held.lease.granted, "spent": held.lease.spent}
                for held in leases.active(self._db.conn)
            ],
        }
        more = self._more()
        message, self._told = {**message, **more}, canonical(more)
        return Outgoing("hello", signed("hello", self._edge, message, self._sign))

    def _kept(self, channel: str) -> Json:
        kept = channels.kept(self._db.conn, channel)
        return {"kept": kept.message()} if kept else {}

    def _salvage(self, session: Session, now: Moment) -> list[Outgoing]:
        """One batch of a closed epoch at a time, sent again when no answer came (sync §5)."""
        if session.salvage_ms is not None and now.boot_ms - session.salvage_ms < SALVAGE_AGAIN_MS:
            return []
        kept = log.salvage(self._db.conn, self._edge, MOST_EVENTS)
        if kept is None:
            return []
        session.salvage_ms = now.boot_ms
        bodies = [body for body, _ in kept.rows]
        bodies = bodies[: cut(bodies)]
        batch = Batch(kept.epoch, kept.start, kept.previous, tuple(bodies))
        message = batch_message(self._edge, batch, kept.rows[len(bodies) - 1][1], self._sign)
        return [Outgoing("salvage", {**message, "of": kept.of, "sid": session.sid})]

    def _on_salvaged(self, session: Session, message: Json, now: Moment) -> list[Outgoing]:
        with transaction(self._db) as conn:
            log.salvaged(conn, whole(message, "of_ep"), whole(message, "s"))
        session.salvage_ms = None
        return self._salvage(session, now)

    def _batches(self, now: Moment) -> list[Outgoing]:
        if self._session is None:
            return []
        out = []
        conn = self._db.conn
        newest = log.newest(conn)
        while not self._uplink.is_paced(now.boot_ms) and (start := self._uplink.next_start(newest.seq)) is not None:
            rows = log.bodies(conn, newest.epoch, start, MOST_EVENTS)
            rows = rows[: cut([body for body, _ in rows])]
            previous = log.hash_at(conn, newest.epoch, start - 1)
            if previous is None:
                raise OutdatedDatabaseError(f"the log does not hold event {start - 1}")
            batch = Batch(newest.epoch, start, previous, tuple(body for body, _ in rows))
            message = batch_message(self._edge, batch, rows[-1][1], self._sign)
            out.append(Outgoing("ev", {**message, "sid": self._session.sid}))
            self._uplink.sent(start, batch.last, now.boot_ms)
        return out

    def received(self, kind: str, payload: bytes, now: Moment) -> list[Outgoing]:
        """Act on a message from topic ``dn/<kind>``. Forged, late, repeated or senseless ones change nothing (I18).

        Raises OutdatedDatabaseError when the cloud says that this database must not run.
        """
        try:
            message = unpack(payload)
            if not is_genuine(kind, self._edge, message, self._verify):
                raise BadMessageError("not signed by our cloud for us")
            match kind:
                case "res":
                    return self._on_answer(message, now)
                case "ack":
                    return self._on_ack(message, now)
                case "nak":
                    return self._on_nak(message, now)
                case "ch":
                    return self._on_part(message, now)
                case "cmd":
                    return self._on_command(message, now)
                case _:
                    raise BadMessageError("unknown kind")
        except BadMessageError as exc:
            logger.warning("message of kind %s dropped: %s", kind, exc)
            return []

    def _is_ours(self, message: Json) -> bool:
        """Does it answer this session, in our epoch?"""
        session = self._session
        return session is not None and message.get("sid") == session.sid and whole(message, "ep") == self._uplink.epoch

    def _on_answer(self, message: Json, now: Moment) -> list[Outgoing]:
        """The reply to our hello: where the cloud stands, or why it will not go on with this log."""
        session = self._session
        if session is None or (message.get("nonce") != session.nonce and message.get("sid") != session.sid):
            return []
        what = text(message, "what")
        if what == "refused":
            return self._on_refusal(message)
        if what == "newepoch":
            return self._on_new_epoch(whole(message, "ep"), now)
        if what == "greet":
            return self._on_greeting(session, str(message.get("ask", "")), now)
        if what == "salvaged":
            return self._on_salvaged(session, message, now)
        if what == "salvage_refused":
            session.salvage_ms = now.boot_ms + SALVAGE_REFUSED_MS
            logger.error(
                "the cloud does not take what was kept of epoch %d: %s", whole(message, "of_ep"), text(message, "why")
            )
            return []
        if message.get("nonce") != session.nonce:
            return []  # the answer to an earlier hello
        self._keep_anchor(session, message, now)
        self._keep_equal(message, now)
        if not session.answered:
            self._go_back(whole(message, "s"), digest_bytes(message, "h"))
        session.answered = True
        self._uplink.open = True
        return self._on_ack(message, now)

    def _go_back(self, seq: int, head: bytes) -> None:
        """The cloud came back from a copy of its database: what it lost and we still hold is sent again."""
        conn = self._db.conn
        if seq < self._uplink.cursor and log.hash_at(conn, self._uplink.epoch, seq) == head:
            logger.warning("the cloud stands at event %d, %d before what it had acked", seq, self._uplink.cursor - seq)
            self._uplink.cursor = seq
            with transaction(self._db) as conn:
                log.set_acked(conn, log.Position(self._uplink.epoch, seq, head), [])

    def _on_greeting(self, session: Session, ask: str, now: Moment) -> list[Outgoing]:
        """Somebody asks for a hello; one with a question of its own is answered even if we just spoke."""
        is_new = ask not in ("", session.ask)
        session.ask = ask or session.ask
        if is_new or now.boot_ms - session.hello_boot_ms >= GREET_MS:
            return [self._hello(now)]
        session.asked_for = True
        return []

    def _on_refusal(self, message: Json) -> list[Outgoing]:
        """Never run again on this log, unless it holds what the cloud holds: then an old hello of ours was judged."""
        epoch, seq, head = whole(message, "ep"), whole(message, "s"), digest_bytes(message, "h")
        conn = self._db.conn
        known, position = log.acked(conn), log.newest(conn)
        if epoch == position.epoch and (seq < known.seq or log.hash_at(conn, epoch, seq) == head):
            return []
        why = text(message, "why")
        with transaction(self._db) as conn:
            log.refuse(conn, why)
        raise OutdatedDatabaseError(why)

    def _on_new_epoch(self, epoch: int, now: Moment) -> list[Outgoing]:
        if epoch <= log.newest(self._db.conn).epoch:
            return []
        with transaction(self._db) as conn:
            log.open_epoch(conn, epoch)
        self._uplink = self._fresh_uplink()
        logger.warning("the cloud opened epoch %d: leases are given up, unacked events are kept aside", epoch)
        return self.connected(now)

    def _keep_anchor(self, session: Session, message: Json, now: Moment) -> None:
        """Four timestamps give the cloud's time at the middle of the exchange, within half its length (sync §8)."""
        if whole(message, "m") != session.hello_boot_ms or now.boot_ms < session.hello_boot_ms:
            return
        middle = (session.hello_boot_ms + now.boot_ms) // 2
        utc_ms = (whole(message, "t1") + whole(message, "t2")) // 2
        anchor = Anchor(now.boot, middle, utc_ms, (now.boot_ms - session.hello_boot_ms + 1) // 2)
        with transaction(self._db) as conn:
            log.keep_anchor(conn, anchor)
            leases.freshen(conn, now)
        self.anchors.append(anchor)

    def _keep_equal(self, message: Json, now: Moment) -> None:
        """Which lists were found equal; a cloud of an earlier release does not say."""
        same = message.get("same")
        if isinstance(same, list):
            with transaction(self._db) as conn:
                equal_lists.confirm(conn, [channel for channel in CHANNELS if channel in same], now)

    def _on_ack(self, message: Json, now: Moment) -> list[Outgoing]:
        if not self._is_ours(message):
            return []
        seq, head = whole(message, "s"), digest_bytes(message, "h")
        self._uplink.rate = whole(message, "eps") if "eps" in message else 0
        conn = self._db.conn
        if seq > log.newest(conn).seq or log.hash_at(conn, self._uplink.epoch, seq) != head:
            raise BadMessageError("ack for a history that is not ours")
        if self._uplink.acked(self._uplink.epoch, seq, whole(message, "win")):
            with transaction(self._db, durable=False) as conn:
                log.set_acked(conn, log.Position(self._uplink.epoch, seq, head), _parked(message))
        return self._batches(now)

    def _on_nak(self, message: Json, now: Moment) -> list[Outgoing]:
        if self._is_ours(message) and self._uplink.wanted(self._uplink.epoch, whole(message, "want")):
            return self._batches(now)
        return []

    def _on_part(self, message: Json, now: Moment) -> list[Outgoing]:
        part = open_part(message)
        before = channels.kept(self._db.conn, part.channel) if part.more else None
        with transaction(self._db) as conn:
            step = channels.take(conn, part)
            if step is not None:
                kept = counted.withdraw(conn, part.channel, step)
                log.append_all(conn, [*kept, (ChannelApplied(part.channel, part.end), None)], now)
        goes_on = part.more and channels.kept(self._db.conn, part.channel) != before
        return (self._ask_for_more(now, at_once=goes_on) if part.more else []) + self._batches(now)

    def _ask_for_more(self, now: Moment, *, at_once: bool) -> list[Outgoing]:
        """A hello says which parts are kept; one that came again asks too, but no oftener than a greeting."""
        session = self._session
        if session is None or not session.answered:
            return []
        if at_once:
            return [self._hello(now)]
        session.asked_for = True
        return []

    def _on_command(self, message: Json, now: Moment) -> list[Outgoing]:
        if whole(message, "ep") == log.newest(self._db.conn).epoch:
            fresh = self._is_fresh(message, now)
            begun = carry_out(self._db, self._handlers, self._moves, message, now, fresh=fresh)
            self.begun += [begun] if begun else []
        return self._batches(now)

    def _is_fresh(self, message: Json, now: Moment) -> bool:
        """Does the command answer a hello of seconds ago by the boot clock, whatever the wall clock says?"""
        said = self._session.fresh.get(str(message.get("nonce"))) if self._session else None
        return said is not None and now.boot_ms - said <= FRESH_MS


def _parked(message: Json) -> list[tuple[int, str]]:
    parked = message.get("parked")
    if not isinstance(parked, list):
        raise BadMessageError("'parked' must be a list")
    return [(whole(entry, "s"), text(entry, "why")) for entry in parked if isinstance(entry, dict)]
