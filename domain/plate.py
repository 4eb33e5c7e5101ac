"""Plates of GA 36-2018: normal form, kinds, what a kind hints at, masking. Look-alikes live in ``domain.lookalike``."""

from __future__ import annotations

import re
import unicodedata
from enum import StrEnum
from functools import lru_cache
from typing import Final

PROVINCES: Final = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"

_DROPPED: Final = dict.fromkeys(map(ord, " \t\r\n·•・∙⋅.-‐‑–—"))
_SERIAL: Final = str.maketrans("IO", "10")
_NO_PLATE: Final = frozenset({"", "_无_", "无", "无牌", "无牌车", "未识别"})


class PlateColour(StrEnum):
    """Ground colour of a plate."""

    UNKNOWN = "unknown"
    BLUE = "blue"
    YELLOW = "yellow"
    WHITE = "white"
    BLACK = "black"
    GREEN = "green"
    YELLOW_GREEN = "yellow_green"


class PlateKind(StrEnum):
    """What sort of vehicle a plate's form says it is on."""

    NORMAL = "normal"
    NEV_SMALL = "nev_small"
    NEV_LARGE = "nev_large"
    POLICE = "police"
    POLICE_OLD = "police_old"  # 京O..., no longer issued, still read
    TRAINING = "training"
    TRAILER = "trailer"
    TEST = "test"
    OVERSIZE = "oversize"
    HK_MACAO = "hk_macao"
    EMBASSY = "embassy"
    CONSULATE = "consulate"
    ARMED_POLICE = "armed_police"
    ARMY = "army"
    EMERGENCY = "emergency"
    AVIATION = "aviation"


class PlateVerdict(StrEnum):
    """What may be done with a read: act on it, put it to a person, or nothing."""

    ACCEPT = "accept"
    ASK = "ask"
    UNREAD = "unread"


_DIGITS: Final = "0123456789"
_CAPITALS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_OFFICES: Final = "ABCDEFGHJKLMNPQRSTUVWXYZ"  # issuing offices: no I, no O
_SERIALS: Final = _OFFICES + _DIGITS
_ENERGIES: Final = "ABCDEFGHJK"  # letters of new-energy plates

LATIN: Final = _CAPITALS + _DIGITS
"""What plates of other countries are written in."""

FORMS: Final[tuple[tuple[PlateKind, tuple[str, ...]], ...]] = (
    (PlateKind.NORMAL, (PROVINCES, _OFFICES, *[_SERIALS] * 5)),
    (PlateKind.NEV_SMALL, (PROVINCES, _OFFICES, _ENERGIES, _SERIALS, *[_DIGITS] * 4)),
    (PlateKind.NEV_LARGE, (PROVINCES, _OFFICES, *[_DIGITS] * 5, _ENERGIES)),
    (PlateKind.POLICE, (PROVINCES, _OFFICES + "O", *[_SERIALS] * 4, "警")),
    (PlateKind.TRAINING, (PROVINCES, _OFFICES, *[_SERIALS] * 4, "学")),
    (PlateKind.TRAILER, (PROVINCES, _OFFICES, *[_SERIALS] * 4, "挂")),
    (PlateKind.TEST, (PROVINCES, _OFFICES, *[_SERIALS] * 4, "试")),
    (PlateKind.OVERSIZE, (PROVINCES, _OFFICES, *[_SERIALS] * 4, "超")),
    (PlateKind.HK_MACAO, ("粤", "Z", *[_SERIALS] * 4, "港澳")),
    (PlateKind.EMBASSY, (*[_DIGITS] * 6, "使")),
    (PlateKind.EMBASSY, ("使", *[_DIGITS] * 6)),
    (PlateKind.CONSULATE, (PROVINCES, *[_DIGITS] * 5, "领")),
    (PlateKind.CONSULATE, (PROVINCES, _OFFICES, *[_DIGITS] * 4, "领")),
    (PlateKind.ARMED_POLICE, ("W", "J", PROVINCES, *[_DIGITS] * 4, _SERIALS)),
    (PlateKind.ARMED_POLICE, ("W", "J", *[_DIGITS] * 4, _SERIALS)),
    (PlateKind.ARMED_POLICE, ("W", "J", *[_DIGITS] * 6, _SERIALS)),
    (PlateKind.EMERGENCY, (PROVINCES, "XS", *[_DIGITS] * 4, "应", "急")),
    (PlateKind.AVIATION, ("民", "航", *[LATIN] * 5)),
    (PlateKind.POLICE_OLD, (PROVINCES, "O", *[_SERIALS] * 5)),
    (PlateKind.ARMY, (_OFFICES, _OFFICES, *[_DIGITS] * 5)),
)
"""Every form of plate as the characters allowed at each place; the first that fits wins: WJ12345 is armed police."""

