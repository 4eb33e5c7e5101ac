"""What ``lotgate COMMAND --help`` shows below the options: how it is used, how it ends, where to read on."""

from __future__ import annotations

EXAMPLES: dict[str, str] = {
    "cloud": """\
  lotgate cloud --config config/cloud.toml

The first start migrates the database, makes the account "admin" and shows its password once. Docs: docs/cloud.md""",
    "edge": """\
  lotgate edge --config config/lots/two-lane.toml

Run "lotgate provision" once before. Stops on SIGTERM; the next start goes on where it was. Docs: docs/edge.md""",
    "provision": """\
  lotgate provision --config lot.toml
  lotgate provision --config lot.toml --claim 'https://cloud.example.com#claim?e=...'
  lotgate provision --config lot.toml --claim 'https://...' --replace --copy /mnt/lotgate

Safe to repeat: what is there already stays. The first PIN is shown once. Docs: docs/operations.md""",
    "doctor": """\
  lotgate doctor --config lot.toml
  lotgate doctor --config lot.toml --bundle help.tar.gz

Moves nothing and may run beside the daemon. Exit 0 all well, 1 something is not. Docs: docs/operations.md""",
    "lane-codes": """\
  lotgate lane-codes --config lot.toml codes/                    one address and one SVG a lane
  lotgate lane-codes --config lot.toml --url http://10.0.8.1:8630    for phones in the lot's own network""",
    "find": """\
  lotgate find
  lotgate find --network 192.168.1.0/24 --modbus /dev/ttyUSB0:9600

Networks and serial ports are searched only where you name them. Moves and changes nothing. Docs: docs/installing.md""",
    "test": """\
  lotgate test --config lot.toml exit-1

Stop the edge first. Asks before anything moves. Exit 0 all was seen, 1 something was not. Docs: docs/installing.md""",
    "boards": """\
  lotgate boards --config lot.toml pages/

One picture a lane and event, with example values. Moves nothing. Docs: docs/boards.md""",
    "replay": """\
  lotgate replay --config lot.toml 01a205b4-0680-77f3-99c3-c5e003bbebfc

Exit 0 the same bytes, 1 other bytes, 2 no such decision. Docs: docs/edge.md""",
    "backup": """\
  lotgate backup --config lot.toml /mnt/stick
  lotgate backup --config cloud.toml --cloud /srv/copies

May run beside the service. Exit 0 the copy is whole, 1 none was made. Docs: docs/operations.md""",
    "restore": """\
  lotgate restore --config lot.toml /mnt/stick/e1-20261122T033000Z.db

Stop the service first. Exit 0 put back, 1 refused: damaged, of another lot, or older. Docs: docs/operations.md""",
    "verify-ledger": """\
  lotgate verify-ledger --config lot.toml
  lotgate verify-ledger --config cloud.toml --cloud

Reads only, and may run beside the daemon. Exit 0 all checks hold, 1 each that does not is named.""",
    "broker-ca": """\
  lotgate broker-ca init --host broker.example.com ca/
  lotgate broker-ca request --edge lot-1 lot-1.key > lot-1.csr
  lotgate broker-ca sign --edge lot-1 ca/ lot-1.csr > lot-1.pem

Keys never leave the machine they were made on. Docs: docs/operations.md""",
    "db": """\
  lotgate db upgrade --config config/cloud.toml

The cloud does this itself when it starts; an edge migrates its own database when it starts.""",
    "demo": """\
  lotgate demo                      until Ctrl-C; prints READY and the addresses
  lotgate demo --lot eight-lanes    every make of device at one lot
  lotgate demo --attendant          you sit at the booth and are told what to do
  lotgate demo --once --port 0      one scripted day on free ports; exit 0 only if every check held

Docs: docs/demo.md""",
    "pay-gateway": """\
  lotgate pay-gateway
  lotgate pay-gateway --port 8620 --dir keys/

Makes keys of its own and writes the part [payments] of a cloud's settings file. Docs: docs/payments.md""",
    "quote": """\
  lotgate quote --tariff config/tariffs/g1-hongqiao-t1.toml --entry 2026-03-03T08:00 --exit 2026-03-04T17:01
  lotgate quote --tariff my.toml --entry 2026-03-03T08:00 --exit 2026-03-03T11:30 --coupon duration:60:first --json

Times are those of the lot's zone unless they carry an offset. Docs: docs/tariffs.md, docs/coupons.md""",
    "read": """\
  lotgate read gate.jpg
  lotgate read photos/ --all --csv plates.csv
  lotgate read gate.jpg --explain drawn/

accept: may act by itself; ask: a person must look; unread: nobody should guess. Docs: docs/plate-reading.md""",
}
