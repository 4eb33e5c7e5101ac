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


def test_a_wait_for_the_broker_is_a_second_or_more(tmp_path: Path) -> None:
    config = tmp_path / "cloud.toml"
    config.write_text("[broker]\nlongest_wait_s = 0\n", encoding="utf-8")

    with pytest.raises(SettingsError, match="longest_wait_s is 1 or more"):
        load_settings(config)


def test_a_proxy_is_believed_only_where_it_is_named(tmp_path: Path) -> None:
    config = tmp_path / "cloud.toml"
    config.write_text('[listen]\ntrusted_proxies = ["127.0.0.1"]\n', encoding="utf-8")

    assert load_settings(config).listen.trusted_proxies == ("127.0.0.1",)
