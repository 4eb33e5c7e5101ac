"""One world from one seed: lots, their cloud and a bad network, in one thread and in virtual time."""

from __future__ import annotations

import itertools
import random
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from unittest.mock import patch

from cloud.sync.context import ApplyContext
from cloud.sync.inbox import rerun_parked
from domain.events import TYPES, Event
from edge.sync.agent import EdgeAgent
from tests.simulator.acts import ACTS
from tests.simulator.checks import Books, check_at_end, check_step
from tests.simulator.checks_phone import check_phone
from tests.simulator.clocks import TrueTime
from tests.simulator.crash import Point
from tests.simulator.net import CALM, DOWN, UP, Net, Packet, Weather
from tests.simulator.nodes import EDGES, OPERATOR, CloudNode, EdgeNode, verify_fast
from tests.simulator.nodes import Down as DownMessage
from tests.simulator.nodes import Up as UpMessage
from tests.simulator.violations import ViolationError

if TYPE_CHECKING:
    from tests.simulator.acts_phone import Phones

STEPS = 60
IGNORED = ("voucher.issued", "voucher.redeemed", "coupon.redeemed", "lease.applied", "stay.opened")
QUIET_ROUNDS = 200  # within which a healed world must have nothing left to say (I8)


@dataclass(frozen=True, slots=True)
class Traits:
    """What kind of world it is. Small batches and parts put several in flight at once."""

    edges: int
    weather: Weather
    batch_events: int
    part_bytes: int
    parts_at_once: int
    crash: int  # percent of steps that light a fuse
    cut: int  # percent of steps that cut or mend a line
    step_clock: int  # percent of steps that set a wall clock
    cloud_ignores: str | None  # an event type the cloud's release does not know before it is upgraded
    weights: dict[str, int] = field(hash=False)


def draw_traits(rng: random.Random) -> Traits:
    """Worlds differ in what they are made of, not only in what happens: rare mixtures come up too."""
    return Traits(
        edges=rng.choice((1, 1, 2, 3)),
        weather=Weather(
            rng.choice((0, 3, 15, 40)), rng.choice((0, 10, 30)), rng.choice((0, 5, 20)), rng.choice((0, 100, 1_000))
        ),
        batch_events=rng.choice((1, 2, 5, 200)),
        part_bytes=rng.choice((1, 120, 400, 48 * 1024)),
        parts_at_once=rng.choice((1, 2, 32)),
        crash=rng.choice((0, 2, 10)),
        cut=rng.choice((0, 3, 10)),
        step_clock=rng.choice((0, 5)),
        cloud_ignores=rng.choice((None, None, None, *IGNORED)),
        weights={name: act.weight * rng.choice((0, 1, 1, 3)) for name, act in ACTS.items()},
    )


