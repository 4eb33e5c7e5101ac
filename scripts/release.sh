#!/usr/bin/env bash
# Releases on a lot's appliance or a cloud server: a folder each, and one link that says which of them runs.
#   scripts/release.sh install edge|cloud...   build this checkout's commit into a new folder and switch to it
#   scripts/release.sh switch NAME             run that release
#   scripts/release.sh back                    run the one before
#   scripts/release.sh list                    what is there, what runs
# A release whose service does not come up is left at once for the one before. LOTGATE_ROOT (/opt/lotgate) is where.
set -euo pipefail
root=${LOTGATE_ROOT:-/opt/lotgate}

fail() { printf 'release: %s\n' "$*" >&2; exit 1; }

point() {  # link, release folder: never a moment without a link
    ln -sfn "$2" "$root/.$1.new"
    mv -T "$root/.$1.new" "$root/$1"
}

running() { readlink "$root/current" 2>/dev/null || true; }

restart() {  # false when a service that ran before does not come up
    [ -n "${SYSTEMCTL:-}" ] || [ -d /run/systemd/system ] || return 0  # nothing to restart where systemd does not run
    local unit systemctl=${SYSTEMCTL:-systemctl}
    for unit in lotgate-edge.service lotgate-cloud.service; do
        "$systemctl" try-restart "$unit" || return 1
    done
}

switch() {  # release name
    local target=releases/$1 before
    [ -x "$root/$target/bin/lotgate" ] || fail "$root/$target is not a release"
    "$root/$target/bin/lotgate" --help >/dev/null || fail "$1 does not start; nothing was changed"
    before=$(running)
    [ "$before" != "$target" ] || { echo "release: $1 runs already"; return; }
    point current "$target"
    if ! restart; then
        [ -z "$before" ] || { point current "$before"; restart || true; }
        fail "$1 did not come up; ${before:-nothing} runs again. See: journalctl -u lotgate-edge -u lotgate-cloud"
    fi
    [ -z "$before" ] || point previous "$before"
    echo "release: $1 runs"
}

install() {  # requirement sets
    [ $# -gt 0 ] || fail "say what this machine is: edge, cloud or both"
    local top commit folder name source set
    top=$(git -C "$(dirname "$0")" rev-parse --show-toplevel)
    commit=$(git -C "$top" rev-parse --short=12 HEAD)
    name=$(sed -n 's/^version = "\(.*\)"/\1/p' "$top/pyproject.toml")-$commit
    folder=$root/releases/$name
    [ ! -e "$folder" ] || fail "$name is there already: scripts/release.sh switch $name"
    source=$(mktemp -d)
    trap "rm -rf '$source' '$folder'" EXIT  # its own values: the names are gone by then
    git -C "$top" archive HEAD | tar -x -C "$source"
    mkdir -p "$root/releases"
    "${PYTHON:-python3}" -m venv "$folder"
    for set in build "$@"; do
        "$folder/bin/python" -m pip install -q --disable-pip-version-check --require-hashes -r "$source/requirements/$set.txt"
    done
    "$folder/bin/python" -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation "$source"
    cp -r "$source"/{docs,config,systemd,LICENSE,CHANGELOG.md} "$folder/"
    trap "rm -rf '$source'" EXIT
    switch "$name"
}

case ${1:-} in
install) shift; install "$@" ;;
switch) switch "${2:?which release}" ;;
back) previous=$(readlink "$root/previous") || fail "there is no release before this one"; switch "${previous#releases/}" ;;
list)
    for folder in "$root"/releases/*/; do
        name=$(basename "$folder")
        [ "releases/$name" = "$(running)" ] && echo "* $name" || echo "  $name"
    done ;;
*) sed -n '2,7s/^# \?//p' "$0"; exit 2 ;;
esac
