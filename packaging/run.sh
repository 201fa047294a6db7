#!/usr/bin/env bash
# Starts the app; where there is no display, runs the sample plan in this terminal and says so.
set -euo pipefail
cd "$(dirname "$0")/.."
if [ "$(uname)" = Linux ] && [ -z "${DISPLAY:-}${WAYLAND_DISPLAY:-}${QT_QPA_PLATFORM:-}" ]; then
    printf 'There is no display here (DISPLAY and WAYLAND_DISPLAY are empty), so the window cannot open.\n'
    printf 'Running the sample plan in the terminal instead: flowstudio sample world-digits\n\n'
    exec .venv/bin/flowstudio sample world-digits
fi
exec .venv/bin/flowstudio
