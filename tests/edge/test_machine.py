"""What the doctor says of the machine: its medium, wear, copies, clocks and certificates, in both languages."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from edge import machine, ntp
from edge.copying import standing_of
from edge.finding import Finding
from edge.machine import Places, machine_findings, medium_of
from edge.settings import Broker, Copies, EdgeSettings
from plumbing import backup
from plumbing.tls import Authority, make_request
from tests.edge.lots import settings, small_lot

NOW_S = 1_795_219_200.0


@pytest.fixture(autouse=True)
def no_ntp(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "ntp_program", lambda: "")


@pytest.fixture
def places(tmp_path: Path) -> Places:
    (tmp_path / "sys" / "dev" / "block").mkdir(parents=True)
    (tmp_path / "zoneinfo" / "Asia").mkdir(parents=True)
    (tmp_path / "zoneinfo" / "Asia" / "Shanghai").touch()
    (tmp_path / "localtime").symlink_to(tmp_path / "zoneinfo" / "Asia" / "Shanghai")
    return Places(tmp_path / "sys", tmp_path / "localtime")


def disk(places: Places, folder: Path, name: str = "mmcblk0", *, kind: str = "SD", life: str = "") -> None:
    """Let *folder* lie on the second partition of a disk."""
    device = places.sys / "devices" / name
    part = device / f"{name}p2"
    (device / "device").mkdir(parents=True)
    part.mkdir()
    (part / "partition").write_text("2")
    (device / "device" / "type").write_text(f"{kind}\n")
    (device / "device" / "life_time").write_text(life)
    number = folder.stat().st_dev
    (places.sys / "dev" / "block" / f"{os.major(number)}:{os.minor(number)}").symlink_to(part)


def said(found: list[Finding], words: str) -> Finding:
    (one,) = [finding for finding in found if words in finding.what]
    assert one.well or one.advice
    return one


def look(lot: EdgeSettings, places: Places, copies: dict[str, object] | None = None) -> list[Finding]:
    return machine_findings(lot, copies, NOW_S, places)


@pytest.mark.parametrize(("kind", "well"), [("SD", False), ("MMC", True)])
def test_a_database_on_an_sd_card_is_told(tmp_path: Path, places: Places, kind: str, well: bool) -> None:
    disk(places, tmp_path, kind=kind)

    found = look(settings(tmp_path, locale="en"), places)

    assert said(found, "the database lies on").well is well


@pytest.mark.parametrize(
    ("life", "percent", "well"), [("0x02 0x01", 20, True), ("0x01 0x09", 90, False), ("", None, True)]
)
def test_wear_is_told_where_the_disk_tells_it(
    tmp_path: Path, places: Places, life: str, percent: int | None, well: bool
) -> None:
    disk(places, tmp_path, kind="MMC", life=life)

    medium = medium_of(tmp_path, places)
    worn = [one for one in look(settings(tmp_path, locale="en"), places) if "of its life" in one.what]

    assert medium is not None
    assert medium.used_percent == percent
    assert [one.well for one in worn] == ([] if percent is None else [well])


def test_copies_are_wanted_on_another_disk_and_fresh(tmp_path: Path, places: Places) -> None:
    stick = tmp_path / "stick"
    stick.mkdir()
    disk(places, tmp_path, "sda", kind="")
    none, there = settings(tmp_path, locale="en"), settings(tmp_path, locale="en", copies=Copies(stick))

    def told(state: str, as_of_s: float | None) -> dict[str, object]:
        return {"state": state, "why": "gone", "as_of_ms": None if as_of_s is None else int(as_of_s * 1000)}

    assert not said(look(none, places), "no second medium").well
    assert not said(look(there, places), "same disk (sda)").well
    assert not said(look(there, places), "no copy on the second medium yet").well
    assert said(look(there, places, told("fine", NOW_S - 300)), "5 minutes old").well
    assert not said(look(there, places, told("fine", NOW_S - 7_200)), "120 minutes old").well
    assert not said(look(there, places, told("missing", None)), "no copy is made: gone").well


def test_without_a_daemon_the_newest_copy_says_how_old_it_is(tmp_path: Path, places: Places) -> None:
    lot = small_lot(tmp_path)
    backup.make(lot.db.conn, tmp_path / "stick", "e1", standing_of(lot.db.conn), int(NOW_S - 600) * 1000)

    found = look(settings(tmp_path, locale="en", copies=Copies(tmp_path / "stick")), places)

    assert said(found, "10 minutes old").well


@pytest.mark.parametrize("locale", ["zh-CN", "en"])
def test_clocks_and_zone_are_told_in_the_lots_language(tmp_path: Path, places: Places, locale: str) -> None:
    (places.sys / "class" / "rtc").mkdir(parents=True)
    lot = settings(tmp_path, locale=locale, time_zone="Asia/Urumqi")

    found = look(lot, places)

    words = {"en": ("no hardware clock", "no NTP", "time zone is Asia/Shanghai")}
    words["zh-CN"] = ("没有硬件时钟", "没有 NTP", "本机时区是 Asia/Shanghai")
    assert [said(found, word).well for word in words[locale]] == [False, False, False]


def test_certificates_that_end_soon_are_told_by_their_day(tmp_path: Path, places: Places) -> None:
    authority = Authority.create(tmp_path)
    days = (datetime.now(UTC) - datetime.fromtimestamp(NOW_S, UTC)).days
    for name, left in (("soon", 10), ("late", 200)):
        request = make_request(tmp_path / f"{name}.key", name)
        (tmp_path / f"{name}.pem").write_bytes(authority.issue_client(request, name, left - days))
    lots = {name: Broker(certificate=tmp_path / f"{name}.pem") for name in ("soon", "late", "none")}

    found = {name: look(settings(tmp_path, locale="en", broker=line), places) for name, line in lots.items()}

    assert not said(found["soon"], "soon.pem is good until").well
    assert said(found["late"], "late.pem is good until").well
    assert not said(found["none"], "no certificate that can be read").well


def test_chrony_is_believed_when_it_says_that_it_follows_a_source(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "chronyc"
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    answers = {}
    for leap in ("Normal", "Not synchronised"):
        line = f"A29FC87B,162.159.200.123,4,1795219200.1,0.0,0.0,0.0,-1.2,0.0,0.1,0.01,0.001,64.4,{leap}"
        program.write_text(f"#!/bin/sh\necho '{line}'\n")
        program.chmod(0o755)
        answers[leap] = ntp.chrony_is_right()
    program.write_text("#!/bin/sh\nexit 1\n")

    assert answers == {"Normal": True, "Not synchronised": False}
    assert not ntp.chrony_is_right()
