"""Everything the demo runs, started in order and stopped in reverse: broker, cloud, edge, simulated devices."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from domain.wire import Json
from lotgate.demo.cloud_api import CloudApi
from lotgate.demo.folder import (
    DemoError,
    Folder,
    Ports,
    secret_variable,
    write_cloud_settings,
)
from lotgate.demo.local import LocalEdge
from lotgate.demo.lots import LOOPBACK
from lotgate.demo.processes import Child
from lotgate.demo.setup import FirstRun
from lotgate.demo.street import Hardware, Street
from plumbing.broker import BrokerError, EmbeddedBroker
from plumbing.demo_clock import DemoClock

LINE_S = 30.0
POLL_S = 0.1


@dataclass(slots=True)
class System:
    """A demo that is up."""

    folder: Folder
    ports: Ports
    broker: EmbeddedBroker
    cloud: Child
    edge: Child
    devices: Child
    gateway: Child
    api: CloudApi
    local: LocalEdge
    hardware: Hardware
    street: Street
    clock: DemoClock
    known: dict[str, Any] = field(default_factory=dict)

    @property
    def cloud_url(self) -> str:
        return f"http://{LOOPBACK}:{self.ports.cloud}"

    @property
    def edge_url(self) -> str:
        return f"http://{LOOPBACK}:{self.ports.booth}"

    @property
    def counter_url(self) -> str:
        return f"http://{LOOPBACK}:{self.ports.counter}"

    @property
    def slips_url(self) -> str:
        """Where the simulated printer shows its paper; "" in a lot whose devices are all twins."""
        return "" if self.folder.lot.tells_all else f"http://{LOOPBACK}:{self.ports.slips}"

    @property
    def gateway_url(self) -> str:
        return f"http://{LOOPBACK}:{self.ports.gateway}"

    def report(self) -> dict[str, Any]:
        """What demo.json says of a demo that is up."""
        children = {child.name: child.pid for child in (self.cloud, self.edge, self.devices, self.gateway)}
        return {
            "edge_url": self.edge_url,
            "cloud_url": self.cloud_url,
            "counter_url": self.counter_url,
            "slips_url": self.slips_url,
            "gateway_url": self.gateway_url,
            "broker_port": self.ports.broker,
            "admin": self.known["admin"],
            "merchant": self.known["merchant"],
            "attendant": self.known["attendant"],
            "pids": {"demo": os.getpid(), "broker": self.broker.pid, **children},
        }

    async def start_broker(self) -> None:
        """Start the broker. Raises DemoError when its port is taken."""
        try:
            await self.broker.start()
        except BrokerError as exc:
            raise DemoError(str(exc)) from exc

    async def start_cloud(self) -> None:
        """Start the cloud's process and wait until it answers."""
        await self.cloud.start()
        await self.cloud.ready(self.api.answers)

    async def start_devices(self) -> None:
        """Start the simulated devices; each answers before the edge looks for it."""
        await self.devices.start(pipes=True)
        await self.hardware.greet()

    async def start_edge(self) -> None:
        """Start the edge's process and wait until it answers."""
        await self.edge.start()
        await self.edge.ready(self.local.answers)

    async def is_being_paid(self) -> bool:
        """Is anybody paying online just now?"""
        try:
            async with aiohttp.request("GET", f"{self.gateway_url}/waiting") as answer:
                return bool((await answer.json())["waiting"])
        except (aiohttp.ClientError, ValueError):
            return False

    async def cut_off(self) -> None:
        """The cloud stops and the broker dies: the lot is on its own."""
        await self.cloud.stop()
        await asyncio.to_thread(self.broker.kill)

    async def bring_back(self) -> None:
        """Broker and cloud are there again."""
        await self.start_broker()
        await self.start_cloud()

    def look_for_ended(self) -> None:
        """Raises DemoError when one of the processes has ended by itself."""
        for child in (self.cloud, self.edge, self.devices, self.gateway):
            if child.pid is None:
                raise DemoError(f"{child.name} has ended; its last words:\n{child.last_words()}")

    async def stop_daemons(self) -> None:
        """Edge and cloud end; their databases are closed."""
        await asyncio.gather(self.edge.stop(), self.cloud.stop())

    async def in_touch(self) -> Json:
        """How the edge is, once it speaks with the cloud and nothing waits to be sent. Raises DemoError."""
        return await self.until(
            "the edge to be in touch with the cloud", lambda now: now["link"] == "online" and now["backlog"] == 0
        )

    async def until(self, what: str, holds: Callable[[Json], bool], within_s: float = LINE_S) -> Json:
        """How the edge is, as soon as *holds* is true of it. Raises DemoError naming *what* was waited for."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + within_s
        while not holds(standing := await self.local.standing()):
            if loop.time() > deadline:
                raise DemoError(f"waited {within_s:.0f} s in vain for {what}")
            await asyncio.sleep(POLL_S)
        return standing


def _child(folder: Folder, name: str, *arguments: str) -> Child:
    return Child(name, list(arguments), folder.logs / f"{name}.log")


@asynccontextmanager
async def running(folder: Folder, ports: Ports, tell: Callable[[str], None]) -> AsyncIterator[System]:
    """The whole system up, set up at the first run; everything is stopped on the way out, whatever happened."""
    write_cloud_settings(folder, ports)
    os.environ |= {secret_variable(name): folder.secret(name) for name in folder.lot.smart}
    users = {name: folder.secret(f"broker-{name}") for name in ("cloud", "edge")}
    async with AsyncExitStack() as stack:
        broker = EmbeddedBroker(folder.root / "secrets", users, ports.broker)
        cloud = _child(folder, "cloud", "cloud", "--config", str(folder.cloud_toml))
        edge = _child(folder, "edge", "edge", "--config", str(folder.edge_toml))
        hardware = _child(folder, "devices", "devices", *_wiring(folder, ports))
        stack.push_async_callback(broker.stop)
        paying = ("--port", str(ports.gateway), "--dir", str(folder.gateway), "--clock", str(folder.clock))
        gateway = _child(folder, "gateway", "pay-gateway", *paying)
        stack.push_async_callback(_stop_all, (edge, cloud, hardware, gateway))
        api = await stack.enter_async_context(CloudApi(f"http://{LOOPBACK}:{ports.cloud}"))
        local = await stack.enter_async_context(LocalEdge(folder.edge_socket))
        orders = Hardware(hardware)
        system = System(
            folder, ports, broker, cloud, edge, hardware, gateway, api, local, orders, Street(folder, orders, local),
            DemoClock(folder.clock),
        )  # fmt: skip
        await _start(system, tell)
        yield system


def _wiring(folder: Folder, ports: Ports) -> list[str]:
    """What the devices' process is told: the lot file, or the few ports of the small lot."""
    if folder.lot.tells_all:
        return ["--lot", str(folder.edge_toml)]
    wires = ["--board", str(ports.board), "--printer", str(ports.printer), "--device", str(ports.device)]
    wires += ["--slips", str(ports.slips), "--plug", str(ports.camera)]
    return [*wires, *(word for name in folder.lot.smart for word in ("--camera", name))]


async def _stop_all(children: tuple[Child, ...]) -> None:
    await asyncio.gather(*(child.stop() for child in children))


async def _start(system: System, tell: Callable[[str], None]) -> None:
    """Devices and the cloud come up side by side; the edge once it is set up."""
    tell("broker, cloud, devices")
    await system.start_broker()
    await system.gateway.start()  # nobody waits for it: until it answers, nobody can pay
    first = FirstRun(system.folder, system.ports, system.api, tell)
    if first.is_done:  # nothing to set up: all of them side by side
        await first.run()
        await asyncio.gather(system.start_cloud(), system.start_devices(), system.start_edge())
    else:
        await system.start_cloud()
        await first.run()
        tell("edge")
        await asyncio.gather(system.start_devices(), system.start_edge())
    system.known = first.known
    tell("the line to the cloud")
    await system.in_touch()
