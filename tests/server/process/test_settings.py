"""What a server can be told, where it comes from, and what is said when it is wrong."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest

from otel_sessions.server.backend import DEFAULT_BACKLOG_BYTES
from otel_sessions.server.process.settings import (
    Settings,
    SettingsError,
    data_folder,
    default_store,
    is_loopback,
    load_settings,
)
from otel_sessions.server.process.sizes import Retention, bytes_of


@pytest.fixture(autouse=True)
def _nothing_said(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.upper().startswith("OTEL_SESSIONS_")]:
        monkeypatch.delenv(name)


def config(folder: Path, written: str) -> Path:
    """A config file."""
    path = folder / "config.toml"
    path.write_text(written)
    return path


def refused(**given: Any) -> str:
    """What is said of settings that cannot be used."""
    with pytest.raises(SettingsError) as caught:
        load_settings(**given)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_defaults() -> None:
    """Without being told anything it listens on this machine only, keeps all, and lets everyone in."""
    settings = load_settings()
    assert (settings.host, settings.port, settings.grpc_port) == ("127.0.0.1", 4318, 4317)
    assert settings.store == default_store()
    assert (settings.secret, settings.retention, settings.prices, settings.sync) == (None, Retention(), None, False)
    assert settings.backlog == DEFAULT_BACKLOG_BYTES


def test_the_command_line_wins_over_the_environment_over_the_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A setting is taken from the first that says it; an empty variable says nothing."""
    file = config(tmp_path, 'port = 1\ngrpc_port = 2\nsync = true\nretention = "3d"\nbacklog = "4MB"\n')
    monkeypatch.setenv("OTEL_SESSIONS_CONFIG", str(file))
    monkeypatch.setenv("OTEL_SESSIONS_PORT", "10")
    monkeypatch.setenv("otel_sessions_grpc_port", "20")
    monkeypatch.setenv("OTEL_SESSIONS_BACKLOG", "")
    settings = load_settings(port=100, host=None)
    assert (settings.port, settings.grpc_port, settings.sync) == (100, 20, True)
    assert (settings.retention, settings.backlog) == (Retention(3), 4_000_000)


def test_every_setting_is_an_environment_variable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """All of them, by their names in capitals."""
    said = {
        "HOST": "0.0.0.0",
        "PORT": "0",
        "GRPC_PORT": "0",
        "STORE": "chdb:///somewhere",
        "API_KEY": "hush",
        "RETENTION": "30d,20GB",
        "PRICES": str(tmp_path / "prices.toml"),
        "SYNC": "yes",
        "BACKLOG": "1GiB",
    }
    for name, value in said.items():
        monkeypatch.setenv(f"OTEL_SESSIONS_{name}", value)
    settings = load_settings()
    assert (settings.host, settings.port, settings.grpc_port) == ("0.0.0.0", 0, 0)
    assert (settings.store, settings.secret) == ("chdb:///somewhere", "hush")
    assert (settings.retention, settings.backlog) == (Retention(30, 20 * 10**9), 1 << 30)
    assert (settings.prices, settings.sync) == (tmp_path / "prices.toml", True)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "[::1]", "localhost", " 127.0.0.1 "])
def test_loopback_needs_no_key(host: str) -> None:
    """Only this machine can come in."""
    assert is_loopback(load_settings(host=host).host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.org", "fe80::1%eth0", "localhost.example.org"])
def test_other_addresses_need_a_key(host: str) -> None:
    """Others could come in: without a key it is refused, and it says what to do."""
    said = refused(host=host)
    assert host in said
    assert "OTEL_SESSIONS_API_KEY" in said
    assert load_settings(host=host, api_key="hush").host == host


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"port": 65536}, "--port: should be less than or equal to 65535"),
        ({"grpc_port": "x"}, "--grpc-port: should be a valid integer"),
        ({"backlog": "much"}, "--backlog: 'much' is no size"),
        ({"retention": "30"}, "--retention: '30' is no retention"),
        ({"host": "http://a"}, "--host: this is no address"),
        ({"host": " "}, "--host: this is no address"),
        ({"store": "/some/folder"}, "--store: this is no store; use chdb:///folder or http"),
        ({"store": "chdb://relative"}, "--store: this is no store"),
        ({"store": "http://a:99999/b"}, "--store: this is no store"),
        ({"api_key": ""}, "--api-key: an API key is printable ASCII"),
        ({"api_key": " spaced "}, "--api-key: an API key is printable ASCII"),
        ({"api_key": "ключ"}, "--api-key: an API key is printable ASCII"),
    ],
)
def test_what_is_wrong_is_said(given: dict[str, Any], expected: str) -> None:
    """The option, and what it should be."""
    assert refused(**given).startswith(expected)