class World:
    """Build it, then ``run`` it. Raises ViolationError with the story so far when a promise is broken."""

    def __init__(
        self,
        seed: int,
        say: Callable[[str], None] | None = None,
        steps: int = STEPS,
        phones: Phones | None = None,
        more: Callable[[World], None] | None = None,
    ) -> None:
        self.seed, self.steps, self.phones, self.more = seed, steps, phones, more
        self.rng = random.Random(seed)
        self.traits = draw_traits(self.rng)
        self.true = TrueTime()
        self.story: deque[str] = deque(maxlen=40)
        self._listener = say
        self.net = Net(self.rng, self.traits.weather)
        nonces = (f"n{number}" for number in itertools.count(1))
        self.edges = {
            name: EdgeNode(name, self.true, nonces, self.rng.randbytes) for name in EDGES[: self.traits.edges]
        }
        self.cloud = CloudNode(self.true)
        self.books = Books()
        self.numbers = itertools.count(1)
        self._unknown: type[Event] | None = None

    def say(self, text: str) -> None:
        """Add to the story of this world."""
        line = f"{self.true.ms % 10**8:>9} {text}"
        self.story.append(line)
        if self._listener is not None:
            self._listener(line)

    def run(self) -> None:
        """Everything that happens in this world, and the reckoning at its end."""
        try:
            with self._sizes():
                self._begin()
                for _ in range(self.steps):
                    self._step()
                self._heal()
                check_at_end(self)
                if self.phones is not None:
                    check_phone(self)
        except ViolationError as exc:
            exc.add_note("\n".join((f"seed {self.seed}: {self.traits}", *self.story)))
            exc.add_note(f"replay it: python -m tests.simulator --seed {self.seed} -v")
            raise

    @contextmanager
    def _sizes(self) -> Iterator[None]:
        with (
            patch("edge.sync.agent.MOST_EVENTS", self.traits.batch_events),
            patch("domain.sync.channel.PART_BYTES", self.traits.part_bytes),
            patch("cloud.fees.service.VERIFY", verify_fast),
            patch("domain.sync.channel.PARTS_AT_ONCE", self.traits.parts_at_once),
            patch.dict("domain.events.TYPES"),
        ):
            self._unknown = TYPES.pop((self.traits.cloud_ignores, 1), None) if self.traits.cloud_ignores else None
            yield

    def upgrade_cloud(self) -> None:
        """A release that knows every event type; what was set aside waits for a person."""
        if self._unknown is not None:
            self.say("cloud: upgraded")
            TYPES[self._unknown.TYPE, self._unknown.VERSION] = self._unknown
            self._unknown = None

    def _begin(self) -> None:
        self.cloud.start()
        for node in self.edges.values():
            node.start()
            self.net.is_up[node.name] = False
        if self.phones is not None:
            self.phones.begin(self)
        for node in self.edges.values():
            if self.rng.randrange(4):
                self.mend(node)

    def _step(self) -> None:
        self._pass_time()
        self._meddle()
        names = list(self.traits.weights)
        for name in self.rng.choices(names, self._weights(names), k=self.rng.choice((0, 1, 1, 2, 4))):
            ACTS[name].play(self)
        if self.more is not None:
            self.more(self)
        if self.phones is not None:
            self.phones.step(self)
        self.deliver()
        self._tick()
        check_step(self)

    def _weights(self, names: list[str]) -> list[int]:
        weights = [self.traits.weights[name] for name in names]
        return weights if any(weights) else [1] * len(names)

    def _pass_time(self) -> None:
        dice = self.rng.randrange(100)
        if dice < 70:
            self.true.ms += self.rng.randint(1, 400)
        elif dice < 85:
            self.true.ms += self.rng.randint(1_000, 15_000)
        else:
            self.true.ms += self.rng.randint(5 * 60_000, 4 * 3_600_000)

    def _meddle(self) -> None:
        """What nobody ordered: crashes, cut lines, clocks set."""
        roll, traits = self.rng.randrange, self.traits
        nodes = list(self.edges.values())
        if roll(100) < traits.crash:
            machines: list[EdgeNode | CloudNode] = [*nodes, self.cloud]
            victim = self.rng.choice(machines)
            point = self.rng.choice((None, None, Point.BEFORE_COMMIT, Point.AFTER_COMMIT))
            victim.fuse.light(roll(1, 30 if point is None else 3), point)
        if roll(100) < traits.cut:
            node = self.rng.choice(nodes)
            self.cut(node) if self.net.is_up[node.name] else self.mend(node)
        if roll(100) < traits.step_clock:
            node = self.rng.choice(nodes)
            node.clock.wall_offset_ms = self.rng.choice((0, -3_600_000, 3_600_000, 86_400_000, -400 * 86_400_000))
            self.say(f"{node.name}: wall clock set to {node.clock.wall_offset_ms:+}")
        for node in nodes:
            if not node.is_running and not roll(4):
                self.restart(node)
        if not self.cloud.is_running and not roll(3):
            self.cloud.start()
            self.say("cloud: started again")
        for node in nodes:
            if not self.net.is_up[node.name] and not roll(6):
                self.mend(node)

    def restart(self, node: EdgeNode) -> None:
        """A new process at the lot, after a power cut or not."""
        if self.rng.randrange(2):
            node.clock.reboot()
        self.say(f"{node.name}: started again in {node.clock.now().boot}")
        node.fuse.douse()
        node.start()
        if self.net.is_up[node.name]:
            self.connect(node)

    def cut(self, node: EdgeNode) -> None:
        """The line to a lot goes down."""
        self.say(f"{node.name}: line cut")
        self.net.is_up[node.name] = False
        node.do(EdgeAgent.disconnected)

    def mend(self, node: EdgeNode) -> None:
        """The line to a lot comes up."""
        self.net.is_up[node.name] = True
        self.connect(node)

    def connect(self, node: EdgeNode) -> None:
        """A process at the lot has a session with the broker."""
        self.say(f"{node.name}: connected")
        self.send_up(node, node.do(lambda agent: agent.connected(node.clock.now())))

    def send_up(self, node: EdgeNode, out: list[UpMessage] | None) -> None:
        """Messages of an edge, if its process lived to send them."""
        for sent in out or ():
            if self.net.is_up[node.name]:
                self.net.send(UP, node.name, sent.kind, sent.message, self.true.ms)

    def send_down(self, out: list[DownMessage]) -> None:
        """Messages of the cloud."""
        for sent in out:
            self.net.send(DOWN, sent.edge, sent.kind, sent.message, self.true.ms)

    def deliver(self) -> None:
        """Everything that has arrived by now, to whoever still listens."""
        while (packet := self.net.due(self.true.ms)) is not None:
            if packet.way == UP:
                self.to_cloud(packet)
            else:
                self.to_edge(packet)

    def to_cloud(self, packet: Packet) -> None:
        """One message to one of the workers."""
        worker = self.rng.randrange(CloudNode.WORKERS)
        crashes = self.cloud.crashes
        self.say(f"{packet.edge} -> cloud {packet.kind} ({len(packet.payload)} bytes)")
        self.send_down(self.cloud.received(worker, packet.edge, packet.kind, packet.payload))
        if self.cloud.crashes > crashes:
            self.say("cloud: crashed")
        self.books.look(self)

    def to_edge(self, packet: Packet) -> None:
        """One message to a lot, if its line and process are up."""
        node = self.edges.get(packet.edge)
        if node is None or not node.is_running or not self.net.is_up[node.name]:
            return
        self.say(f"cloud -> {packet.edge} {packet.kind} ({len(packet.payload)} bytes)")
        self.send_up(node, node.do(lambda agent: agent.received(packet.kind, packet.payload, node.clock.now())))
        node.move()
        if not node.is_running:
            self.say(f"{node.name}: crashed")

    def _tick(self) -> None:
        if self.phones is not None:
            self.phones.tick(self)
        for node in self.edges.values():
            if self.net.is_up[node.name]:
                self.send_up(node, node.do(lambda agent: agent.tick(node.clock.now())))  # noqa: B023 - called at once
        if not self.rng.randrange(3):
            for name in self.edges:
                self.send_down(self.cloud.push(self.rng.randrange(CloudNode.WORKERS), name))

    def _heal(self) -> None:
        """Good weather, everything up: within bounded time nobody has anything left to say (I8)."""
        self.say("healed")
        self.net.weather = CALM
        self.cloud.fuse.douse()
        if not self.cloud.is_running:
            self.cloud.start()
        for node in self.edges.values():
            node.fuse.douse()
            if not node.is_running:
                self.restart(node)
            if not self.net.is_up[node.name]:
                self.mend(node)
        for _ in range(QUIET_ROUNDS):
            self.true.ms = max(self.true.ms + 500, min(self.net.next_due_ms() or 0, self.true.ms + 60_000))
            self.deliver()
            self._tick()
            check_step(self)
            if self._is_quiet() and not self._run_again():
                return
        raise ViolationError("I8", f"not quiet after {QUIET_ROUNDS} rounds: {self._unrest()}")

    def _run_again(self) -> bool:
        """Upgrade the cloud and try every parked event once more; True while that changes anything (I16)."""
        self.upgrade_cloud()
        for node in self.edges.values():
            ctx = ApplyContext(node.name, node.lot_id, OPERATOR, 1, self.cloud.clock.now().wall_ms)
            if self.cloud.do(lambda conn, ctx=ctx: rerun_parked(conn, ctx, "admin")):  # type: ignore[misc]
                self.books.look(self)
                return True
        return self._unrest() != []

    def _is_quiet(self) -> bool:
        return self.net.next_due_ms() is None and not self._unrest()

    def _unrest(self) -> list[str]:
        """What is still open between the lots and the cloud."""
        return [reason for node in self.edges.values() for reason in self.books.unrest(self, node)]
