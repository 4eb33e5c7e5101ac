"""Values by a JSON Schema, good and bad, the same for the same seed."""

from __future__ import annotations

from random import Random
from typing import Any

NASTY: tuple[object, ...] = (
    None, True, -1, 0, 1 << 62, 10**30, 1.5, "", "\u0000", "京A12345", "'; DROP TABLE coupon; --", "<script>",
    "a" * 5000, "%", "\U0001f697", "../..", [], {}, [[[]]], {"a": {"b": None}},
)  # fmt: skip
ALPHABET = "abcXYZ019_-. 京沪%'\"<"


class Values:
    """*known* are values worth trying by the name of their field: ids that exist, one's own and others'."""

    def __init__(self, seed: str, known: dict[str, list[Any]]) -> None:
        self._random = Random(seed)
        self._known = known

    def fitting(self, schema: dict[str, Any], name: str = "") -> Any:
        """A value *schema* takes."""
        random, kind = self._random, schema.get("type")
        if "anyOf" in schema:
            return self.fitting(random.choice(schema["anyOf"]), name)
        if "const" in schema:
            return schema["const"]
        if name in self._known and random.random() < 0.8:
            value = random.choice(self._known[name])
            return int(value) if kind == "integer" else str(value)
        if kind == "object":
            wanted = {key: each for key, each in schema.get("properties", {}).items()}
            kept = [key for key in wanted if key in schema.get("required", ()) or random.random() < 0.6]
            return {key: self.fitting(wanted[key], key) for key in kept}
        if kind == "array":
            return [self.fitting(schema["items"], name) for _ in range(random.randrange(3))]
        if kind == "integer":
            least, most = schema.get("minimum", -(10**6)), schema.get("maximum", 10**6)
            return random.choice([least, most, random.randint(least, min(most, least + 2000))])
        if kind == "boolean":
            return random.random() < 0.5
        return None if kind == "null" else self._text(schema)

    def _text(self, schema: dict[str, Any]) -> str:
        random = self._random
        if "enum" in schema:
            return str(random.choice(schema["enum"]))
        pattern = schema.get("pattern", "")
        if pattern.startswith("^[0-9]{4}-[0-9]{2}"):
            return "2026-05-30"[: 10 if pattern.count("-[0-9]") == 2 else 7]
        if "[0-9]{" in pattern:
            return "".join(random.choice("0123456789") for _ in range(11))
        if "[0-9a-fA-F]{64}" in pattern:
            return "".join(random.choice("0123456789abcdef") for _ in range(64))
        if "maxLength" not in schema:
            return "".join(random.choice("abc012-") for _ in range(20))
        length = random.randint(schema.get("minLength", 0), min(schema["maxLength"], 40))
        return "".join(random.choice(ALPHABET) for _ in range(length))

    def broken(self, schema: dict[str, Any], name: str = "") -> Any:
        """A fitting value with one thing in it made wrong, or something else altogether."""
        value = self.fitting(schema, name)
        if isinstance(value, dict) and value and self._random.random() < 0.8:
            spoiled = self._random.choice(sorted(value))
            return {**value, spoiled: self._random.choice(NASTY)}
        return self._random.choice(NASTY)

    def chance(self, share: float) -> bool:
        """True in *share* of all cases."""
        return self._random.random() < share
