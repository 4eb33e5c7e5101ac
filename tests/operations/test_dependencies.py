"""What is locked is what is declared, documented, and to be had on a lot's appliance."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from scripts.dependencies import EDGE_EXTRAS, Locked, best, linux_packages
from tests.services.needs import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))


def documented(document: str) -> set[tuple[str, str]]:
    text = (ROOT / "docs" / document).read_text("utf-8")
    return set(re.findall(r"^\| ([a-z0-9.\-]+) \| (\d[^ |]*) \|", text, re.MULTILINE))


def declared(*extras: str) -> set[str]:
    wanted = [*PROJECT["dependencies"], *(one for extra in extras for one in PROJECT["optional-dependencies"][extra])]
    return {re.split(r"[\[<>=!~; ]", one)[0].lower().replace("_", "-") for one in wanted}


@pytest.mark.parametrize(
    ("lock", "extras"),
    [
        ("test", tuple(PROJECT["optional-dependencies"])),
        ("demo", ("edge", "cloud", "vision", "broker")),
        ("edge", EDGE_EXTRAS),
        ("cloud", ("cloud", "pg")),
    ],
)
def test_a_lock_holds_every_dependency_that_is_declared(lock: str, extras: tuple[str, ...]) -> None:
    locked = {one.name for one in linux_packages(lock)}

    assert declared(*extras) - locked == set()


def test_smaller_locks_hold_the_versions_the_tests_run_with() -> None:
    tested = set(linux_packages("test"))

    for lock in ("demo", "edge", "cloud"):
        assert {(one.name, one.version) for one in linux_packages(lock)} <= {(one.name, one.version) for one in tested}


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.stem)
def test_every_locked_package_has_a_hash_and_no_address(lock: Path) -> None:
    text = lock.read_text("utf-8")

    for block in re.split(r"\n(?=[a-z0-9])", text)[1:]:
        assert "--hash=sha256:" in block, block.splitlines()[0]
    assert not re.search(r"https?:|^-", text, re.MULTILINE)


def test_every_locked_package_is_listed_with_its_licence() -> None:
    locked = {(one.name, one.version) for one in linux_packages("test")}

    assert locked == documented("third-party.md")
    assert "not stated" not in (ROOT / "docs" / "third-party.md").read_text("utf-8")


def test_every_edge_package_has_a_wheel_for_the_appliance() -> None:
    table = (ROOT / "docs" / "platforms.md").read_text("utf-8")

    assert {(one.name, one.version) for one in linux_packages("edge")} == documented("platforms.md")
    assert "| none |" not in table


@pytest.mark.parametrize(
    ("wheel", "answer"),
    [
        ("x-1-py3-none-any.whl", "any machine"),
        ("x-1-cp311-cp311-manylinux_2_17_aarch64.manylinux2014_aarch64.whl", "wheel, 2.17"),
        ("x-1-cp37-abi3-manylinux_2_28_aarch64.whl", "wheel, 2.28"),
        ("x-1-cp311-cp311-manylinux_2_17_x86_64.whl", "none"),
        ("x-1-cp312-cp312-manylinux_2_17_aarch64.whl", "none"),
        ("x-1-cp311-cp311-manylinux_2_39_aarch64.whl", "none"),
        ("x-1-cp311-cp311-musllinux_1_2_aarch64.whl", "none"),
    ],
)
def test_what_a_wheel_name_means_for_the_appliance(wheel: str, answer: str) -> None:
    assert best(Locked("x", "1", ""), {("x", "1"): [wheel]}, "3.11") == answer