_PATTERNS: Final = tuple((kind, re.compile("".join(f"[{places}]" for places in form))) for kind, form in FORMS)

FREE_BY_KIND: Final = frozenset({PlateKind.POLICE, PlateKind.ARMED_POLICE, PlateKind.ARMY, PlateKind.EMERGENCY})
"""Kinds that usually park free; a lot may take another set. POLICE_OLD is not here: the form is easy to misread."""

KIND_COLOURS: Final = {
    PlateKind.NORMAL: frozenset({PlateColour.BLUE, PlateColour.YELLOW}),
    PlateKind.NEV_SMALL: frozenset({PlateColour.GREEN}),
    PlateKind.NEV_LARGE: frozenset({PlateColour.YELLOW_GREEN}),
    PlateKind.POLICE: frozenset({PlateColour.WHITE}),
    PlateKind.POLICE_OLD: frozenset({PlateColour.WHITE, PlateColour.BLUE}),
    PlateKind.TRAINING: frozenset({PlateColour.YELLOW}),
    PlateKind.TRAILER: frozenset({PlateColour.YELLOW}),
    PlateKind.TEST: frozenset({PlateColour.WHITE}),
    PlateKind.OVERSIZE: frozenset({PlateColour.WHITE}),
    PlateKind.HK_MACAO: frozenset({PlateColour.BLACK}),
    PlateKind.EMBASSY: frozenset({PlateColour.BLACK}),
    PlateKind.CONSULATE: frozenset({PlateColour.BLACK}),
    PlateKind.ARMED_POLICE: frozenset({PlateColour.WHITE}),
    PlateKind.ARMY: frozenset({PlateColour.WHITE}),
    PlateKind.EMERGENCY: frozenset({PlateColour.WHITE}),
    PlateKind.AVIATION: frozenset({PlateColour.GREEN}),
}
"""Ground colours each kind is made in; a camera that says another colour has probably misread."""


@lru_cache(maxsize=1024)  # a lane asks what one read says a dozen times
def normalise(raw: str) -> str:
    """The one spelling under which a plate is stored and compared; applying it twice changes nothing.

    Full width becomes half width, capitals, no spaces or dots, I and O in serial positions become 1 and 0,
    and of a three-place plate (粤ZJ068澳|MX7742|ZM127) the mainland one stays.
    """
    first = unicodedata.normalize("NFKC", raw).upper().split("|", 1)[0].translate(_DROPPED)
    bare = unicodedata.normalize("NFKC", "".join(letter for letter in first if not unicodedata.combining(letter)))
    return bare[:2] + bare[2:].translate(_SERIAL)


@lru_cache(maxsize=1024)  # one decision asks for the same plate several times
def classify(plate: str) -> PlateKind | None:
    """The kind whose form *plate* (in normal form) has, or None when no plate looks like that."""
    for kind, pattern in _PATTERNS:
        if pattern.fullmatch(plate):
            return kind
    return None


def is_no_plate(plate: str) -> bool:
    """Whether a reader said in so many words that it found no plate (cameras send ``_无_``)."""
    return plate in _NO_PLATE


def is_virtual(plate: str) -> bool:
    """Whether *plate* is one of ours for a car without plates (无ES16V2A): 无 and seven capitals or digits."""
    return plate[:1] == "无" and len(plate) == 8 and plate[1:].isascii() and plate[1:].isalnum()


def is_electric(plate: str) -> bool:
    """Whether a new-energy plate's letter says pure electric (A-E) rather than hybrid and others (F-K)."""
    match classify(plate):
        case PlateKind.NEV_SMALL:
            return plate[2] in "ABCDE"
        case PlateKind.NEV_LARGE:
            return plate[7] in "ABCDE"
        case _:
            return False


def colour_fits(plate: str, colour: PlateColour) -> bool:
    """Whether *colour* is one this plate is made in; unknown colours and unknown kinds fit everything."""
    kind = classify(plate)
    return kind is None or colour is PlateColour.UNKNOWN or colour in KIND_COLOURS[kind]


def mask(plate: str) -> str:
    """*plate* for logs and for eyes without the right to see it: 京A12345 -> 京A·1***5."""
    if len(plate) < 5:
        return plate[:1] + "*" * (len(plate) - 1)
    return f"{plate[:2]}·{plate[2]}{'*' * (len(plate) - 4)}{plate[-1]}"
