"""JSON and XML of cameras as one kind of tree: names in lower case, values as text, depth bounded. No I/O."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from drivers.base import BadFrameError
from drivers.xml import DEEPEST, parse_xml, tree_of

MAX_TEXT = 128


def tree_in(data: bytes, what: str, limit: int) -> Mapping[str, Any]:
    """*data* in either notation. Raises BadFrameError naming *what* sent it."""
    if len(data) > limit:
        raise BadFrameError(f"{what} of {len(data)} bytes; at most {limit} are taken")
    if is_json(data):
        return json_tree(data, what)
    return tree_of(parse_xml(data, what, limit))


def is_json(data: bytes) -> bool:
    """Does it begin like a JSON object?"""
    return data[:64].lstrip(b"\xef\xbb\xbf \r\n\t")[:1] == b"{"


def json_tree(data: bytes, what: str) -> Mapping[str, Any]:
    """A JSON object; of its lists the first item. Raises BadFrameError."""
    try:
        value = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as exc:
        raise BadFrameError(f"{what} is not JSON") from exc
    lowered = _lowered(value, what, 0)
    if not isinstance(lowered, dict):
        raise BadFrameError(f"{what} is not a JSON object")
    return lowered


def _lowered(value: Any, what: str, depth: int) -> Any:
    if depth > DEEPEST:
        raise BadFrameError(f"{what} is nested too deep")
    if isinstance(value, dict):
        return {str(name).lower(): _lowered(inner, what, depth + 1) for name, inner in value.items()}
    if isinstance(value, list):
        return _lowered(value[0], what, depth + 1) if value else ""
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def object_in(tree: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """The object called *name*, an empty one where there is none."""
    value = tree.get(name)
    return value if isinstance(value, dict) else {}


def text_in(tree: Mapping[str, Any], name: str, limit: int = MAX_TEXT) -> str:
    """The text called *name*, "" where there is none. Raises BadFrameError."""
    value = tree.get(name, "")
    if not isinstance(value, str) or len(value) > limit:
        raise BadFrameError(f"{name} is not text of at most {limit} characters")
    return value.strip()


def number_in(tree: Mapping[str, Any], name: str) -> float | None:
    """A number of at most six figures; firmware writes 98, 98.0 and nothing at all."""
    try:
        value = float(text_in(tree, name))
    except ValueError:
        return None
    return value if 0 <= value < 1_000_000 else None


def confidence_in(tree: Mapping[str, Any], name: str) -> int:
    """A confidence, 0 to 100; some firmware exceeds that."""
    return min(int(number_in(tree, name) or 0), 100)
