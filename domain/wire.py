"""What goes over the line: canonical JSON, one compression byte, and signatures with a purpose (sync §3)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, is_dataclass
from functools import cache, lru_cache
from json.encoder import encode_basestring as _quoted
from operator import attrgetter
from typing import Any

Json = dict[str, Any]
Sign = Callable[[bytes, bytes], bytes]  # (purpose, message) -> signature
Verify = Callable[[bytes, bytes, bytes], bool]  # (purpose, message, signature) -> genuine?
Writer = Callable[[Any], str]  # a value -> its canonical text

INFLATED_LIMIT = 1 << 20  # bytes: a zlib bomb is refused, not unpacked
COMPRESSED_LIMIT = 64 * 1024  # bytes of one batch on the line
PLAIN, ZLIB = b"\x00", b"\x01"
LARGEST = (1 << 53) - 1  # exact for every JSON reader, and no sum of such numbers leaves a database's 64 bits
GENESIS = bytes(32)  # the hash before the first event of an epoch


class BadMessageError(ValueError):
    """Bytes from the line that do not follow the protocol; nothing may be done because of them."""


def canonical(value: object) -> bytes:
    """UTF-8 JSON, keys sorted, no spaces: equal values give equal bytes. A dataclass is the object of its fields.

    Raises TypeError on a float, on a key that is no string, or on anything else that JSON has no form for.
    """
    return _text(value).encode()


def _text(value: object) -> str:
    return _WRITERS.get(type(value), _other)(value)


def _object(value: Mapping[str, object]) -> str:
    names, form = _shape(tuple(value))
    return form % tuple([_WRITERS.get(type(item), _other)(item) for item in map(value.__getitem__, names)])


@lru_cache(maxsize=512)
def _shape(names: tuple[str, ...]) -> tuple[list[str], str]:
    """Names in order, and the object with a place for each value: most messages differ in their values only."""
    in_order = sorted(names)
    keys = [_quoted(name).replace("%", "%%") for name in in_order]
    return in_order, "{" + ",".join([f"{key}:%s" for key in keys]) + "}"


def _array(value: Iterable[object]) -> str:
    return "[" + ",".join([_WRITERS.get(type(item), _other)(item) for item in value]) + "]"


def _other(value: object) -> str:
    kind = type(value)
    if isinstance(value, (str, int)):  # members of enumerations
        return _quoted(value) if isinstance(value, str) else int.__repr__(value)
    if is_dataclass(kind):
        write = _WRITERS[kind] = _writer_of(kind)
        return write(value)
    if isinstance(value, Mapping):
        return _object(value)
    if isinstance(value, float):
        raise TypeError("a float has no place in a message")
    raise TypeError(f"{kind.__name__} has no form in a message")


LATER: Mapping[str, bool] = {"later": True}
"""Metadata of a field that older records had not: left out while it is its default, so that they keep their bytes."""


def _writer_of(kind: type) -> Writer:
    """How to write a dataclass; fields that came later only where they say something."""
    late = {one.name: one.default for one in fields(kind) if one.metadata.get("later")}
    usual = _writer_for([one.name for one in fields(kind) if one.name not in late])
    if not late:
        return usual

    @cache
    def writer_with(said: tuple[str, ...]) -> Writer:
        return _writer_for([one.name for one in fields(kind) if one.name not in late or one.name in said])

    def write(value: object) -> str:
        said = [name for name, default in late.items() if getattr(value, name) != default]
        return writer_with(tuple(said))(value) if said else usual(value)

    return write


def _writer_for(names: list[str]) -> Writer:
    """A writer of these members: they are sorted once, not with every value."""
    in_order, form = _shape(tuple(names))
    values = attrgetter(*in_order) if len(in_order) > 1 else lambda one: [getattr(one, name) for name in in_order]

    def write(value: object) -> str:
        return form % tuple([_WRITERS.get(type(item), _other)(item) for item in values(value)])

    return write


_WRITERS: dict[type, Writer] = {
    str: _quoted,
    int: int.__repr__,
    bool: lambda value: "true" if value else "false",
    type(None): lambda _: "null",
    dict: _object,
    list: _array,
    tuple: _array,
}


def chain_hash(previous: bytes, body: bytes) -> bytes:
    """``SHA-256(previous || u32 length || body)``: each event vouches for all before it."""
    return hashlib.sha256(previous + len(body).to_bytes(4, "big") + body).digest()


def pack(message: Json) -> bytes:
    """One payload: a byte that says plain or zlib, then the JSON."""
    text = canonical(message)
    if len(text) < 512:
        return PLAIN + text
    return ZLIB + zlib.compress(text, 1)


def unpack(payload: bytes) -> Json:
    """The message of *payload*. Raises BadMessageError on anything but one JSON object within the limit."""
    kind, rest = payload[:1], payload[1:]
    if kind == ZLIB:
        rest = _inflate(rest)
    elif kind != PLAIN:
        raise BadMessageError("payload starts with neither 0 nor 1")
    if len(rest) > INFLATED_LIMIT:
        raise BadMessageError("payload is larger than 1 MiB")
    try:
        message = json.loads(rest, parse_float=_no_float, parse_constant=_no_float)
    except (ValueError, RecursionError) as exc:
        raise BadMessageError("payload is not JSON") from exc
    if not isinstance(message, dict):
        raise BadMessageError("payload is not a JSON object")
    return message


def _inflate(data: bytes) -> bytes:
    inflater = zlib.decompressobj()
    try:
        text = inflater.decompress(data, INFLATED_LIMIT + 1)
    except zlib.error as exc:
        raise BadMessageError("payload does not inflate") from exc
    if len(text) > INFLATED_LIMIT or not inflater.eof:
        raise BadMessageError("payload inflates beyond 1 MiB or is cut short")
    return text


def _no_float(text: str) -> object:
    raise BadMessageError(f"a float has no place in a message: {text}")


def signed(purpose: str, edge: str, message: Json, sign: Sign) -> Json:
    """*message* with a ``sig`` that binds it to one *purpose* and one *edge* (``*`` for all)."""
    return {**message, "sig": base64.b64encode(sign(_purpose(purpose), _to_sign(edge, message))).decode()}


def is_genuine(purpose: str, edge: str, message: Json, verify: Verify) -> bool:
    """Was *message* signed for exactly this *purpose* and *edge*? Never raises."""
    try:
        signature = base64.b64decode(str(message["sig"]), validate=True)
        unsigned = {key: value for key, value in message.items() if key != "sig"}
        return verify(_purpose(purpose), _to_sign(edge, unsigned), signature)
    except (KeyError, TypeError, binascii.Error, ValueError):
        return False


def _purpose(kind: str) -> bytes:
    return b"lotgate-" + kind.encode() + b"\x00"  # the zero keeps one purpose from being the start of another


def _to_sign(edge: str, message: Json) -> bytes:
    return edge.encode() + b"\x00" + canonical(message)


def text(message: Json, key: str) -> str:
    """The string at *key*. Raises BadMessageError when it is missing or something else."""
    value = message.get(key)
    if not isinstance(value, str):
        raise BadMessageError(f"{key!r} must be a string")
    return value


def whole(message: Json, key: str) -> int:
    """The integer at *key*, 0 to 2^53 - 1. Raises BadMessageError when it is missing or something else."""
    value = message.get(key)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= LARGEST:
        raise BadMessageError(f"{key!r} must be a whole number")
    return value


def digest_bytes(message: Json, key: str) -> bytes:
    """The 32 bytes written in hex at *key*. Raises BadMessageError."""
    try:
        value = bytes.fromhex(text(message, key))
    except ValueError as exc:
        raise BadMessageError(f"{key!r} must be hex") from exc
    if len(value) != 32:
        raise BadMessageError(f"{key!r} must be 32 bytes")
    return value