def test_it_says_where_a_wrong_value_came_from(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An option, a variable and a line of the file are told apart."""
    monkeypatch.setenv("OTEL_SESSIONS_PORT", "many")
    said = refused(config=config(tmp_path, "sync = 'maybe'\n"), backlog="x")
    assert "OTEL_SESSIONS_PORT: should be" in said
    assert "sync in the config file: should be" in said
    assert "--backlog: " in said


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("prot = 1\n", "unknown setting 'prot'; known are api_key, backlog, grpc_port, host, port, prices"),
        ("config = 'other'\n", "unknown setting 'config'"),
        ("port =\n", "is no TOML"),
        ("port = '\\\n", "is no TOML"),
    ],
)
def test_a_wrong_config_file(tmp_path: Path, written: str, expected: str) -> None:
    """It names the file and what is wrong in it."""
    path = config(tmp_path, written)
    said = refused(config=path)
    assert str(path) in said
    assert expected in said


def test_a_config_file_that_is_not_there(tmp_path: Path) -> None:
    """A file that was asked for has to be there."""
    assert "cannot be read: No such file" in refused(config=tmp_path / "none.toml")


def test_secrets_are_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the key nor a password is in what is printed of settings, good or bad."""
    monkeypatch.setenv("OTEL_SESSIONS_STORE", "http://me:hush@localhost:8123/otel")
    monkeypatch.setenv("OTEL_SESSIONS_API_KEY", "hush-hush")
    settings = load_settings()
    assert "hush" not in f"{settings!r} {settings}"
    for store in ("http://me:hush@[::1/otel", "https://me:hush@host:x/otel", "ftp://me:hush@host/otel"):
        assert "hush" not in refused(store=store, port=-1)
    assert "hush" not in refused(api_key="hush\n")


def test_requests_lie_with_an_embedded_store(tmp_path: Path) -> None:
    """So that moving the folder moves what was acknowledged too."""
    assert load_settings(store=f"chdb://{tmp_path}/here").requests_folder == tmp_path / "here" / "requests"


def test_requests_for_a_server_lie_in_the_users_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """One folder for each database, whoever logs in there."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    folders = [
        load_settings(store=f"http://{url}").requests_folder
        for url in ("me:a@host:8123/otel", "you:b@host:8123/otel", "host:8123/other")
    ]
    assert folders[0] == folders[1] != folders[2]
    assert all(folder.is_relative_to(data_folder() / "otel-sessions") for folder in folders)


@pytest.mark.parametrize(
    ("platform", "environment", "expected"),
    [
        ("linux", {}, "~/.local/share"),
        ("linux", {"XDG_DATA_HOME": "/data"}, "/data"),
        ("linux", {"XDG_DATA_HOME": "relative"}, "~/.local/share"),
        ("darwin", {"XDG_DATA_HOME": "/data"}, "~/Library/Application Support"),
        ("win32", {"LOCALAPPDATA": "C:/Users/me/AppData/Local"}, "C:/Users/me/AppData/Local"),
        ("win32", {}, "~/AppData/Local"),
    ],
)
def test_data_folders(platform: str, environment: dict[str, str], expected: str) -> None:
    """Where each operating system wants a user's data to lie."""
    assert data_folder(platform, environment) == Path(expected).expanduser()


@pytest.mark.parametrize("folder", ["/home/me/.local/share", "C:/Users/me"])
def test_the_default_store_is_a_url(monkeypatch: pytest.MonkeyPatch, folder: str) -> None:
    """An embedded store in the data folder, whose path begins with a slash."""
    monkeypatch.setattr("otel_sessions.server.process.settings.data_folder", lambda: Path(folder))
    assert default_store() == f"chdb:///{folder.lstrip('/')}/otel-sessions"


def test_the_documentation_has_every_setting(tmp_path: Path) -> None:
    """Option, variable and default are in its table, and its example of a file can be used."""
    page = (Path(__file__).parents[3] / "docs" / "server.md").read_text()
    rows = re.findall(r"^\| `--([a-z-]+)` \| `OTEL_SESSIONS_([A-Z_]+)` \| `?(.*?)`? \|", page, re.MULTILINE)
    assert [option.replace("-", "_") for option, _, _ in rows] == list(Settings.model_fields)
    assert [variable.lower() for _, variable, _ in rows] == list(Settings.model_fields)
    defaults = {option: default for option, _, default in rows}
    settings = load_settings()
    assert [settings.host, str(settings.port), str(settings.grpc_port), settings.backlog] == [
        *(defaults[option] for option in ("host", "port", "grpc-port")),
        bytes_of(defaults["backlog"]),
    ]
    (example,) = re.findall(r"^```toml\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    settings = load_settings(config=config(tmp_path, example))
    assert (settings.grpc_port, settings.retention, settings.sync) == (14317, Retention(30, 20 * 10**9), True)
