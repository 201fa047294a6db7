"""What no committed file may hold, and what the locks must."""

import re
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
FORBIDDEN = {
    "a registry's address": re.compile(r"https?://[^\s\"']+\.(whl|tar\.gz|tgz|deb)\b|--(extra-)?index-url"),
    "a path of one machine": re.compile(r"(^|[^a-zA-Z.])/(work|root)/"),
    "unfinished work": re.compile(r"\b(TODO|FIXME|XXX|HACK)\b"),
}


def _tracked() -> list[Path]:
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("not a git checkout: nothing is tracked here")
    names = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in names.splitlines() if not name.endswith(".png")]


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_tracked_file_holds(what: str) -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in _tracked()
        if path != Path(__file__) and path.exists()
        for number, line in enumerate(path.read_text("utf-8", "replace").splitlines(), 1)
        if FORBIDDEN[what].search(line)
    ]
    assert found == []


def test_the_locks_name_a_hash_for_every_package() -> None:
    for lock in (ROOT / "requirements").glob("*.lock"):
        text = lock.read_text("utf-8")
        assert text.count("==") <= text.count("--hash=sha256:"), lock.name


LOCKS = {"app": "build", "dev": "dev"}
"""Each lock and the dependency group that it adds to the project's own dependencies."""


def _wanted(group: str) -> list[Requirement]:
    document = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    groups = document["dependency-groups"]

    def of(name: str) -> Iterator[str]:
        for entry in groups[name]:
            if isinstance(entry, dict):
                yield from of(entry["include-group"])
            else:
                yield entry

    return [Requirement(each) for each in [*document["project"]["dependencies"], *of(group)]]


def _pins(lock: str) -> dict[str, str]:
    """Package -> version. Every line that is no hash is `name==version ; marker \\`."""
    lines = (ROOT / "requirements" / f"{lock}.lock").read_text("utf-8").splitlines()
    pins = [line.partition(";")[0].rstrip("\\ ").split("==") for line in lines if line[:1].strip() not in ("", "#")]
    return {canonicalize_name(name): version for name, version in pins}


def _is_pinned(wanted: Requirement, pins: dict[str, str]) -> bool:
    version = pins.get(canonicalize_name(wanted.name))
    return version is not None and wanted.specifier.contains(version, prereleases=True)


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_pins_every_direct_dependency_within_its_range(lock: str) -> None:
    pins = _pins(lock)
    assert [str(each) for each in _wanted(LOCKS[lock]) if not _is_pinned(each, pins)] == [], "run `make lock`"


def test_who_develops_runs_the_same_versions_as_who_uses() -> None:
    assert _pins("app").items() <= _pins("dev").items()
