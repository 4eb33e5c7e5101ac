"""Plates of GA 36-2018: normal form, kinds, what a kind hints at, masking. Look-alikes live in ``domain.lookalike``."""

from __future__ import annotations

import re
import unicodedata
from enum import StrEnum
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


_P: Final = f"[{PROVINCES}]"
_O: Final = "[A-HJ-NP-Z]"  # issuing office: no I, no O
_S: Final = "[A-HJ-NP-Z0-9]"  # serial

_FORMS: Final = tuple(
    (kind, re.compile(form))
    for kind, form in (  # the first form that fits wins: WJ12345 is armed police before it is army
        (PlateKind.NORMAL, f"{_P}{_O}{_S}{{5}}"),
        (PlateKind.NEV_SMALL, f"{_P}{_O}[A-HJK]{_S}[0-9]{{4}}"),
        (PlateKind.NEV_LARGE, f"{_P}{_O}[0-9]{{5}}[A-HJK]"),
        (PlateKind.POLICE, f"{_P}[A-HJ-Z]{_S}{{4}}警"),
        (PlateKind.TRAINING, f"{_P}{_O}{_S}{{4}}学"),
        (PlateKind.TRAILER, f"{_P}{_O}{_S}{{4}}挂"),
        (PlateKind.TEST, f"{_P}{_O}{_S}{{4}}试"),
        (PlateKind.OVERSIZE, f"{_P}{_O}{_S}{{4}}超"),
        (PlateKind.HK_MACAO, f"粤Z{_S}{{4}}[港澳]"),
        (PlateKind.EMBASSY, "[0-9]{6}使|使[0-9]{6}"),
        (PlateKind.CONSULATE, f"{_P}[0-9]{{5}}领|{_P}{_O}[0-9]{{4}}领"),
        (PlateKind.ARMED_POLICE, f"WJ{_P}?[0-9]{{4}}{_S}|WJ[0-9]{{6}}{_S}"),
        (PlateKind.EMERGENCY, f"{_P}[XS][0-9]{{4}}应急"),
        (PlateKind.AVIATION, "民航[A-Z0-9]{5}"),
        (PlateKind.POLICE_OLD, f"{_P}O{_S}{{5}}"),
        (PlateKind.ARMY, f"{_O}{{2}}[0-9]{{5}}"),
    )
)

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


def normalise(raw: str) -> str:
    """The one spelling under which a plate is stored and compared; applying it twice changes nothing.

    Full width becomes half width, capitals, no spaces or dots, I and O in serial positions become 1 and 0,
    and of a three-place plate (粤ZJ068澳|MX7742|ZM127) the mainland one stays.
    """
    first = unicodedata.normalize("NFKC", raw).upper().split("|", 1)[0].translate(_DROPPED)
    bare = unicodedata.normalize("NFKC", "".join(letter for letter in first if not unicodedata.combining(letter)))
    return bare[:2] + bare[2:].translate(_SERIAL)


def classify(plate: str) -> PlateKind | None:
    """The kind whose form *plate* (in normal form) has, or None when no plate looks like that."""
    for kind, form in _FORMS:
        if form.fullmatch(plate):
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
