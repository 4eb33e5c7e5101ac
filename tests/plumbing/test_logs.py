from __future__ import annotations

import io
import json
import logging
from collections.abc import Callable, Iterator

import pytest

from plumbing.logs import configure, scrub


@pytest.fixture
def logged() -> Iterator[Callable[..., io.StringIO]]:
    root = logging.getLogger()
    before, level = list(root.handlers), root.level

    def start(*, json: bool) -> io.StringIO:
        stream = io.StringIO()
        configure(json=json, stream=stream)
        return stream

    yield start
    root.handlers[:] = before
    root.setLevel(level)


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("car 京A12345 in", "car 京A·1***5 in"),
        ("粤BD12345离场", "粤B·D****5离场"),
        ("plate=沪A·88888", "plate=沪A·8***8"),
        ("粤Z9065澳", "粤Z·9**5澳"),
        ("京a12345 WJ京0001A WJ012345", "京a·1***5 WJ·京****A WJ·0****5"),
        ("使014578 民航B1234 VA12345", "使0·1***8 民航·B***4 VA·1***5"),
        ("GET /stay/%E4%BA%ACA12345", "GET /stay/京A·1***5"),
        ("WATCHDOG=1 WARNING 云SQLITE 新 VERSION2 第12345号", "WATCHDOG=1 WARNING 云SQLITE 新 VERSION2 第12345号"),
        ("stay 0192f0c1-7d1e-7abc-8def-0123456789ab closed", "stay 0192f0c1-7d1e-7abc-8def-0123456789ab closed"),
        ("/stay/京A12345?x=1", "/stay/京A·1***5?x=1"),
        ("lane 3 opened in 12 ms", "lane 3 opened in 12 ms"),
        ("password=hunter2 user=a", "password=[redacted] user=a"),
        ('{"pass_wd": "x y", "port": 80}', '{"pass_wd": [redacted], "port": 80}'),
        ("Authorization: Bearer abc.def", "Authorization: [redacted]"),
        ("api_token=abc&x=1", "api_token=[redacted]&x=1"),
        ("pin: 4071", "pin: [redacted]"),
        ("shipping: 4071", "shipping: 4071"),
    ],
)
def test_plates_and_secrets_do_not_reach_the_log(text: str, clean: str) -> None:
    assert scrub(text) == clean


def test_json_lines_carry_fields_scrubbed_at_every_depth(logged: Callable[..., io.StringIO]) -> None:
    stream = logged(json=True)

    logging.getLogger("edge.lanes").info(
        "read %s", "京A12345", extra={"lane": "in", "body": {"pass_wd": "x", "plates": ["京A12345"]}, "fee_fen": 500}
    )

    line = json.loads(stream.getvalue())
    assert line["message"] == "read 京A·1***5"
    assert line["body"] == {"pass_wd": "[redacted]", "plates": ["京A·1***5"]}
    assert (line["level"], line["logger"], line["lane"], line["fee_fen"]) == ("info", "edge.lanes", "in", 500)
    assert line["time"].endswith("Z")


def test_a_traceback_is_kept_and_scrubbed(logged: Callable[..., io.StringIO]) -> None:
    stream = logged(json=False)

    try:
        raise ValueError("no stay for 京A12345")
    except ValueError:
        logging.getLogger("edge").exception("leave failed", extra={"token": "abc"})

    text = stream.getvalue()
    assert "ERROR edge: leave failed token=[redacted]" in text
    assert "ValueError: no stay for 京A·1***5" in text
    assert "12345" not in text
