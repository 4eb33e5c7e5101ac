"""Whose word on a lot's slips counts: the cloud's, else the lot file's, else what is shipped."""

from __future__ import annotations

from pathlib import Path

import pytest

from domain.wire import Json
from edge.layouts import Layouts, OwnSlip
from plumbing.paper.shipped import layout_of, shipped_text

TICKET = shipped_text("ticket").replace("入场凭证", "停车小票")


class Rows:
    """What the cloud told of this lot's slips."""

    def __init__(self, rows: dict[str, Json]) -> None:
        self.rows = rows

    async def read(self, _query: object, channel: str, key: str) -> Json | None:
        return self.rows.get(f"{channel} {key}")


async def test_the_cloud_is_asked_each_time_and_the_lot_file_comes_next(tmp_path: Path) -> None:
    file = tmp_path / "ticket.toml"
    file.write_text(TICKET, "utf-8")
    told = Rows({})
    layouts = Layouts(told.read, [OwnSlip("ticket", layout=file), OwnSlip("receipt", foot=("谢谢光临",))])

    assert await layouts.of("voucher") == layout_of("voucher")
    assert await layouts.of("ticket") == layout_of("ticket", TICKET) != layout_of("ticket")
    assert await layouts.of("receipt") == layout_of("receipt", "", (), ("谢谢光临",))

    told.rows["config slip:ticket"] = {"text": "", "head": ["欢迎"], "foot": []}
    assert await layouts.of("ticket") == layout_of("ticket", "", ("欢迎",))


async def test_a_layout_that_this_release_cannot_read_is_told_once_and_the_lots_own_goes_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    row: Json = {"text": 'lines = [ { picture = "logo" } ]'}
    layouts = Layouts(Rows({"config slip:receipt": row}).read, [OwnSlip("receipt", head=("欢迎",))])

    for _ in range(2):
        assert await layouts.of("receipt") == layout_of("receipt", "", ("欢迎",))

    assert [record.message for record in caplog.records] == [
        "the cloud's layout of the receipt cannot be used here: "
        "receipt.toml: lines[1]: must be a table with one of text, rule, feed, qr"
    ]
