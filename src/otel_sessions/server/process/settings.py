"""`Settings`: what a server can be told, on the command line, in the environment or in a file."""

from __future__ import annotations

import hashlib
import ipaddress
import os
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, InitSettingsSource, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from otel_sessions.environment_variables import PREFIX
from otel_sessions.server.backend import DEFAULT_BACKLOG_BYTES
from otel_sessions.server.clickhouse.client import EMBEDDED, StoreSettings
from otel_sessions.server.process.sizes import Retention, bytes_of, retention_of

NAME: Final = "otel-sessions"

Port = Annotated[int, Field(ge=0, le=65535)]


class SettingsError(Exception):
    """A setting is not what it has to be; the message says which one, where it came from, and what to do."""


def data_folder(platform: str = sys.platform, environment: Mapping[str, str] = os.environ) -> Path:
    """Where the data of a user's programs lies, by the rules of the operating system."""
    if platform == "win32":
        return Path(environment.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    if platform == "darwin":
        return Path.home() / "Library" / "Application Support"
    folder = Path(environment.get("XDG_DATA_HOME", ""))
    # The specification has relative ones ignored.
    return folder if folder.is_absolute() else Path.home() / ".local" / "share"


def default_store() -> str:
    """The URL of the store in the user's data folder."""
    path = (data_folder() / NAME).as_posix()
    return f"{EMBEDDED}://{path if path.startswith('/') else f'/{path}'}"


def is_loopback(host: str) -> bool:
    """Whether an address is reachable from this machine only; a name other than `localhost` is taken to be not."""
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _host(value: str) -> str:
    host = value.strip().removeprefix("[").removesuffix("]")
    if not host or any(character.isspace() or character in "/@" for character in host):
        raise ValueError("this is no address; give one of this machine, like 127.0.0.1 or ::1")
    return host


def _store(value: str) -> str:
    try:
        parts = urlsplit(value)
        good = parts.port is None or parts.port > 0
    except ValueError:
        good = False
    # The URL is not quoted: it may hold a password.
    if not good or parts.scheme not in (EMBEDDED, "http", "https") or StoreSettings(value).folder == Path():
        raise ValueError("this is no store; use chdb:///folder or http(s)://user:password@host:port/database")
    return value


def _api_key(value: SecretStr) -> SecretStr:
    secret = value.get_secret_value()
    if not secret or not (secret.isascii() and secret.isprintable()) or secret != secret.strip():
        raise ValueError("an API key is printable ASCII without spaces around it, so that it fits into a header")
    return value


class _ConfigFile(InitSettingsSource):
    """The file that `config` names, as a source of settings behind those that named it."""

    def __call__(self) -> dict[str, Any]:
        path = self.current_state.get("config")
        return {} if path is None else _read(Path(path), self.settings_cls.model_fields.keys() - {"config"})


class Settings(BaseSettings):
    """What a server can be told; each also as environment variable, `grpc_port` as `OTEL_SESSIONS_GRPC_PORT`.

    Attributes:
        host: the address to listen on.
        port: of OTLP/HTTP and the API; 0 takes a free one.
        grpc_port: of OTLP/gRPC; 0 takes a free one.
        store: `chdb:///folder`, or `http(s)://user:password@host:port/database`.
        api_key: what requests must say; `None` lets everyone in.
        retention: how much is kept.
        prices: a custom price file.
        sync: let a request survive the death of the machine too, while it waits to be committed.
        backlog: how many bytes may wait to be committed.
        config: a TOML file with these settings.
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_ignore_empty=True,
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        validate_default=False,
    )

    host: Annotated[str, AfterValidator(_host)] = "127.0.0.1"
    port: Port = 4318
    grpc_port: Port = 4317
    store: Annotated[str, AfterValidator(_store), Field(default_factory=default_store, repr=False)]
    api_key: Annotated[SecretStr, AfterValidator(_api_key)] | None = None
    retention: Annotated[Retention, NoDecode, BeforeValidator(retention_of)] = Retention()
    prices: Path | None = None
    sync: bool = False
    backlog: Annotated[int, BeforeValidator(bytes_of)] = DEFAULT_BACKLOG_BYTES
    config: Path | None = None

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What is given goes first, then the environment, then the file."""
        return init_settings, env_settings, _ConfigFile(settings_cls, {})

    @model_validator(mode="after")
    def _refuse_an_open_door(self) -> Self:
        if self.api_key is None and not is_loopback(self.host):
            raise ValueError(
                f"the address {self.host} can be reached from other machines, and there is no API key: set "
                f"{PREFIX}API_KEY to a secret that clients send, or listen on 127.0.0.1"
            )
        return self

    @property
    def secret(self) -> str | None:
        """The API key itself."""
        return None if self.api_key is None else self.api_key.get_secret_value()

    @property
    def requests_folder(self) -> Path:
        """Where acknowledged requests are until they are committed: with an embedded store, else by the store's URL."""
        store = StoreSettings(self.store)
        if store.folder is not None:
            return store.folder / "requests"
        return data_folder() / NAME / "requests" / hashlib.sha256(store.shown.encode()).hexdigest()[:16]


def load_settings(**given: Any) -> Settings:
    """The settings: those given here that are not `None`, else the environment's, else the file's, else the defaults.

    Raises:
        SettingsError: one of them cannot be used.
    """
    said = {name: value for name, value in given.items() if value is not None}
    try:
        return Settings(**said)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_input=False, include_context=False)
        lines = [
            ": ".join([*[_origin(str(name), said) for name in fault["loc"][:1]], _plain(fault["msg"])])
            for fault in faults
        ]
        raise SettingsError("; ".join(lines)) from None


def _origin(name: str, given: Mapping[str, Any]) -> str:
    """Where a value came from, as its user knows it."""
    if name in given:
        return f"--{name.replace('_', '-')}"
    variable = PREFIX + name.upper()
    return variable if any(known.upper() == variable for known in os.environ) else f"{name} in the config file"


def _plain(message: str) -> str:
    return message.removeprefix("Value error, ").removeprefix("Input ")


def _read(path: Path, known: set[str]) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            read = tomllib.load(file)
    except OSError as error:
        raise SettingsError(f"the config file {path} cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise SettingsError(f"the config file {path} is no TOML: {error}") from None
    unknown = sorted(read.keys() - known)
    if unknown:
        raise SettingsError(
            f"the config file {path} has the unknown setting {unknown[0]!r}; known are {', '.join(sorted(known))}"
        )
    return read
