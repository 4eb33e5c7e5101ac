"""Has schemathesis try every call of the machine interface, 200 cases each and more: ``make fuzz``.

A cloud with three tenants runs here on loopback; schemathesis (in .venv-fuzz) reads its document. It fails on any 5xx,
any answer the document does not tell of, anything of another tenant in an answer, a changed row of another tenant, or
books that do not balance. What is given after ``--`` goes to schemathesis.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

from aiohttp import web

from cloud.access import keys
from cloud.access.scopes import OF_A_MERCHANT, Scope
from cloud.app import make_app
from cloud.db import Database, open_engine, upgrade
from cloud.merchants import ledger
from tests.cloud.stage import SECRET, THEIR_PLATE, Stage, move_out, rows_of, set_up
from tests.cloud.stage_things import one_of_everything

ROOT = Path(__file__).resolve().parent.parent
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def prepare(folder: Path, who: str) -> tuple[Stage, str]:
    """A cloud with its tenants, and a key of *who* to call it with."""
    engine = open_engine(f"sqlite:///{folder / 'cloud.sqlite'}")
    upgrade(engine)
    stage = set_up(Database(engine), folder, one_of_everything)
    merchant_id = int(stage.own["merchant_id"]) if who == "merchant" else None
    scopes = list(OF_A_MERCHANT) if who == "merchant" else list(Scope)
    made = stage.cloud.db.run_here(keys.create, stage.cloud.act("admin"), "fuzz", scopes, merchant_id)
    if not isinstance(made, keys.Made):
        raise TypeError(made)
    if who == "operator":  # its own operator may see the merchant next door
        stage.cloud.db.run_here(move_out)
    return stage, made.text


async def run(who: str, cases: int, more: list[str]) -> list[str]:
    """What is wrong after a run; empty when nothing is."""
    with tempfile.TemporaryDirectory() as folder:
        stage, key = prepare(Path(folder), who)
        theirs = stage.stranger["operator_id"] if who == "operator" else stage.neighbour["merchant_id"]
        column = "operator_id" if who == "operator" else "merchant_id"
        before, told = rows_of(stage.cloud, column, theirs), []

        @web.middleware
        async def watch(request: web.Request, handler: Handler) -> web.StreamResponse:
            answer = await handler(request)
            text = answer.text or "" if isinstance(answer, web.Response) else ""
            if SECRET in text or THEIR_PLATE in text:
                told.append(f"{request.method} {request.path_qs} tells another tenant's things")
            return answer

        app = make_app(stage.cloud)
        app.middlewares.append(watch)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        port = runner.addresses[0][1]
        stage.cloud.public_url = f"http://127.0.0.1:{port}"
        code = await _schemathesis(f"{stage.cloud.public_url}/api/v1/openapi.json", key, cases, more)
        wrong = [*told, *([f"schemathesis ended with {code}"] if code else [])]
        if rows_of(stage.cloud, column, theirs) != before:
            wrong.append("rows of another tenant changed")
        if not all(each.is_right for each in stage.cloud.db.run_here(ledger.merchant_books)):
            wrong.append("the books do not balance")
        await runner.cleanup()
        return wrong


async def _schemathesis(url: str, key: str, cases: int, more: list[str]) -> int:
    program = ROOT / ".venv-fuzz" / "bin" / "st"
    process = await asyncio.create_subprocess_exec(
        program, "run", url, "--header", f"Authorization: Bearer {key}", "--max-examples", str(cases),
        "--checks", ",".join(CHECKS), "--phases", "coverage,fuzzing", "--seed", "1", "--generation-database", "none",
        "--warnings", "off", "--no-color", *more,
    )  # fmt: skip
    return await process.wait()


def main() -> int:
    """Both callers, one after the other; 0 when nothing is wrong."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--cases", type=int, default=200, help="a call")
    parser.add_argument("--who", choices=("operator", "merchant"), help="one caller alone")
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help="one call by its operationId")
    parser.add_argument("more", nargs="*", help="for schemathesis, after --")
    args = parser.parse_args()
    more = [*args.more, *(word for name in args.only for word in ("--include-operation-id", name))]
    wrong = []
    for who in (args.who,) if args.who else ("operator", "merchant"):
        wrong += [f"{who}: {each}" for each in asyncio.run(run(who, args.cases, more))]
    for each in wrong:
        print(each, file=sys.stderr)  # noqa: T201
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
