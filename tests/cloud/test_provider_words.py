"""What is one payment provider's own stays in its folder and its part of the settings."""

from __future__ import annotations

import re
from pathlib import Path

import cloud
import domain

CLOUD, DOMAIN = Path(cloud.__file__).parent, Path(domain.__file__).parent
PAYMENTS = CLOUD / "payments"
PROVIDERS = sorted(path.parent.name for path in PAYMENTS.glob("*/client.py"))
NAMES = re.compile(r"wechat|weixin|wcpay|alipay|micromessenger|微信|支付宝", re.IGNORECASE)
OWN = {PAYMENTS / "settings.py", *(PAYMENTS / name for name in PROVIDERS)}
SIGNING_IN = {"access", "migrations"}  # merchants may come in by an account there, which pays nothing
MONEY = (*sorted(path for path in CLOUD.iterdir() if path.is_dir() and path.name not in SIGNING_IN), DOMAIN)
ROUTES = CLOUD / "web" / "doors.py"  # names the addresses of those who sign in so
LINK = re.compile(r"(?:{% if wechat %}|\bwechat=request|/wechat|wechat\.code|settings\.wechat_login)")


def words(file: Path) -> list[str]:
    found = []
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        if NAMES.search(line) and not (LINK.search(line) and "payments" not in file.parts):
            found.append(f"{file.relative_to(CLOUD.parent)}:{number}: {line.strip()}")
    return found


def test_no_word_of_a_provider_stands_outside_its_own_files() -> None:
    files = [
        file
        for folder in MONEY
        for file in sorted(folder.rglob("*"))
        if file.suffix in (".py", ".html", ".js") and not OWN & {file, *file.parents} and file != ROUTES
    ]

    assert len(files) > 200
    assert [line for file in files for line in words(file)] == []


def test_both_providers_are_looked_for() -> None:
    assert PROVIDERS == ["alipay", "wechat"]
    assert all(words(PAYMENTS / name / "client.py") for name in PROVIDERS)
