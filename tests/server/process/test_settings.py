"""Settings come from the command line, the environment and a file; one that is not valid is named."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from otel_sessions.server.backlog import DEFAULT_BACKLOG_BYTES
from otel_sessions.server.connections import DEFAULT_CONNECTIONS
from otel_sessions.server.hosts import is_loopback
from otel_sessions.server.process.setting_texts import SETTINGS
from otel_sessions.server.process.settings import (
    Settings,
    SettingsError,
    data_folder,
    default_store,
    load_settings,
)
from otel_sessions.server.process.sizes import Retention

ROOT = Path(__file__).parents[3]


pytestmark = pytest.mark.usefixtures("own_environment")


def config(folder: Path, written: str) -> Path:
    """A config file."""
    path = folder / "config.toml"
    path.write_text(written)
    return path


def refused(**given: Any) -> str:
    """The message about settings that are not valid."""
    with pytest.raises(SettingsError) as caught:
        load_settings(**given)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_defaults() -> None:
    """Without any setting the server listens on this machine only, keeps everything, and asks for no key."""
    settings = load_settings()
    assert (settings.host, settings.port, settings.grpc_port) == ("127.0.0.1", 4318, 4317)
    assert settings.store == default_store()
    assert (settings.secret, settings.retention, settings.prices, settings.sync) == (None, Retention(), None, False)
    assert (settings.backlog, settings.connections) == (DEFAULT_BACKLOG_BYTES, DEFAULT_CONNECTIONS)


def test_the_command_line_wins_over_the_environment_over_the_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A setting comes from the first source that has it; an empty variable counts as unset."""
    file = config(tmp_path, 'port = 1\ngrpc_port = 2\nsync = true\nretention = "3d"\nbacklog = "4MB"\n')
    monkeypatch.setenv("OTEL_SESSIONS_CONFIG", str(file))
    monkeypatch.setenv("OTEL_SESSIONS_PORT", "10")
    monkeypatch.setenv("otel_sessions_grpc_port", "20")
    monkeypatch.setenv("OTEL_SESSIONS_BACKLOG", "")
    settings = load_settings(port=100, host=None)
    assert (settings.port, settings.grpc_port, settings.sync) == (100, 20, True)
    assert (settings.retention, settings.backlog) == (Retention(3), 4_000_000)


