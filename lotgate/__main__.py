"""``lotgate``: one program, one file a command. Exit 0 ok, 1 a check failed, 2 usage or bad input."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence
from importlib.metadata import version

from lotgate.examples import EXAMPLES

COMMANDS: dict[str, str] = {  # name -> the sentence shown by --help; the module is lotgate.commands.<name>
    "cloud": "Run the cloud: merchants, coupons, books and the line to all lots.",
    "edge": "Run one lot: lanes, booth, vouchers, and its line to the cloud.",
    "provision": "Make this machine the edge of its lot: key, database, first PIN, claim.",
    "doctor": "What is wrong with this edge, and what to do.",
    "replay": "Work a stored decision out again and compare it to the byte.",
    "verify-ledger": "Check every book, used set and the chain of the log on stored data.",
    "backup": "Copy the database of a lot or of the cloud while it is in use.",
    "restore": "Put a copy back, never over a database that goes further.",
    "broker-ca": "Make the broker's certificates and sign those of edges.",
    "db": "Migrate the cloud's database.",
    "demo": "The whole system on this machine, with simulated devices.",
    "pay-gateway": "A payment gateway to try things with, in place of WeChat Pay and Alipay.",
    "quote": "What a stay costs under a tariff, line by line.",
    "lane-codes": "Print the codes that drivers scan at the lanes: addresses, and pictures to put up.",
    "find": "Look for cameras, relay boards, printers and serial ports.",
    "test": "Try the devices of one lane, one by one, with a person watching.",
    "boards": "Draw what the drivers' boards will show, one picture an event.",
    "read": "Read the plates on image files.",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    args = command_line(words).parse_args(words)
    command = importlib.import_module(f"lotgate.commands.{args.command.replace('-', '_')}")
    result: int = command.run(args)
    return result


def command_line(words: Sequence[str]) -> argparse.ArgumentParser:
    """The parser for *words*: only the command they name has its options, so that a quote need not load a daemon."""
    parser = argparse.ArgumentParser(
        prog="lotgate",
        description="The software that runs a car park.",
        epilog='Exit status: 0 ok, 1 a check failed, 2 usage or bad input. "lotgate COMMAND --help" has examples.',
    )
    parser.add_argument("--version", action="version", version=f"lotgate {version('lotgate')}")
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    chosen = next((word for word in words if not word.startswith("-")), "")
    for name, sentence in COMMANDS.items():
        subparser = subparsers.add_parser(
            name,
            help=sentence,
            description=sentence,
            epilog=f"examples:\n{EXAMPLES[name]}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        if name == chosen:
            importlib.import_module(f"lotgate.commands.{name.replace('-', '_')}").add_arguments(subparser)
    return parser


if __name__ == "__main__":
    sys.exit(main())
