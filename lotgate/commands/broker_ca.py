"""``lotgate broker-ca``: the small certificate authority behind the broker of one operator."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from plumbing.files import ExposedFileError
from plumbing.tls import Authority, BadRequestError, make_request

CLOUD = "cloud"  # the name config/mosquitto/lotgate.acl knows the cloud by


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """``init``, ``request`` and ``sign``, one for each place it is run at."""
    steps = parser.add_subparsers(dest="step", required=True, metavar="STEP")
    init = steps.add_parser("init", help="at the broker: make the authority, the broker's certificate and the cloud's")
    init.add_argument("folder", type=Path, metavar="DIR", help="where they go; ca.key there must never leave it")
    init.add_argument("--host", action="append", required=True, metavar="NAME", help="the broker's name or address")
    request = steps.add_parser("request", help="at an edge: make its key and write a request to standard output")
    request.add_argument("key", type=Path, metavar="KEY", help="key file, made if absent; it stays there")
    request.add_argument("--edge", required=True, metavar="ID", help="the edge's id, as in its lot file")
    sign = steps.add_parser("sign", help="at the broker: write the certificate for a request to standard output")
    sign.add_argument("folder", type=Path, metavar="DIR", help="where the authority is")
    sign.add_argument("request", type=Path, metavar="REQUEST", help="what the edge's request step wrote")
    sign.add_argument("--edge", required=True, metavar="ID", help="the edge it must be for")


def run(args: argparse.Namespace) -> int:
    """0 done, 1 when a request must not be signed or something is there already, 2 when a file cannot be used."""
    try:
        if args.step == "init":
            _init(args.folder, args.host)
        elif args.step == "request":
            sys.stdout.write(make_request(args.key, args.edge).decode())
        elif args.edge == CLOUD:
            raise BadRequestError(f'"{CLOUD}" is the cloud\'s own name; no edge may have it')
        else:
            signed = Authority.load(args.folder).issue_client(args.request.read_bytes(), args.edge)
            sys.stdout.write(signed.decode())
    except (BadRequestError, FileExistsError) as exc:
        print(exc, file=sys.stderr)
        return 1
    except (OSError, ExposedFileError, ValueError) as exc:
        print(exc, file=sys.stderr)
        return 2
    return 0


def _init(folder: Path, hosts: list[str]) -> None:
    folder.mkdir(parents=True, exist_ok=True, mode=0o755)
    authority = Authority.create(folder)
    (folder / "server.crt").write_bytes(authority.issue_server(folder / "server.key", hosts))
    request = make_request(folder / f"{CLOUD}.key", CLOUD)
    (folder / f"{CLOUD}.crt").write_bytes(authority.issue_client(request, CLOUD))
    print(f"{folder / 'ca.pem'} is what every edge trusts; {folder / 'ca.key'} signs for all of them: keep it here")
