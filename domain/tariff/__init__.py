"""Tariffs: a declarative price list (docs/tariffs.md) and the fee it yields as lines."""

from domain.tariff.book import TariffBook, pricer, quote_after_payment, round_due
from domain.tariff.model import Method, Prepaid, Rounding, Tariff, TariffError, VehicleClass
from domain.tariff.parse import parse_tariff
from domain.tariff.quote import Line, Quote, StayFacts, TariffRef, quote

__all__ = [
    "Line",
    "Method",
    "Prepaid",
    "Quote",
    "Rounding",
    "StayFacts",
    "Tariff",
    "TariffBook",
    "TariffError",
    "TariffRef",
    "VehicleClass",
    "parse_tariff",
    "pricer",
    "quote",
    "quote_after_payment",
    "round_due",
]
