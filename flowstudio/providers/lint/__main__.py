"""`python -m flowstudio.providers.lint`: every fault of the shipped catalogue, a line each; exit code 1 for any."""

import sys

from flowstudio import paths
from flowstudio.providers.lint import check
from flowstudio.providers.loader import load_catalog


def main() -> int:
    manifests, faults = load_catalog(paths.catalog())
    found = [*map(str, faults), *map(str, check(manifests))]
    sys.stdout.writelines(f"{line}\n" for line in found)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
