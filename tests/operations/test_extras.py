"""Each daemon starts with its own extra alone: an appliance does not need what the cloud needs, nor the other way."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.services.needs import ROOT

MODULES = {  # what each extra brings, by the name it is imported under
    "edge": ("apscheduler", "pymodbus", "serial", "escpos", "sqlite_utils"),
    "cloud": ("sqlalchemy", "alembic"),
    "vision": ("cv2", "numpy", "onnxruntime", "pytesseract"),
    "pg": ("psycopg",),
    "broker": ("iotcore",),
    "usb": ("usb",),
    "dev": ("hypothesis", "pytest", "playwright", "time_machine", "zxingcpp", "psutil"),
}
START = """
import importlib, sys
absent, started = sys.argv[1].split(","), sys.argv[2].split(",")
sys.modules.update(dict.fromkeys(absent))  # importing one of them now fails
for name in started:
    importlib.import_module(name)
"""


@pytest.mark.parametrize(
    ("extra", "started"),
    [
        ("edge", "edge.daemon,lotgate.commands.edge,lotgate.commands.provision,lotgate.commands.doctor"),
        ("cloud", "cloud.app,lotgate.commands.cloud,lotgate.commands.db"),
        ("", "lotgate.__main__,lotgate.commands.quote,lotgate.commands.broker_ca"),
    ],
)
def test_a_command_starts_with_its_own_extra_alone(extra: str, started: str) -> None:
    absent = [module for other, modules in MODULES.items() if other != extra for module in modules]
    command = [sys.executable, "-c", START, ",".join(absent), started]

    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603

    assert (done.returncode, done.stderr) == (0, "")
