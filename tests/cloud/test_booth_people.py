"""PINs for the booths: set here, closed for one device, and nothing of this cloud's own passwords goes along."""

from __future__ import annotations

from cloud.act import Refused
from cloud.booth import people
from cloud.sync import channels
from domain.wire import Json
from plumbing.sealing import SealKey
from plumbing.signing import PrivateKey
from tests.cloud.world import NOW, World

BOX = SealKey.of(PrivateKey.from_raw(b"c" * 32))
DEVICE, SUCCESSOR = (SealKey.of(PrivateKey.from_raw(letter * 32)) for letter in (b"d", b"e"))


def told(world: World) -> dict[str, Json]:
    return {str(row["name"]): row for _, row in channels.rows_of(world.conn, world.edge_id, people.CHANNEL)}


def add(world: World, name: str = "li", role: str = "attendant", lot_id: int | None = None) -> int:
    made = people.add(world.conn, world.act(), BOX, name, role, lot_id, f"$argon2id$of-{name}")
    assert isinstance(made, int), made
    return made


def hears(world: World, key: SealKey) -> None:
    people.heard_key(world.conn, world.operator_id, world.edge_id, key.public, BOX, NOW)


def opened(key: SealKey, row: Json) -> bytes:
    return key.open(bytes.fromhex(str(row["pin"])), people.label(str(row["name"])))


def test_a_device_gets_everybodys_pin_closed_for_itself_once_its_key_is_known(world: World) -> None:
    add(world)
    assert told(world) == {}, "nobody knows yet what this device can open"

    hears(world, DEVICE)
    add(world, "wang", "supervisor", world.lot_id)

    rows = told(world)
    assert {name: row["role"] for name, row in rows.items()} == {"li": "attendant", "wang": "supervisor"}
    assert opened(DEVICE, rows["li"]) == b"$argon2id$of-li"
    assert "argon2" not in str(rows)


def test_a_new_key_closes_all_anew_and_the_same_key_changes_nothing(world: World) -> None:
    hears(world, DEVICE)
    add(world)
    before = channels.versions(world.conn, world.edge_id)[people.CHANNEL]

    hears(world, DEVICE)
    assert channels.versions(world.conn, world.edge_id)[people.CHANNEL] == before
    hears(world, SUCCESSOR)

    assert opened(SUCCESSOR, told(world)["li"]) == b"$argon2id$of-li"


def test_a_new_pin_goes_out_and_who_ended_is_taken_back(world: World) -> None:
    hears(world, DEVICE)
    li = add(world)
    assert people.set_pin(world.conn, world.act(), BOX, li, "$argon2id$new") is None
    assert opened(DEVICE, told(world)["li"]) == b"$argon2id$new"

    assert people.end(world.conn, world.act(), BOX, li) is None

    assert told(world) == {}
    assert people.set_pin(world.conn, world.act(), BOX, li, "x") == Refused("booth_person_unknown")
    assert add(world) != li, "the name is free again"


def test_names_roles_and_lots_are_checked(world: World) -> None:
    add(world, lot_id=world.lot_id)

    def refused(name: str, role: str = "attendant", lot_id: int | None = None) -> object:
        made = people.add(world.conn, world.act(), BOX, name, role, lot_id, "h")
        return made.code if isinstance(made, Refused) else made

    assert refused("li") == "booth_name_taken"
    assert refused("a:b") == "booth_name_malformed"
    assert refused("zhao", "admin") == "booth_role_unknown"
    assert refused("zhao", lot_id=world.lot_id + 1) == "lot_unknown"