def test_every_setting_is_an_environment_variable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Every setting can be given as a variable, by its name in capitals."""
    said = {
        "HOST": "0.0.0.0",
        "PORT": "0",
        "GRPC_PORT": "0",
        "STORE": "chdb:///somewhere",
        "API_KEY": "hush",
        "ALLOWED_HOST": "sessions.example.org, [2001:db8::1]",
        "RETENTION": "30d,20GB",
        "PRICES": str(tmp_path / "prices.toml"),
        "SYNC": "yes",
        "BACKLOG": "1GiB",
        "CONNECTIONS": "100",
    }
    for name, value in said.items():
        monkeypatch.setenv(f"OTEL_SESSIONS_{name}", value)
    settings = load_settings()
    assert (settings.host, settings.port, settings.grpc_port) == ("0.0.0.0", 0, 0)
    assert (settings.store, settings.secret) == ("chdb:///somewhere", "hush")
    assert settings.allowed_host == ("sessions.example.org", "[2001:db8::1]")
    assert (settings.retention, settings.backlog) == (Retention(30, 20 * 10**9), 1 << 30)
    assert (settings.prices, settings.sync) == (tmp_path / "prices.toml", True)
    assert settings.connections == 100


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "[::1]", "localhost", " 127.0.0.1 "])
def test_loopback_needs_no_key(host: str) -> None:
    """An address that only this machine reaches needs no API key."""
    assert is_loopback(load_settings(host=host).host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.org", "fe80::1%eth0", "localhost.example.org"])
def test_other_addresses_need_a_key(host: str) -> None:
    """An address that others may reach is refused without an API key, with the next step."""
    said = refused(host=host)
    assert host in said
    assert "OTEL_SESSIONS_API_KEY" in said
    assert load_settings(host=host, api_key="hush").host == host


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"port": 65536}, "--port: should be less than or equal to 65535"),
        ({"grpc_port": "x"}, "--grpc-port: should be a valid integer"),
        ({"backlog": "much"}, "--backlog: 'much' is not a size"),
        ({"connections": 0}, "--connections: should be greater than or equal to 1"),
        ({"retention": "30"}, "--retention: '30' is not a retention"),
        ({"host": "http://a"}, "--host: not an address"),
        ({"host": " "}, "--host: not an address"),
        ({"store": "/some/folder"}, "--store: not a store URL; use chdb:///folder or http"),
        ({"store": "chdb://relative"}, "--store: not a store URL"),
        ({"store": "http://a:99999/b"}, "--store: not a store URL"),
        ({"api_key": ""}, "--api-key: the API key is empty; set it to a secret"),
        ({"api_key": " \t"}, "--api-key: the API key is empty; set it to a secret"),
        (
            {"allowed_host": ["a.example", "http://b.example"]},
            "--allowed-host: 'http://b.example' is not the name of a",
        ),
        ({"allowed_host": "a.example:4318"}, "--allowed-host: 'a.example:4318' is not the name of a host"),
        ({"allowed_host": "*"}, "--allowed-host: '*' is not the name of a host"),
        ({"allowed_host": 7}, "--allowed-host: not names of hosts"),
        ({"api_key": " spaced "}, "--api-key: an API key is printable ASCII"),
        ({"api_key": "ключ"}, "--api-key: an API key is printable ASCII"),
    ],
)
def test_a_value_that_is_not_valid_is_named(given: dict[str, Any], expected: str) -> None:
    """The message begins with the option and says what its value should be."""
    assert refused(**given).startswith(expected)


def test_the_message_says_where_a_value_came_from(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The message tells an option, a variable and a line of the file apart."""
    monkeypatch.setenv("OTEL_SESSIONS_PORT", "many")
    said = refused(config=config(tmp_path, "sync = 'maybe'\n"), backlog="x")
    assert "OTEL_SESSIONS_PORT: should be" in said
    assert "sync in the config file: should be" in said
    assert "--backlog: " in said


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (
            "prot = 1\n",
            "unknown setting 'prot'; known are allowed_host, api_key, backlog, connections, grpc_port, host, port, prices",
        ),
        ("config = 'other'\n", "unknown setting 'config'"),
        ("port =\n", "is not valid TOML"),
        ("port = '\\\n", "is not valid TOML"),
    ],
)
def test_a_wrong_config_file(tmp_path: Path, written: str, expected: str) -> None:
    """The message names the file and the fault in it."""
    path = config(tmp_path, written)
    said = refused(config=path)
    assert str(path) in said
    assert expected in said


def test_a_config_file_that_is_not_there(tmp_path: Path) -> None:
    """A file that was asked for has to exist."""
    assert "cannot be read: No such file" in refused(config=tmp_path / "none.toml")


