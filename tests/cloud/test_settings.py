"""What the cloud's settings refuse."""

from __future__ import annotations

from pathlib import Path

import pytest

from cloud.settings import load_settings
from plumbing.settings import SettingsError


def test_several_workers_need_a_database_they_can_share(tmp_path: Path) -> None:
    config = tmp_path / "cloud.toml"
    config.write_text("[broker]\nworkers = 2\n", encoding="utf-8")

    with pytest.raises(SettingsError, match="several workers need PostgreSQL"):
        load_settings(config)

    config.write_text('database_url = "postgresql+psycopg:///lotgate"\n[broker]\nworkers = 2\n', encoding="utf-8")
    settings = load_settings(config)
    assert settings.broker is not None
    assert settings.broker.workers == 2
