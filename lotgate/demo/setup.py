"""The first run: an operator's lot, its edge and a merchant with money, made the way people make them."""

from __future__ import annotations

import asyncio
import re
import secrets
import sys
from collections.abc import Callable
from typing import Any

from lotgate.demo.cloud_api import CloudApi
from lotgate.demo.folder import DemoError, Folder, Ports, write_edge_settings
from lotgate.demo.pages import Pages
from lotgate.demo.people import Operator
from lotgate.demo.script import yuan

ATTENDANT = "booth"
PIN = re.compile(r"^PIN\s+(\S+)", re.MULTILINE)
MONEY_FEN, TIME_MIN = 500_000, 6_000
TEMPLATES = {
    "amount": {"name": "停车抵扣 10 元", "kind": "AMOUNT", "value": 1_000},
    "duration": {"name": "免费停车 2 小时", "kind": "DURATION", "value": 120},
    "voucher": {"name": "小票抵扣 15 元", "kind": "AMOUNT", "value": 1_500},
}
PRODUCT = "停车抵扣 15 元（预购）"
PRODUCT_FEN, UNIT_FEN = 1_500, 900  # what one takes off, and what one costs

Known = dict[str, Any]


class FirstRun:
    """Does what is not done yet, each step remembered as soon as it is done."""

    def __init__(self, folder: Folder, ports: Ports, cloud: CloudApi, tell: Callable[[str], None]) -> None:
        self._folder, self._ports, self._cloud, self._tell = folder, ports, cloud, tell
        self.known: Known = folder.load_known()

    async def run(self) -> Known:
        """All steps; what there is to know afterwards."""
        steps = (
            self._admin, self._lot, self._merchant, self._merchant_login, self._product, self._edge, self._settings,
            self._claim,
        )  # fmt: skip
        for step in steps:
            await step()
        return self.known

    @property
    def is_done(self) -> bool:
        """Was everything set up by an earlier run?"""
        return "attendant" in self.known and "product" in self.known

    def _keep(self, **values: object) -> None:
        self.known |= values
        self._folder.keep_known(self.known)

    async def _admin(self) -> None:
        """The first account changes the password it was made with."""
        if "token" not in self.known:
            self._tell("administrator")
            first = (self._folder.root / "secrets" / "first-admin").read_text(encoding="ascii").strip()
            password = self.known.get("admin", {}).get("password") or secrets.token_urlsafe(9)
            self._keep(admin={"account": "admin", "password": password})
            try:
                token = await self._cloud.sign_in("admin", first, password)
            except DemoError:  # an earlier first run ended between the change and our note of it
                token = await self._cloud.sign_in("admin", password)
            self._keep(token=token)
        self._cloud.token = self.known["token"]

    async def _lot(self) -> None:
        if "lot_id" not in self.known:
            self._tell("lot and lanes")
            lot = self._folder.lot.table()
            lanes = [
                {"name": one["name"], "direction": one["direction"], "from": one["source"], "to": one["target"]}
                for one in lot["lanes"]
            ]
            made = await self._cloud.post("lots", name=lot["name"], places=self._folder.lot.places, lanes=lanes)
            self._keep(lot_id=made["lot_id"])

    async def _merchant(self) -> None:
        """Prepaid, settled on issue, with a contract at the lot, filled purses and templates."""
        if "merchant_id" in self.known:
            return
        self._tell("merchant, top-up, templates")
        made = await self._cloud.post("merchants", name="示例咖啡", phone="13800000000", lots=[self.known["lot_id"]])
        merchant_id = made["merchant_id"]
        await self._cloud.post(f"merchants/{merchant_id}/top-up", commodity="FEN", paid=MONEY_FEN)
        await self._cloud.post(f"merchants/{merchant_id}/top-up", commodity="MIN", paid=TIME_MIN)
        templates = {}
        for name, template in TEMPLATES.items():
            added = await self._cloud.post(f"merchants/{merchant_id}/templates", **template, valid_min=1440)
            templates[name] = added["template_id"]
        merchant = {"account": made["account_no"], "password": made["password"]}
        self._keep(merchant_id=merchant_id, merchant=merchant, templates=templates, merchant_first=True)

    async def _merchant_login(self) -> None:
        if self.known["merchant_first"]:
            merchant, password = self.known["merchant"], secrets.token_urlsafe(9)
            await self._cloud.sign_in(merchant["account"], merchant["password"], password)
            self._keep(merchant=merchant | {"password": password}, merchant_first=False)

    async def _product(self) -> None:
        """Something the shop sells, put up on the operator's own page."""
        if "product" in self.known:
            return
        async with Pages(self._cloud.base) as pages:
            await pages.sign_in(**self.known["admin"])
            await Operator(pages).offer(PRODUCT, yuan(PRODUCT_FEN), yuan(UNIT_FEN))
        self._keep(product=PRODUCT)

    async def _edge(self) -> None:
        if "edge" not in self.known:
            self._tell("edge and its claim")
            made = await self._cloud.post("edges", lot_id=self.known["lot_id"], name="演示岗亭")
            self._keep(edge=made["edge_id"], claim=made["claim"])

    async def _settings(self) -> None:
        write_edge_settings(self._folder, self._ports, self.known["lot_id"], self.known["edge"])

    async def _claim(self) -> None:
        """``lotgate provision``: device key, first attendant, and the claim shown to the cloud once."""
        if "attendant" in self.known:
            return
        self._tell("device key, claim, attendant")
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "lotgate", "provision", "--config", str(self._folder.edge_toml),
            "--attendant", ATTENDANT, "--claim", self.known["claim"],
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        output = (await process.communicate())[0].decode()
        pin = PIN.search(output)
        if process.returncode or pin is None:
            raise DemoError(f"the edge could not be set up:\n{output}")
        self._keep(attendant={"account": ATTENDANT, "password": pin[1]}, claim="")