def test_secrets_are_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the API key nor a password appears when settings are printed or refused."""
    monkeypatch.setenv("OTEL_SESSIONS_STORE", "http://me:hush@localhost:8123/otel")
    monkeypatch.setenv("OTEL_SESSIONS_API_KEY", "hush-hush")
    settings = load_settings()
    assert "hush" not in f"{settings!r} {settings}"
    for store in ("http://me:hush@[::1/otel", "https://me:hush@host:x/otel", "ftp://me:hush@host/otel"):
        assert "hush" not in refused(store=store, port=-1)
    assert "hush" not in refused(api_key="hush\n")


@pytest.mark.parametrize("value", ["", " ", "\t"])
def test_an_empty_key_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, value: str) -> None:
    """A key that is set and empty is an error wherever it stands, so that a script without its secret opens no door."""
    assert refused(config=config(tmp_path, f'api_key = "{value}"\n')).startswith("api_key in the config file: the API")
    for name in ("OTEL_SESSIONS_API_KEY", "otel_sessions_api_key"):
        monkeypatch.setenv(name, value)
        assert refused().startswith("OTEL_SESSIONS_API_KEY: the API key is empty")
        assert refused(config=config(tmp_path, 'api_key = "hush"\n')).startswith("OTEL_SESSIONS_API_KEY: the API")
        assert load_settings(api_key="hush").secret == "hush"
        monkeypatch.delenv(name)


def test_which_hosts_are_answered(tmp_path: Path) -> None:
    """Without a key only loopback and the names that are given are answered, with a key all unless names are given."""
    alone = load_settings().hosts
    assert alone is not None
    assert (alone.has("localhost"), alone.has("a.example")) == (True, False)
    named = load_settings(config=config(tmp_path, 'allowed_host = ["a.example", "b.example"]\n')).hosts
    assert named is not None
    assert (named.has("127.0.0.1"), named.has("b.example"), named.has("c.example")) == (True, True, False)
    assert load_settings(api_key="hush").hosts is None
    both = load_settings(api_key="hush", allowed_host="a.example,,b.example").hosts
    assert both is not None
    assert (both.has("a.example"), both.has("c.example")) == (True, False)


def test_requests_lie_with_an_embedded_store(tmp_path: Path) -> None:
    """The requests folder is within the store, so that moving the store moves what was acknowledged too."""
    assert load_settings(store=f"chdb://{tmp_path}/here").requests_folder == tmp_path / "here" / "requests"


def test_requests_for_a_server_lie_in_the_users_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Each database has one requests folder, whatever user and password the URL has."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    folders = [
        load_settings(store=f"http://{url}").requests_folder
        for url in ("me:a@host:8123/otel", "you:b@host:8123/otel", "host:8123/other")
    ]
    assert folders[0] == folders[1] != folders[2]
    assert all(folder.is_relative_to(data_folder()) for folder in folders)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the default is another folder")
@pytest.mark.parametrize("variable", ["/data", "relative", ""])
def test_the_data_folder_follows_xdg(monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    """On Linux an absolute `XDG_DATA_HOME` moves the data; a relative one is ignored, as the specification asks."""
    monkeypatch.setenv("XDG_DATA_HOME", variable)
    parent = Path("/data") if variable == "/data" else Path.home() / ".local" / "share"
    assert data_folder() == parent / "otel-sessions"
    assert default_store() == f"chdb://{parent}/otel-sessions"


def test_an_empty_variable_is_not_blamed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A variable that is set to nothing is ignored, and the message names the file that has the value."""
    monkeypatch.setenv("OTEL_SESSIONS_PORT", "")
    assert refused(config=config(tmp_path, 'port = "abc"')).startswith("port in the config file: should be")


def test_each_setting_has_one_text() -> None:
    """Every field is described by `SETTINGS`, in the same order."""
    assert list(Settings.model_fields) == list(SETTINGS)
    assert all(field.description == SETTINGS[name].about for name, field in Settings.model_fields.items())


def test_the_documentation_has_every_setting(tmp_path: Path) -> None:
    """The table of the documentation says of each option what `--help` says, and its example of a file can be used."""
    page = (ROOT / "docs" / "server.md").read_text()
    rows = re.findall(r"^\| `--([a-z-]+)` \| `(OTEL_SESSIONS_[A-Z_]+)` \| (.*?) \| (.*) \|$", page, re.MULTILINE)
    plain = [[re.sub(r"`|\[(.*?)\]\(.*?\)", r"\1", cell) for cell in row] for row in rows]
    assert plain == [
        [name.replace("_", "-"), f"OTEL_SESSIONS_{name.upper()}", text.default, text.about]
        for name, text in SETTINGS.items()
    ]
    variables = (ROOT / "docs" / "environment.md").read_text().partition("## The server")[2]
    defaults = re.findall(r"^\| `(OTEL_SESSIONS_[A-Z_]+)` \| `?(.*?)`? \|", variables, re.MULTILINE)
    assert defaults == [(f"OTEL_SESSIONS_{name.upper()}", text.default) for name, text in SETTINGS.items()]
    (example,) = re.findall(r"^```toml\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    settings = load_settings(config=config(tmp_path, example))
    assert (settings.grpc_port, settings.retention, settings.sync) == (14317, Retention(30, 20 * 10**9), True)


def test_settings_load_no_database_client() -> None:
    """Commands that only read settings do not wait for the imports of the store."""
    program = (
        "import sys, otel_sessions.server.process.settings; print(*{'clickhouse_connect', 'google'} & set(sys.modules))"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert ran.stdout == "\n"
