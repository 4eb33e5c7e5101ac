"""No page without a picture: a new route is photographed by ``make screenshots`` or named as showing nobody anything."""

from __future__ import annotations

import pytest

from scripts.gallery import cloud_pages


def test_every_page_of_the_cloud_has_its_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    assert cloud_pages.without_picture() == []

    monkeypatch.setattr(cloud_pages, "DOORS", {**cloud_pages.DOORS, "GET /admin/brand-new": None})
    assert cloud_pages.without_picture() == ["GET /admin/brand-new"]
