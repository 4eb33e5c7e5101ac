"""Both languages say the same things, and every page finds its words."""

from __future__ import annotations

from pathlib import Path

import cloud
from plumbing.i18n import differences


def test_both_languages_have_the_same_keys_and_fields() -> None:
    assert differences(Path(cloud.__file__).parent / "locale") == []
