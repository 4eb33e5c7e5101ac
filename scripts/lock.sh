#!/usr/bin/env bash
# Resolves every dependency into requirements/, with hashes, for any Linux machine and Python 3.11 upward.
# No index address is written: each machine uses the one it is set up with. make lock UPGRADE=1 takes newer versions.
set -euo pipefail
cd "$(dirname "$0")/.."

compile() {  # name, Python, then what uv is told
    local name=$1 python=$2
    shift 2
    .venv/bin/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-annotate \
        --custom-compile-command "make lock" --python-version "$python" ${UPGRADE:+--upgrade} \
        --output-file "requirements/$name.txt" "$@"
    echo "requirements/$name.txt: $(grep -c == "requirements/$name.txt") packages"
}

compile uv 3.11 - <<<uv
compile build 3.11 - <<<'setuptools>=77'
compile test 3.11 --all-extras pyproject.toml
# The smaller sets hold the very versions the tests run with.
compile demo 3.11 --extra edge --extra cloud --extra vision --extra broker -c requirements/test.txt pyproject.toml
compile edge 3.11 --extra edge --extra vision --extra usb -c requirements/test.txt pyproject.toml
compile cloud 3.11 --extra cloud --extra pg -c requirements/test.txt pyproject.toml
# The ESC/POS interpreter that reads our slips back wants a newer Python than we do, so it lives on its own.
compile emupos 3.13 - <<<'emupos==0.4.0'
# What tries the machine interface brings a test framework of its own; make fuzz alone installs it.
compile fuzz 3.11 - <<<'schemathesis'

# New packages first, so that their licences can be read; then the tables people look at.
.venv/bin/uv pip install --quiet --require-hashes -r requirements/test.txt
.venv/bin/python scripts/dependencies.py
