"""Slips on paper: the bytes as the printer likes them, and an honest word on how it ended (I13)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from domain.coupon import CouponKind
from domain.coupon.terms import terms_of
from domain.slip import Paper, Slip
from domain.slip_faces import Face, Language, TestPage, Voucher
from domain.slip_layouts import Layout, lay_out
from domain.voucher import number, paper_text
from domain.wire import Json
from drivers.base import DeviceError, NothingSentError, Printer, PrinterStatus
from edge.services.issuing import Issued
from edge.services.lot import Lot
from plumbing.paper.encode import drawer_pulse, encode
from plumbing.paper.profile import Profile
from plumbing.paper.shipped import layout_of

log = logging.getLogger(__name__)

MINUTE_MS = 60_000
GOOD = (PrinterStatus.READY, PrinterStatus.PAPER_LOW)
MAY_TRY = (*GOOD, PrinterStatus.UNKNOWN)  # many cheap units never answer


@dataclass(frozen=True, slots=True)
class Ended:
    """How a job ended: ``confirmed``, ``failed`` (nothing was sent) or ``unknown`` (it may be on paper).

    *silent*: unknown for no other reason than that this printer never answers, and somebody is asked instead.
    """

    state: str
    silent: bool = False


async def as_shipped(name: str) -> Layout:
    """The layout of a lot that changes nothing."""
    return layout_of(name)


@dataclass(slots=True)
class SlipPrinter:
    """A printer of the lot file with the way it likes its slips, and how the lot lays them out."""

    device: Printer
    profile: Profile
    layout_of: Callable[[str], Awaitable[Layout]] = as_shipped
    jobs: int = 0  # in the printer now
    went_well: bool = False  # its last job ended with the printer saying that all is well

    @property
    def paper(self) -> Paper:
        """How wide its slips are."""
        return self.profile.width

    async def status(self) -> PrinterStatus:
        """The printer's own word. Raises DeviceUnreachableError."""
        return await self.device.status()

    async def is_ready(self) -> bool:
        """May a job be tried? A printer known to be out of paper gets none."""
        try:
            return await self.device.status() in MAY_TRY
        except DeviceError as exc:
            log.warning("printer: %s", exc)
            return False

    @property
    def has_drawer(self) -> bool:
        """Does a cash drawer hang at it?"""
        return self.profile.drawer != "none"

    async def open_drawer(self) -> bool:
        """Send the drawer its pulse; False when nothing was sent. Whether it moved no printer can say."""
        try:
            await self.device.print(drawer_pulse(self.profile))
        except NothingSentError as exc:
            log.error("printer: drawer: %s", exc)
            return False
        except DeviceError as exc:  # it got there: a printer without paper opens its drawer all the same
            log.warning("printer: drawer: %s", exc)
        return True

    async def lay_out(self, face: Face, lot: Lot) -> Slip:
        """*face* as this lot prints it on this printer's paper."""
        return lay_out(face, await self.layout_of(face.layout), self.paper, language_of(lot))

    def test_page(self, name: str, lot: Lot, now_ms: int) -> TestPage:
        """What shows whether it prints right."""
        return TestPage(name, lot.local(now_ms), self.paper)

    async def sample(self, layout: str, lot: Lot, now_ms: int) -> bytes:
        """PNG of a sample of *layout*, drawn from the bytes this printer would get."""
        from plumbing.paper.picture import sample  # only who looks needs it

        laid_out, at = await self.layout_of(layout), lot.local(now_ms)
        return await asyncio.to_thread(sample, laid_out, self.profile, lot.name, at, language_of(lot))

    async def put_on_paper(self, slip: Slip) -> Ended:
        """Print once. ``confirmed`` only when the printer says afterwards that all is well."""
        data = await asyncio.to_thread(encode, slip, self.profile)  # a QR takes 10 ms, and lanes wait for nobody
        self.went_well = False
        self.jobs += 1
        try:
            status = await self.device.print(data)
        except NothingSentError as exc:
            log.error("printer: %s", exc)
            return Ended("failed")
        except DeviceError as exc:
            log.error("printer: %s", exc)
            return Ended("unknown")
        finally:
            self.jobs -= 1
        if status in GOOD:
            self.went_well = True
            return Ended("confirmed")
        return Ended("unknown", silent=self.profile.confirms == "attendant" and status is PrinterStatus.UNKNOWN)


def slip_printers(
    printers: Mapping[str, Printer], profiles: Mapping[str, Profile], layouts: Callable[[str], Awaitable[Layout]]
) -> dict[str, SlipPrinter]:
    """Every printer of a lot by its name."""
    return {name: SlipPrinter(device, profiles[name], layouts) for name, device in printers.items()}


def language_of(lot: Lot) -> Language:
    """What its slips are written in."""
    return Language.ZH if lot.locale == "zh-CN" else Language.EN


def face_of(
    lot: Lot, host: str, issued: Issued, template: Json, merchant: str, by: str, now_ms: int, till: str
) -> Voucher:
    """What the voucher says; *till* is where it was printed."""
    payload = issued.payload

    def local(minutes: int) -> datetime:
        return lot.local(minutes * MINUTE_MS)

    return Voucher(
        lot=lot.name,
        merchant=merchant,
        kind=CouponKind(str(template["kind"])),
        value=int(template.get("value") or 0),
        not_before=lot.local(now_ms),
        not_after=local(payload.not_after_min),
        number=number(payload),
        qr=paper_text(host, issued.token),
        issued_at=lot.local(now_ms),
        issued_by=by,
        till=till,
        until=terms_of(template.get("terms")).free_until(lot.local(now_ms)),
        max_fen=payload.cap_fen or None,
    )
