from pathlib import Path

from flowstudio import paths


def test_the_environment_chooses_the_data_folder(tmp_path: Path) -> None:
    assert paths.data_dir({"FLOWSTUDIO_DATA_DIR": str(tmp_path / "mine")}) == tmp_path / "mine"


def test_a_relative_data_folder_becomes_absolute(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert paths.data_dir({"FLOWSTUDIO_DATA_DIR": "here"}) == tmp_path / "here"


def test_without_it_the_platform_chooses() -> None:
    folder = paths.data_dir({})
    assert folder.is_absolute()
    assert folder.name == "FlowStudio"


def test_nothing_is_created_by_asking(tmp_path: Path) -> None:
    paths.data_dir({"FLOWSTUDIO_DATA_DIR": str(tmp_path / "mine")})
    assert not (tmp_path / "mine").exists()


def test_migrations_are_found() -> None:
    names = {entry.name for entry in paths.migrations().iterdir()}
    assert {"env.py", "versions"} <= names


def test_resources_are_found() -> None:
    assert paths.resources().is_dir()


def test_shipped_data_inside_the_package_wins(tmp_path: Path, monkeypatch) -> None:
    inside = tmp_path / "flowstudio" / "resources"
    inside.mkdir(parents=True)
    monkeypatch.setattr(paths, "files", lambda package: tmp_path / package)
    assert paths.resources() == inside


def test_a_checkout_keeps_shipped_data_beside_the_package(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(paths, "files", lambda package: tmp_path / package)
    assert paths.migrations() == tmp_path / "migrations"
