#!/usr/bin/env bash
# Makes a machine with Python 3.11 ready: Qt's system libraries, then .venv from the hashed lock. Says what it does,
# and does nothing when all is there. Usage: packaging/setup.sh app|dev
set -euo pipefail
cd "$(dirname "$0")/.."
kind=${1:?app or dev}
say() { printf '==> %s\n' "$*"; }
stop() { # lines
    printf '%s\n' "$@" >&2
    exit 1
}

# A setup that came to its end leaves this mark: for which folder, from which packages.
mark() {
    pwd
    cat "requirements/$1.lock" pyproject.toml
}
is_ready() { [ -x .venv/bin/python ] && mark "$1" | cmp -s - ".venv/.ready-$1"; }
is_whole() { grep -qsxF "$PWD" .venv/.ready-* && .venv/bin/python -m pip --version >/dev/null 2>&1; }

find_python() {
    local name names=(python3 python3.14 python3.13 python3.12 python3.11)
    [ -z "${PYTHON:-}" ] || names=("$PYTHON")
    for name in "${names[@]}"; do
        if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            python=$name
            return
        fi
    done
    stop "FlowStudio needs Python 3.11 or newer; ${names[0]} is $("${names[0]}" --version 2>/dev/null || echo 'not there')." \
        "On Debian 12, Ubuntu 24.04 and newer:" "" "    sudo apt-get install python3 python3-venv" "" \
        "If it is elsewhere, say where: make run PYTHON=/path/to/python3.11"
}

missing_packages() {
    local tests=()
    [ "$kind" = app ] || tests=(--tests)
    "$python" packaging/system_libraries.py ${tests[@]+"${tests[@]}"}
    # Debian parts Python from what `-m venv` needs.
    "$python" -c 'import ensurepip' 2>/dev/null || "$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])'
}

install_system() { # Debian's names
    if ! command -v apt-get >/dev/null; then
        stop "FlowStudio needs system libraries that are not installed. Debian calls their packages:" "" "    $*" "" \
            "Install what brings the same here, then run the same command again."
    elif [ "$(id -u)" != 0 ]; then
        stop "FlowStudio needs system packages that are not installed. Run this, then the same command again:" "" \
            "    sudo apt-get install $*" ""
    fi
    say "Installing system packages: $*"
    export DEBIAN_FRONTEND=noninteractive
    { apt-get update -qq && apt-get install -y -qq --no-install-recommends "$@" >/dev/null; } || stop \
        "apt-get could not install them; its reason stands above. Then run the same command again."
}

install_locked() {
    local pip=(.venv/bin/python -m pip install --quiet --no-input --disable-pip-version-check)
    say "Installing the locked packages (requirements/$kind.lock)"
    rm -f .venv/.ready-* # until the end, an interruption leaves a .venv that is not whole
    { "${pip[@]}" --require-hashes -r "requirements/$kind.lock" &&
        "${pip[@]}" --no-deps --no-build-isolation --editable .; } || stop "" \
        "The packages could not be installed; pip's reason stands above. The first time this needs the network." \
        "Run the same command again when that is mended: it starts afresh."
}

if is_ready dev || is_ready "$kind"; then
    exit 0
fi
find_python
missing=$(missing_packages)
if [ -n "$missing" ]; then
    # shellcheck disable=SC2086  # one word per package
    install_system $missing
fi
if ! is_whole; then
    [ ! -e .venv ] || say "Removing .venv: its setup did not come to its end, or it was made for another folder"
    rm -rf .venv
    say "Creating .venv with $("$python" --version)"
    "$python" -m venv .venv || stop "Python could not create .venv; its reason stands above."
fi
install_locked
mark "$kind" >".venv/.ready-$kind"
say "Ready."
