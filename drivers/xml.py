"""XML of devices: no entities, no document types, namespaces forgotten, stray ampersands forgiven, depth bounded."""

from __future__ import annotations

import re
from typing import TypeAlias
from xml.etree.ElementTree import Element, ParseError

import defusedxml  # type: ignore[import-untyped]
from defusedxml.ElementTree import fromstring  # type: ignore[import-untyped]

from drivers.base import BadFrameError

MAX_XML = 1024 * 1024
DEEPEST = 16
MOST_ELEMENTS = 4096
_STRAY = re.compile(rb"&(?!(?:amp|lt|gt|quot|apos|#\d{1,7}|#x[0-9a-fA-F]{1,6});)")

Tree: TypeAlias = "dict[str, str | Tree | list[Tree]]"


def parse_xml(data: bytes, what: str, limit: int = MAX_XML) -> Element:
    """The root of *data*. Raises BadFrameError naming *what* sent it."""
    if len(data) > limit:
        raise BadFrameError(f"{what}: XML of {len(data)} bytes; at most {limit} are taken")
    try:
        root: Element = fromstring(_STRAY.sub(b"&amp;", data.strip(b"\x00 \r\n\t")), forbid_dtd=True)
    except (ParseError, ValueError, LookupError, defusedxml.DefusedXmlException) as exc:
        raise BadFrameError(f"{what}: not XML that can be taken") from exc
    return root


def tree_of(element: Element, depth: int = 0) -> Tree:
    """Nested values by lower-case local name; of repeated names the first. Raises BadFrameError when too deep."""
    if depth > DEEPEST:
        raise BadFrameError(f"XML nested deeper than {DEEPEST}")
    tree: Tree = {}
    for child in element:
        name = local_name(child)
        if name not in tree:
            tree[name] = tree_of(child, depth + 1) if len(child) else (child.text or "").strip()
    return tree


def element_texts(data: bytes, what: str) -> dict[str, str]:
    """Every text of a small answer by lower-case local name, the first of each. Raises BadFrameError."""
    texts: dict[str, str] = {}
    for place, element in enumerate(parse_xml(data, what).iter()):
        if place >= MOST_ELEMENTS:
            break
        texts.setdefault(local_name(element), (element.text or "").strip())
    return texts


def local_name(element: Element) -> str:
    """The name without its namespace, lower case: firmware differs in both."""
    return str(element.tag).rpartition("}")[2].rpartition(":")[2].lower()
