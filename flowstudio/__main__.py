"""Entry point: hands the composition root to the command line."""

import multiprocessing
import sys


def main() -> int:
    # A frozen program is started again for every child process; this lets the child do its work instead of ours.
    multiprocessing.freeze_support()
    from flowstudio import app
    from flowstudio.cli.faces import Faces
    from flowstudio.cli.program import main as run_program

    return run_program(Faces(app.build, app.catalogue, app.run_desktop))


if __name__ == "__main__":
    sys.exit(main())
