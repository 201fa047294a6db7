from pathlib import Path

import pytest

from flowstudio import paths
from flowstudio.settings import Settings, SettingsError, load_settings

KEY = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    return {"FLOWSTUDIO_DATA_DIR": str(tmp_path)}


def write(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "config.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_without_file_and_environment_the_defaults_hold(env, tmp_path) -> None:
    assert load_settings(env) == Settings(data_dir=tmp_path)


@pytest.mark.parametrize("chosen", ["", "  ", "relative", "~/flows", "/somewhere/else"])
def test_settings_and_paths_agree_on_the_data_folder(chosen: str) -> None:
    env = {"FLOWSTUDIO_DATA_DIR": chosen}
    assert load_settings(env).data_dir == paths.data_dir(env)


def test_the_file_is_read(env, tmp_path) -> None:
    write(tmp_path, 'port = 6000\nsynchronous = "normal"\nallowed_origins = ["https://a.example/"]\n')
    settings = load_settings(env)
    assert (settings.port, settings.synchronous, settings.allowed_origins) == (6000, "NORMAL", ("https://a.example",))


def test_the_environment_wins_over_the_file(env, tmp_path) -> None:
    write(tmp_path, "port = 6000\n")
    assert load_settings(env | {"FLOWSTUDIO_PORT": "7000"}).port == 7000


def test_what_the_caller_passes_wins_over_all(env) -> None:
    assert load_settings(env | {"FLOWSTUDIO_PORT": "7000"}, port=8000, host=None).port == 8000


def test_a_passed_data_dir_is_where_the_file_is_looked_for(env, tmp_path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    write(other, "threads = 3\n")
    settings = load_settings(env, data_dir=other)
    assert (settings.data_dir, settings.threads) == (other, 3)


def test_the_old_services_variables_are_read(env) -> None:
    settings = load_settings(env | {"DATABASE_URL": "postgresql://u:pw@h/db", "ENCRYPTION_KEY": KEY})
    assert (settings.database_url, settings.encryption_key) == ("postgresql://u:pw@h/db", KEY)


def test_secrets_do_not_show_in_the_representation(env) -> None:
    settings = load_settings(env | {"DATABASE_URL": "postgresql://u:pw@h/db", "ENCRYPTION_KEY": KEY})
    assert "pw" not in repr(settings)
    assert KEY not in repr(settings)


def test_a_public_address_loses_its_last_slash(env) -> None:
    assert load_settings(env | {"FLOWSTUDIO_PUBLIC_URL": "https://a.example/"}).public_url == "https://a.example"


def test_origins_in_a_variable_are_parted_by_commas(env) -> None:
    settings = load_settings(env | {"FLOWSTUDIO_ALLOWED_ORIGINS": "http://a.example, https://b.example"})
    assert settings.allowed_origins == ("http://a.example", "https://b.example")


@pytest.mark.parametrize(
    ("variable", "value", "allowed"),
    [
        ("FLOWSTUDIO_PUBLIC_URL", "flows.example.org", "an address such as https://flows.example.org"),
        ("FLOWSTUDIO_PUBLIC_URL", "https://u:p@a.example", "an address such as"),
        ("FLOWSTUDIO_PUBLIC_URL", "https://a.example/?x=1", "an address such as"),
        ("FLOWSTUDIO_PORT", "70000", "0 to 65535"),
        ("FLOWSTUDIO_PORT", "many", "0 to 65535"),
        ("FLOWSTUDIO_AUTH", "none", "local, token"),
        ("FLOWSTUDIO_SYNCHRONOUS", "OFF", "FULL, NORMAL"),
        ("FLOWSTUDIO_THREADS", "0", "1 to 1000"),
        ("FLOWSTUDIO_THEME", "pink", "system, light, dark"),
        ("FLOWSTUDIO_ALLOWED_ORIGINS", "b.example", "origin"),
        ("DATABASE_URL", "mysql://x", "postgresql://"),
        ("ENCRYPTION_KEY", "secret", "32 bytes"),
    ],
)
def test_a_bad_variable_is_named_with_what_is_allowed(env, variable: str, value: str, allowed: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings(env | {variable: value})
    assert variable in str(caught.value)
    assert allowed in str(caught.value)


def test_a_bad_key_value_is_not_repeated(env) -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings(env | {"ENCRYPTION_KEY": "my-secret"})
    assert "my-secret" not in str(caught.value)


def test_a_bad_value_in_the_file_names_file_and_key(env, tmp_path) -> None:
    file = write(tmp_path, "port = true\n")
    with pytest.raises(SettingsError) as caught:
        load_settings(env)
    assert str(file) in str(caught.value)
    assert "port" in str(caught.value)


def test_a_misspelt_key_suggests_the_right_one(env, tmp_path) -> None:
    write(tmp_path, "theads = 3\n")
    with pytest.raises(SettingsError, match="Did you mean threads"):
        load_settings(env)


def test_the_vaults_key_is_refused_in_the_file(env, tmp_path) -> None:
    write(tmp_path, f'encryption_key = "{KEY}"\n')
    with pytest.raises(SettingsError, match="ENCRYPTION_KEY"):
        load_settings(env)


def test_broken_toml_names_file_and_line(env, tmp_path) -> None:
    file = write(tmp_path, "port = \n")
    with pytest.raises(SettingsError) as caught:
        load_settings(env)
    assert str(file) in str(caught.value)
    assert "line 1" in str(caught.value)


def test_a_data_folder_that_is_a_file_is_left_to_the_database_to_report(env, tmp_path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    assert load_settings(env, data_dir=blocked).data_dir == blocked
