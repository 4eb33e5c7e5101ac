"""What somebody may try by hand while the demo runs: where, and with which coupon."""

from __future__ import annotations

from lotgate.demo.pages import Pages
from lotgate.demo.people import Merchant, tokens_on
from lotgate.demo.system import System

TEMPLATE, YUAN, HOURS = "扫码抵扣 10 元", "10", "720"  # good for hours of a demo whose days pass in minutes
ON_PAPER = 10


async def addresses(system: System) -> list[tuple[str, str]]:
    """Names and addresses of pages that no login of the list leads to at once."""
    cloud = system.cloud_url
    return [
        ("shop, merchant", f"{cloud}/m/shop"),
        ("a coupon to claim", f"{cloud}/C/{await _unclaimed(system)}"),
        ("pay a fee by phone", f"{cloud}/pay/{system.known['lot_id']}"),
    ]


async def _unclaimed(system: System) -> str:
    """A code of the merchant's sheet that nobody has claimed; a new sheet when there is none left."""
    async with Pages(system.cloud_url) as pages:
        await pages.sign_in(**system.known["merchant"])
        merchant, sheet = Merchant(pages), system.known.get("sheet", "")
        codes = tokens_on(await pages.open(sheet)) if sheet else []
        if not codes:
            if not await merchant.has_template(TEMPLATE):
                await merchant.add_template(TEMPLATE, YUAN, HOURS)
            sheet = f"{(await merchant.print_codes(TEMPLATE, ON_PAPER)).path}/sheet"
            codes = tokens_on(await pages.open(sheet))
            system.known["sheet"] = sheet
            system.folder.keep_known(system.known)
    return codes[0]
