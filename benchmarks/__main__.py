"""`python -m benchmarks [WORD]`: measures, prints a table, writes benchmarks/results.json.

A measuring module has `rows() -> Iterable[Row]` and stands in MODULES. With a word only the modules named so run, and
results.json stays as it is.
"""

import gc
import sys
from collections.abc import Sequence
from types import ModuleType

from benchmarks import cancel, canvas, engine, report, startup, webhook
from flowstudio.__main__ import GC_THRESHOLDS, SWITCH_INTERVAL_S

MODULES: Sequence[ModuleType] = (engine, cancel, webhook, startup, canvas)


def main(word: str = "") -> None:
    sys.setswitchinterval(SWITCH_INTERVAL_S)  # as the program itself runs
    gc.set_threshold(*GC_THRESHOLDS)
    measured: list[report.Row] = []
    for module in MODULES:
        if word in module.__name__:
            for row in module.rows():
                print(report.line(row), flush=True)
                measured.append(row)
    if not word:
        report.write(measured)


if __name__ == "__main__":
    main(*sys.argv[1:2])
