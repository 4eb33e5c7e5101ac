"""Logging of both daemons: one line a record, JSON or plain, plates masked and secrets left out (E31).

    configure(json=settings.log_json, level=settings.log_level)
    log = logging.getLogger(__name__)
    log.info("barrier opened", extra={"lane": "east-in", "stay_id": stay_id})

Fields given by ``extra`` appear in both forms. Masking looks at the finished text, so a plate is caught wherever it
came from: the message, an argument, a field, a traceback.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TextIO
from urllib.parse import unquote

from domain.plate import PROVINCES, mask

REDACTED = "[redacted]"
SECRET_NAMES = ("password", "passwd", "pass_wd", "token", "secret", "authorization", "cookie", "private_key")

_PLATE = re.compile(
    rf"""(?x)
    (?<![A-Za-z0-9])(?:
      [{PROVINCES}][A-Za-z][·•.\-\s]?(?=[A-Za-z]*[0-9])[A-Za-z0-9]{{4,6}}   # also 学 挂 警 港 澳 … behind it
      | [{PROVINCES}][0-9]{{5}}领
      | WJ[{PROVINCES}]?[0-9]{{4,6}}[A-Z0-9]?
      | [A-HJ-NP-Z]{{2}}[0-9]{{5}}                                         # army
      | 使[0-9]{{6}} | [0-9]{{6}}使 | 民航[A-Z0-9]{{5}}
      | %E[4-9](?:%[89AB][0-9A-F]){{2}}[A-Za-z][A-Za-z0-9]{{4,6}}              # a province as it stands in addresses
    )(?![A-Za-z0-9])
    """
)
_SECRET = re.compile(
    rf"""(?ix)
    (["']?\b[\w-]*(?:{"|".join(SECRET_NAMES)}|\bpin)["']?\s*[=:]\s*)   # name and sign
    ("[^"]*"|'[^']*'|(?:Bearer\s+|Basic\s+|Digest\s+)?[^\s,;&}}]+)                                        # value
    """
)
_STANDARD = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}


def configure(*, json: bool = False, level: str = "INFO", stream: TextIO | None = None) -> None:
    """Send every log record to *stream* (standard error) in one form. Replaces what was configured before."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter() if json else PlainFormatter())
    root = logging.getLogger()
    for old in list(root.handlers):
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level)
    logging.getLogger("aiohttp.access").setLevel(logging.WARNING)  # addresses carry plates and tokens
    logging.getLogger("apscheduler").setLevel(logging.WARNING)  # its diary of jobs tells an operator nothing


def scrub(text: str) -> str:
    """*text* with plates masked and the values of secret names left out."""
    text = _SECRET.sub(rf"\1{REDACTED}", text)
    return _PLATE.sub(lambda found: mask(re.sub(r"[·•.\-\s]", "", unquote(found.group()))), text)


def _fields(record: logging.LogRecord) -> dict[str, object]:
    extra = {key: value for key, value in record.__dict__.items() if key not in _STANDARD and not key.startswith("_")}
    return {key: _safe(key, value) for key, value in extra.items()}


def _safe(key: str, value: object) -> object:
    if key.lower() == "pin" or any(name in key.lower() for name in SECRET_NAMES):
        return REDACTED
    if isinstance(value, Mapping):
        return {str(inner): _safe(str(inner), item) for inner, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_safe("", item) for item in value]
    if isinstance(value, str):
        return scrub(value)
    return value if isinstance(value, (int, float, bool)) or value is None else scrub(str(value))


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time (UTC, ms), level, logger, message, fields, trace."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": _stamp(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": scrub(record.getMessage()),
            **_fields(record),
        }
        if record.exc_info:
            line["trace"] = scrub(self.formatException(record.exc_info))
        return json.dumps(line, ensure_ascii=False, default=str)


class PlainFormatter(logging.Formatter):
    """For a terminal or journald: ``time LEVEL logger: message field=value``."""

    def format(self, record: logging.LogRecord) -> str:
        fields = "".join(f" {key}={value}" for key, value in _fields(record).items())
        line = f"{_stamp(record)} {record.levelname} {record.name}: {scrub(record.getMessage())}{fields}"
        if record.exc_info:
            line += "\n" + scrub(self.formatException(record.exc_info))
        return line


def _stamp(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
