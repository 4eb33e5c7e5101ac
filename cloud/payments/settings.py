"""The part ``[payments]`` of the cloud's settings file, and the providers it names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from cloud.payments.alipay.options import AlipayOptions
from cloud.payments.provider import PaymentProvider
from cloud.payments.wechat.options import WechatOptions
from plumbing.files import ExposedFileError
from plumbing.settings import Problem, SettingsError


@dataclass(frozen=True, slots=True)
class PaymentSettings:
    """Accounts at providers by their name, and what one person may refund alone."""

    refund_limit_fen: int = 20_000  # above it a second person agrees
    refund_limit_minutes: int = 2_400  # the same of a purse's parking minutes
    fee_per_mille: int = 6  # agreed with the providers; bills that charge otherwise are differences. 0: not looked at
    wechat: dict[str, WechatOptions] = field(default_factory=dict)
    alipay: dict[str, AlipayOptions] = field(default_factory=dict)

    def __post_init__(self) -> None:
        names = [*self.wechat, *self.alipay]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"two accounts have one name: {', '.join(twice)}")
        wrong = sorted(name for name in names if not (name.isascii() and name.replace("-", "").isalnum()))
        if wrong:
            raise ValueError(f"an account's name has letters, digits and - only: {', '.join(wrong)}")


def open_providers(settings: PaymentSettings, now_ms: Callable[[], int]) -> dict[str, PaymentProvider]:
    """Every account's provider by name. Raises SettingsError for keys that cannot be used."""
    try:
        return _opened(settings, now_ms)
    except (ValueError, ExposedFileError, OSError) as exc:
        raise SettingsError("payments", [Problem("", str(exc))]) from exc


def _opened(settings: PaymentSettings, now_ms: Callable[[], int]) -> dict[str, PaymentProvider]:
    found: dict[str, PaymentProvider] = {}
    if settings.wechat:
        from cloud.payments.wechat.client import WechatPay

        found |= {name: WechatPay(options, now_ms) for name, options in settings.wechat.items()}
    if settings.alipay:
        from cloud.payments.alipay.client import Alipay

        found |= {name: Alipay(options, now_ms) for name, options in settings.alipay.items()}
    return found
