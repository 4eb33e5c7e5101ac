"""What happens on the line itself: facts, lists, commands, and people who tamper with messages."""

from __future__ import annotations

from dataclasses import replace

from cloud.sync.channels import put_row
from cloud.sync.commands import add_command
from domain.events import ActRecorded
from domain.sync.channel import CHANNELS
from domain.wire import canonical, chain_hash, pack, signed, unpack
from edge.db import log
from edge.db.database import transaction
from tests.simulator.acts import act
from tests.simulator.keys import key_of
from tests.simulator.net import UP, Packet
from tests.simulator.nodes import OPERATOR, EdgeNode
from tests.simulator.violations import ViolationError
from tests.simulator.world import World


def any_edge(world: World) -> EdgeNode:
    """One of the lots."""
    return world.edges[world.rng.choice(list(world.edges))]


@act(10)
def write_facts(world: World) -> None:
    """A lot writes down what happened, one or several facts in one transaction."""
    node, count = any_edge(world), world.rng.choice((1, 1, 2, 7))

    def work(_: object) -> None:
        with transaction(node.db) as conn:
            for _ in range(count):
                log.append(conn, ActRecorded("a", "noted", f"fact {next(world.numbers)}", ""), node.clock.now())

    node.do(work)


@act(4)
def change_list(world: World) -> None:
    """The cloud changes, adds or removes rows of a list, several in one transaction."""
    node, channel = any_edge(world), world.rng.choice(CHANNELS)
    keys = [f"k{world.rng.randrange(12)}" for _ in range(world.rng.choice((1, 2, 6)))]
    number = next(world.numbers)
    rows = [(key, None if world.rng.randrange(4) == 0 else {"number": number, "plate": key}) for key in keys]
    now_ms = world.cloud.clock.now().wall_ms

    def work(conn: object) -> None:
        for key, value in rows:
            put_row(conn, OPERATOR, node.name, channel, key, value, now_ms)  # type: ignore[arg-type]

    world.cloud.do(work)
    world.books.look(world)


@act(2)
def open_from_afar(world: World) -> None:
    """Somebody in the cloud asks for a barrier to open: within seconds or never."""
    node, now_ms = any_edge(world), world.cloud.clock.now().wall_ms
    body = {"lane": "out", "by": "admin", "reason": "queue", "asked_ms": world.true.ms}
    world.cloud.do(lambda conn: add_command(conn, OPERATOR, node.name, "barrier.open", body, now_ms, now_ms + 15_000))
    world.books.look(world)


@act(3)
def replay_packet(world: World) -> None:
    """Somebody on the way keeps a message and lets it arrive again, much later (I18)."""
    if world.net.seen:
        packet = world.rng.choice(list(world.net.seen))
        world.say(f"replayed: {packet.way} {packet.edge} {packet.kind}")
        world.net.put(packet, world.true.ms)


@act(3)
def forge_packet(world: World) -> None:
    """Somebody without the keys twists or invents a message: nothing whatever may change (I18, I19)."""
    if not world.net.seen:
        return
    packet = world.rng.choice(list(world.net.seen))
    forged = world.rng.choice((twisted, resigned, misdirected, confused))(world, packet)
    if forged is None:
        return
    world.say(f"forged: {forged.way} {forged.edge} {forged.kind}")
    if forged.way == UP:
        _expect_deaf_cloud(world, forged)
    else:
        _expect_deaf_edge(world, forged)


def twisted(world: World, packet: Packet) -> Packet | None:
    """A field changed, the signature kept."""
    message = unpack(packet.payload)
    names = [name for name in message if name not in {"sig", "v"} and isinstance(message[name], (int, str))]
    name = world.rng.choice(sorted(names))
    value = message[name]
    changed = value + 1 if isinstance(value, int) else value[::-1] + "x"
    if packet.way == UP and packet.kind == "ev":  # the signature covers epoch, last seq and the chain's head
        name, changed = "ep", message["ep"] + 1
    return replace(packet, payload=pack({**message, name: changed}))


def resigned(world: World, packet: Packet) -> Packet | None:
    """Signed by a key nobody trusts, or for another purpose."""
    message = {name: value for name, value in unpack(packet.payload).items() if name != "sig"}
    purpose = world.rng.choice((packet.kind, "other"))
    signer = key_of("stranger") if purpose == packet.kind else key_of("cloud")
    return replace(packet, payload=pack(signed(purpose, packet.edge, message, signer)))


def misdirected(world: World, packet: Packet) -> Packet | None:
    """Meant for, or said by, another edge."""
    others = [name for name in world.edges if name != packet.edge]
    return replace(packet, edge=world.rng.choice(others)) if others else None


def confused(world: World, packet: Packet) -> Packet | None:
    """An ack, well signed and of this session, for a history the edge never wrote."""
    if packet.way == UP or packet.kind != "ack":
        return None
    message = {name: value for name, value in unpack(packet.payload).items() if name != "sig"}
    node = world.edges[packet.edge]
    agent = node.agent
    session = agent._session if agent else None
    if session is None or not node.history:
        return None
    message |= {"s": len(node.history), "h": "ab" * 32, "sid": session.sid}
    return replace(packet, payload=pack(signed("ack", packet.edge, message, key_of("cloud"))))


def _expect_deaf_cloud(world: World, forged: Packet) -> None:
    if not world.cloud.is_running:
        return
    with world.cloud.looking() as conn:
        before = conn.total_changes
        out = world.cloud.received(0, forged.edge, forged.kind, forged.payload)
        if out or conn.total_changes != before:
            raise ViolationError("I19", f"the cloud acted on a forged {forged.kind} of {forged.edge}")


def _expect_deaf_edge(world: World, forged: Packet) -> None:
    node = world.edges.get(forged.edge)
    if node is None or not node.is_running:
        return
    with node.looking() as conn:
        before = conn.total_changes
        out = node.do(lambda agent: agent.received(forged.kind, forged.payload, node.clock.now()))
        if out or conn.total_changes != before:
            raise ViolationError("I18", f"{node.name} acted on a forged {forged.kind}")


@act(1)
def write_fact_of_a_newer_release(world: World) -> None:
    """A lot runs ahead of the cloud: its event is parked and the log goes on (I16)."""
    node = any_edge(world)

    def work(_: object) -> None:
        with transaction(node.db) as conn:
            epoch, seq, head = conn.execute("SELECT epoch, next_seq, head FROM stream").fetchone()
            now = node.clock.now()
            body = canonical(
                {"s": seq, "t": "door.sung", "tv": 1, "b": now.boot, "m": now.boot_ms, "w": now.wall_ms, "q": 3, "u": 0,
                 "d": {"song": next(world.numbers)}}
            )  # fmt: skip
            after = chain_hash(head, body)
            row = (epoch, seq, "door.sung", 1, 0, now.wall_ms, body, after)
            conn.execute("INSERT INTO outbox VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
            conn.execute("UPDATE stream SET next_seq = ?, head = ?", (seq + 1, after))

    node.do(work)


@act(1)
def forget_old_facts(world: World) -> None:
    """A lot throws away what the cloud has (acked events stay 30 days; here: none)."""
    node = any_edge(world)

    def work(_: object) -> None:
        with transaction(node.db) as conn:
            log.prune(conn, node.clock.now().wall_ms + 1)

    node.do(work)
