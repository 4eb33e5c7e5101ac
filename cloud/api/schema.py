"""The JSON Schema the calls are described in: the few words of it that we use, checked as they are published."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

Schema = dict[str, Any]

MOST_FEN: Final = 10**11
MOST_ID: Final = 10**15 - 1
LONGEST: Final = 200

FLAG: Final[Schema] = {"type": "boolean"}
WHOLE: Final[Schema] = {"type": "integer"}
ID: Final[Schema] = {"type": "integer", "minimum": 1, "maximum": MOST_ID}
MOMENT: Final[Schema] = {"type": "integer", "description": "UTC, milliseconds since 1970"}
DONE: Final[Schema] = {
    "type": "object",
    "properties": {"done": {"const": True}},
    "required": ["done"],
    "additionalProperties": False,
}
DAY: Final[Schema] = {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$", "description": "a calendar day"}
NAME_PATTERN: Final = "^[0-9A-Za-z_.-]{1,64}$"
NAMED: Final[Schema] = {"type": "string", "pattern": NAME_PATTERN}


def text(longest: int = LONGEST, shortest: int = 0) -> Schema:
    """A string a person typed; no database takes the character NUL."""
    return {"type": "string", "minLength": shortest, "maxLength": longest, "pattern": r"^[^\u0000]*$"}


def whole(least: int, most: int) -> Schema:
    """A whole number between two bounds, both allowed."""
    return {"type": "integer", "minimum": least, "maximum": most}


PAGE: Final = whole(1, 100_000)
END_MS: Final = 1 << 47  # later than any moment
AT_MS: Final = whole(0, END_MS)
"""Which page of a list, from 1."""


def one_of(*values: str) -> Schema:
    """One of a few words."""
    return {"type": "string", "enum": list(values)}


def maybe(schema: Schema) -> Schema:
    """The same, or null."""
    return {"anyOf": [schema, {"type": "null"}]}


def listing(items: Schema, most: int | None = None) -> Schema:
    """A list."""
    return {"type": "array", "items": items} | ({} if most is None else {"maxItems": most})


def record(required: Mapping[str, Schema], optional: Mapping[str, Schema] | None = None) -> Schema:
    """An object with these members and no others."""
    return {
        "type": "object",
        "properties": {**required, **(optional or {})},
        "required": list(required),
        "additionalProperties": False,
    }


def wrong(schema: Schema, value: object, at: str = "") -> list[str]:
    """What is wrong with *value*, each as ``place: why``; empty when nothing is."""
    if "anyOf" in schema:
        return [] if any(not wrong(each, value, at) for each in schema["anyOf"]) else [f"{at}: fits nothing allowed"]
    if "const" in schema:
        same = type(value) is type(schema["const"]) and value == schema["const"]
        return [] if same else [f"{at}: must be {schema['const']}"]
    match schema.get("type"):
        case "string":
            return _wrong_text(schema, value, at)
        case "integer":
            return _wrong_number(schema, value, at)
        case "array":
            return _wrong_list(schema, value, at)
        case "object":
            return _wrong_record(schema, value, at)
        case "boolean":
            return [] if isinstance(value, bool) else [f"{at}: must be true or false"]
        case "null":
            return [] if value is None else [f"{at}: must be null"]
    return []


def _wrong_text(schema: Schema, value: object, at: str) -> list[str]:
    if not isinstance(value, str):
        return [f"{at}: must be a string"]
    if "enum" in schema and value not in schema["enum"]:
        return [f"{at}: must be one of {', '.join(schema['enum'])}"]
    if not schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value)):
        return [f"{at}: has the wrong length"]
    if "pattern" in schema and re.search(schema["pattern"].replace("$", r"\Z"), value) is None:
        return [f"{at}: has characters that are not allowed"]
    return []


def _wrong_number(schema: Schema, value: object, at: str) -> list[str]:
    if not isinstance(value, int) or isinstance(value, bool):
        return [f"{at}: must be a whole number"]
    if not schema.get("minimum", value) <= value <= schema.get("maximum", value):
        return [f"{at}: is too small or too large"]
    return []


def _wrong_list(schema: Schema, value: object, at: str) -> list[str]:
    if not isinstance(value, list):
        return [f"{at}: must be a list"]
    if len(value) > schema.get("maxItems", len(value)):
        return [f"{at}: has too many items"]
    return [fault for number, each in enumerate(value) for fault in wrong(schema["items"], each, f"{at}[{number}]")]


def _wrong_record(schema: Schema, value: object, at: str) -> list[str]:
    if not isinstance(value, dict):
        return [f"{at or 'body'}: must be an object"]
    known = schema.get("properties", {})
    faults = [f"{at}.{name}: is missing" for name in schema.get("required", ()) if name not in value]
    if schema.get("additionalProperties") is False:
        faults += [f"{at}.{name}: is not known" for name in value if name not in known]
    return faults + [
        fault for name, each in value.items() if name in known for fault in wrong(known[name], each, f"{at}.{name}")
    ]


def shown(schema: Schema, value: Any) -> Any:
    """*value* cut down to what *schema* tells the world of: a column nobody described never gets out."""
    if "anyOf" in schema:
        return None if value is None else shown(schema["anyOf"][0], value)
    if schema.get("type") == "array":
        return [shown(schema["items"], each) for each in value]
    if schema.get("type") == "object" and "properties" in schema:
        return {name: shown(inner, value[name]) for name, inner in schema["properties"].items() if name in value}
    return value
