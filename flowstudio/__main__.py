"""Entry point: hands the composition root to the command line."""

import gc
import multiprocessing
import sys

PYTHON_STEP = ["--python-step"]
SWITCH_INTERVAL_S = 0.001
"""How long a busy thread keeps the interpreter from others. At Python's 5 ms two of them stall the window for 121 ms,
27 ms so, and webhooks wait behind each other: a quarter fewer are answered."""

GC_THRESHOLDS = (10_000, 20, 50)
"""How many objects more, and generations less, before the collector looks: at Python's own 700 it takes a twelfth of a
busy server's time, for cycles that hardly ever are."""


def main() -> int:
    # A bundle has no other Python than itself: it is started again to run a step's code, and must be nothing else then.
    if sys.argv[1:] == PYTHON_STEP:
        from flowstudio.providers.coded.python_code.child import main as run_step

        return run_step()
    # A frozen program is started again for every child process; this lets the child do its work instead of ours.
    multiprocessing.freeze_support()
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    gc.set_threshold(*GC_THRESHOLDS)
    from flowstudio import app
    from flowstudio.cli.faces import Faces
    from flowstudio.cli.program import main as run_program

    return run_program(Faces(app.build, app.catalogue, app.run_desktop))


if __name__ == "__main__":
    sys.exit(main())
