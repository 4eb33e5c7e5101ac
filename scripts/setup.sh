#!/usr/bin/env bash
# Sets this checkout up: Debian packages, .venv with the locked dependencies and, for the tests, the ESC/POS interpreter.
#   scripts/setup.sh demo    what the programs need to run        scripts/setup.sh test    all that and what the tests need
# A finished set-up leaves .venv/.ready-demo or .venv/.ready-test, and make then skips this script.
set -euo pipefail
cd "$(dirname "$0")/.."
what=${1:?demo or test}
started=$SECONDS
short=0  # 1 when Debian packages are missing: no stamp then, so the next make tells it again

say() { printf 'set-up: %s\n' "$*"; }
fail() { printf 'set-up: %s\n' "$*" >&2; exit 1; }

runs_python() {  # interpreter, oldest version wanted
    "$1" -c "import sys; sys.exit(sys.version_info < ($2))" >/dev/null 2>&1
}

find_python() {  # oldest version wanted, as "3, 11"; then names to try
    local oldest=$1 name
    shift
    for name in "$@"; do
        if runs_python "$name" "$oldest"; then
            printf '%s' "$name"
            return
        fi
    done
    return 1
}

quietly() {  # a command whose output only matters when it fails
    local output
    output=$("$@" 2>&1) || { printf '%s\n' "$output" >&2; return 1; }
}

has_program() {
    PATH="$PATH:/usr/sbin:/usr/local/sbin" command -v "$1" >/dev/null
}

missing_packages() {  # one Debian package a line
    "$python" -c 'import ensurepip, venv' 2>/dev/null || echo python3-venv
    has_program tesseract || echo tesseract-ocr
    [ -e /usr/share/fonts/truetype/wqy/wqy-zenhei.ttc ] || echo fonts-wqy-zenhei
    if [ "$what" = test ]; then
        has_program mosquitto || echo mosquitto
        compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || has_program initdb || echo postgresql
        has_program chromium || echo chromium
        has_program pdftoppm || echo poppler-utils
        compgen -G '/usr/lib/*/libatomic.so.1' >/dev/null || echo libatomic1  # Playwright's driver wants it
    fi
}

install_packages() {  # package...; true only when all of them are in
    local as_root=(env DEBIAN_FRONTEND=noninteractive) apt=(apt-get install -y -q --no-install-recommends)
    has_program apt-get || return 1
    if [ "$(id -u)" != 0 ]; then
        sudo -n true 2>/dev/null || return 1
        as_root=(sudo -n "${as_root[@]}")
    fi
    say "installing Debian packages: $*"
    "${as_root[@]}" "${apt[@]}" "$@" </dev/null >/dev/null 2>&1 && return
    say "refreshing the package lists"  # only now: they are often fresh enough, and this is the slow part
    "${as_root[@]}" apt-get update -q </dev/null >/dev/null && "${as_root[@]}" "${apt[@]}" "$@" </dev/null
}

install_locked() {  # requirements name, venv
    "$2/bin/python" -m pip --version >/dev/null 2>&1 || "$2/bin/python" -m ensurepip >/dev/null
    if .venv/bin/uv --version >/dev/null 2>&1; then
        quietly .venv/bin/uv pip install --python "$2/bin/python" --compile-bytecode --require-hashes \
            -r "requirements/$1.txt" && return
        say "uv could not install them; trying pip"
    fi
    quietly "$2/bin/python" -m pip install --require-hashes -r "requirements/$1.txt"
}

python=${PYTHON:-}
if [ -n "$python" ]; then
    runs_python "$python" "3, 11" || fail "PYTHON=$python is not Python 3.11 or newer ($("$python" -V 2>&1 || true))"
else
    python=$(find_python "3, 11" python3 python3.13 python3.12 python3.11 python3.14) || fail \
        "lotgate needs Python 3.11 or newer; python3 here is $(python3 -V 2>&1 || true). Debian 12 and later have it: sudo apt-get install python3 python3-venv"
fi

mapfile -t packages < <(missing_packages)
if [ ${#packages[@]} -gt 0 ] && ! install_packages "${packages[@]}"; then
    short=1
    printf '\nset-up: these Debian packages are missing and may not be installed from here. Please run:\n\n    sudo apt-get update && sudo apt-get install -y --no-install-recommends %s\n\n' "${packages[*]}" >&2
    [ "${CI:-}" != true ] || fail "in CI nothing may be missing"
    "$python" -c 'import ensurepip, venv' 2>/dev/null || exit 1
fi

runs_python .venv/bin/python "3, 11" || { say "creating .venv with $("$python" -V)"; "$python" -m venv --clear .venv; }
if ! .venv/bin/uv --version >/dev/null 2>&1; then
    quietly .venv/bin/python -m pip install --require-hashes --only-binary :all: -r requirements/uv.txt ||
        say "no uv for this machine; pip does the work, slower"
fi
say "installing the locked dependencies ($what)"
install_locked "$what" .venv
install_locked build .venv
quietly .venv/bin/python -m pip install --no-deps --no-build-isolation --editable .

if [ "$what" = test ] && [ ! -e .venv/.emupos-tried ] && ! .venv-emupos/bin/emupos --help >/dev/null 2>&1; then
    touch .venv/.emupos-tried
    newer=$(find_python "3, 13" python3 python3.13 python3.14 ~/.pyenv/versions/3.1[3-9]*/bin/python || true)
    say "installing the ESC/POS interpreter into .venv-emupos"
    if { [ -n "$newer" ] && "$newer" -m venv --clear .venv-emupos; } ||
        .venv/bin/uv venv --quiet --clear --seed --python 3.13 .venv-emupos 2>/dev/null; then
        install_locked emupos .venv-emupos || true
    fi
    if ! .venv-emupos/bin/emupos --help >/dev/null 2>&1; then
        say "no ESC/POS interpreter (it needs Python 3.13): the tests that use it will be skipped and named"
        [ "${CI:-}" != true ] || fail "in CI nothing may be missing"
    fi
fi

if [ $short = 0 ]; then
    touch ".venv/.ready-$what"
    [ "$what" = demo ] || touch .venv/.ready-demo
fi
say "ready in $((SECONDS - started)) s"
