"""Both languages say the same things, and every page finds its words."""

from __future__ import annotations

import re
from pathlib import Path

import cloud
import edge
from cloud.web.shell import CAPABILITIES, HERE, LOCALES
from domain.events import TYPES
from domain.stay import Outcome, UnpaidCause
from domain.sync.channel import CHANNELS
from plumbing.i18n import SHELL_LOCALE, differences, load_catalogue

CATALOGUE = load_catalogue(SHELL_LOCALE, *LOCALES)
WRITTEN = r"(?:journal\.act\(conn, [\w.]+, |record_act, (?:office\.db, )?by, |audit\.record\(conn, act, |Deed\([^,]*, )"
ACT = re.compile(WRITTEN + r'"([\w.]+)"')


def test_both_languages_have_the_same_keys_and_fields() -> None:
    assert [found for locale in LOCALES for found in differences(locale)] == []


def test_events_acts_and_lists_are_words_not_codes() -> None:
    wanted = {f"event_type.{name}" for name, _ in TYPES}
    wanted |= {f"field.{name}" for cls in TYPES.values() for name, _ in cls.FIELDS}
    wanted |= {f"channel.{name}" for name in CHANNELS} | {f"cause.{one.value}" for one in UnpaidCause}
    wanted |= {f"outcome.{one.value}" for one in Outcome}
    folders = (Path(cloud.__file__).parent, Path(edge.__file__).parent)
    acts = {act for folder in folders for path in folder.rglob("*.py") for act in ACT.findall(path.read_text())}

    assert {"payment.take", "plate.type", "edge.claimed", "coupon.voided"} <= acts
    wanted |= {f"act.{name}" for name in acts}
    assert sorted(key for key in wanted if not CATALOGUE.has(key)) == []


def test_every_page_is_in_a_capability_that_the_shell_knows() -> None:
    held = {path.parent.parent.name for path in HERE.glob("*/templates/*.html")}
    assert held <= set(CAPABILITIES)
