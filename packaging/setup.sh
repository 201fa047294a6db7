#!/usr/bin/env bash
# Makes a machine with Python 3.11 ready: .venv from the hashed lock, Qt's system libraries. Says what it does.
# Usage: packaging/setup.sh app|dev
set -euo pipefail
cd "$(dirname "$0")/.."
kind=${1:?app or dev}
python=${PYTHON:-python3}
say() { printf '==> %s\n' "$*"; }

is_debian_root() { [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; }

install_system() { # package names
    if is_debian_root; then
        say "Installing system packages: $*"
        DEBIAN_FRONTEND=noninteractive apt-get update -qq
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
    else
        printf 'FlowStudio needs system packages that are not installed. Run this, then the same command again:\n\n'
        printf '    sudo apt-get install %s\n\n' "$*"
        printf '(On other systems: the packages of your distribution that bring the same libraries.)\n'
        exit 1
    fi
}

if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    printf 'FlowStudio needs Python 3.11 or newer; "%s" is %s. Set PYTHON=/path/to/python3.11 and run again.\n' \
        "$python" "$("$python" --version 2>&1 || echo 'not there')"
    exit 1
fi

if [ ! -x .venv/bin/python ]; then
    say "Creating .venv with $("$python" --version)"
    if ! "$python" -m venv .venv >/dev/null 2>&1; then
        rm -rf .venv
        install_system python3-venv
        "$python" -m venv .venv
    fi
fi

say "Installing the locked packages (requirements/$kind.lock)"
.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r "requirements/$kind.lock"
.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .

flags=()
[ "$kind" = dev ] && flags=(--tests)
missing=$(.venv/bin/python packaging/system_libraries.py "${flags[@]}")
if [ -n "$missing" ]; then
    # shellcheck disable=SC2086  # one word per package
    install_system $missing
fi

cat "requirements/$kind.lock" pyproject.toml >".venv/.ready-$kind"  # the Makefile compares it
say "Ready."
