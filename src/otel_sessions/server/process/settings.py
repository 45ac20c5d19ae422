"""`Settings`: what a server can be told, on the command line, in the environment or in a file."""

from __future__ import annotations

import hashlib
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Self

import platformdirs
from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, InitSettingsSource, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from otel_sessions.environment_variables import PREFIX
from otel_sessions.server.clickhouse.errors import StoreError
from otel_sessions.server.clickhouse.store_settings import StoreSettings, embedded_url
from otel_sessions.server.hosts import AllowedHosts, authority_of, is_loopback
from otel_sessions.server.process.setting_texts import SETTINGS
from otel_sessions.server.process.sizes import Retention, bytes_of, retention_of

NAME: Final = "otel-sessions"
REQUESTS_FOLDER: Final = "requests"

Port = Annotated[int, Field(ge=0, le=65535)]


class SettingsError(Exception):
    """A setting is not valid; the message names it, where it came from, and the next step."""


def data_folder() -> Path:
    """The folder of this program's data, by the rules of the operating system."""
    return platformdirs.user_data_path(NAME, appauthor=False)


def default_store() -> str:
    """The URL of the store in the user's data folder."""
    return embedded_url(data_folder())


def _host(value: str) -> str:
    host = value.strip().removeprefix("[").removesuffix("]")
    if not host or any(character.isspace() or character in "/@" for character in host):
        raise ValueError("not an address; give one of this machine, like 127.0.0.1 or ::1")
    return host


def _hosts(value: Any) -> tuple[str, ...]:
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list | tuple) or not all(isinstance(name, str) for name in names):
        raise ValueError('not names of hosts; give names such as "sessions.example.org"')
    hosts = tuple(name.strip() for some in names for name in some.split(",") if name.strip())
    for name in hosts:
        authority = authority_of(f"[{name}]" if name.count(":") > 1 and "[" not in name else name)
        if authority is None or authority.port or "*" in name:
            raise ValueError(f"{name!r} is not the name of a host; give it without scheme, port and path")
    return hosts


def _store(value: str) -> str:
    try:
        return StoreSettings(value).url
    except StoreError as error:
        raise ValueError(str(error)) from None


def _api_key(value: SecretStr) -> SecretStr:
    secret = value.get_secret_value()
    if not secret.strip():
        raise ValueError(
            "the API key is empty; set it to a secret that clients send, or remove it to serve without one"
        )
    if not (secret.isascii() and secret.isprintable()) or secret != secret.strip():
        raise ValueError("an API key is printable ASCII without spaces around it, so that it fits into a header")
    return value


def _setting(name: str, **default: Any) -> Any:
    """The field of a setting, described as users read it; without another default, the one that they read is parsed."""
    text = SETTINGS[name]
    if not default:
        default = {"default": text.default, "validate_default": True}
    return Field(description=text.about, **default)


class _EmptyKey(InitSettingsSource):
    """The variable of the API key if it is set to nothing, which other variables may be: that must not open the door."""

    def __call__(self) -> dict[str, Any]:
        return {"api_key": ""} if _values_of("api_key") == [""] else {}


class _ConfigFile(InitSettingsSource):
    """The file that `config` names, as the source that is asked last."""

    def __call__(self) -> dict[str, Any]:
        path = self.current_state.get("config")
        return {} if path is None else _read(Path(path), self.settings_cls.model_fields.keys() - {"config"})


class Settings(BaseSettings):
    """What a server can be told; `SETTINGS` describes each field.

    Each is also an environment variable, `grpc_port` for example `OTEL_SESSIONS_GRPC_PORT`.
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_ignore_empty=True,
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        validate_default=False,
    )

    host: Annotated[str, AfterValidator(_host)] = _setting("host")
    port: Port = _setting("port")
    grpc_port: Port = _setting("grpc_port")
    store: Annotated[str, AfterValidator(_store)] = _setting("store", default_factory=default_store, repr=False)
    api_key: Annotated[SecretStr, AfterValidator(_api_key)] | None = _setting("api_key", default=None)
    allowed_host: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_hosts)] = _setting("allowed_host", default=())
    retention: Annotated[Retention, NoDecode, BeforeValidator(retention_of)] = _setting(
        "retention", default=Retention()
    )
    prices: Path | None = _setting("prices", default=None)
    sync: bool = _setting("sync")
    backlog: Annotated[int, BeforeValidator(bytes_of)] = _setting("backlog")
    connections: Annotated[int, Field(ge=1)] = _setting("connections")
    config: Path | None = _setting("config", default=None)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Values from the caller win over the environment, which wins over the file."""
        return init_settings, env_settings, _EmptyKey(settings_cls, {}), _ConfigFile(settings_cls, {})

    @model_validator(mode="after")
    def _require_a_key_beyond_loopback(self) -> Self:
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
    def hosts(self) -> AllowedHosts | None:
        """The hosts that the server answers to over HTTP; `None` for all.

        With a key, a foreign page gets nothing, since it does not have the key: then only names that were given are checked.
        """
        return None if self.api_key is not None and not self.allowed_host else AllowedHosts(self.allowed_host)

    @property
    def requests_folder(self) -> Path:
        """The folder of acknowledged requests that are not committed yet: within an embedded store, else one per server."""
        store = StoreSettings(self.store)
        if store.folder is not None:
            return store.folder / REQUESTS_FOLDER
        return data_folder() / REQUESTS_FOLDER / hashlib.sha256(store.shown.encode()).hexdigest()[:16]


def load_settings(**given: Any) -> Settings:
    """The settings: each as given here unless that is `None`, else from the environment, else from the file, else its default.

    Raises:
        SettingsError: one of them is not valid.
    """
    chosen = {name: value for name, value in given.items() if value is not None}
    try:
        return Settings(**chosen)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_input=False, include_context=False)
        lines = [
            ": ".join([*[_origin(str(name), chosen) for name in fault["loc"][:1]], _plain(fault["msg"])])
            for fault in faults
        ]
        raise SettingsError("; ".join(lines)) from None


def _origin(name: str, given: Mapping[str, Any]) -> str:
    """Where a value came from: an option, a variable, or a line of the file."""
    if name in given:
        return f"--{name.replace('_', '-')}"
    is_set = any(_values_of(name)) or (name == "api_key" and bool(_values_of(name)))
    return PREFIX + name.upper() if is_set else f"{name} in the config file"


def _values_of(name: str) -> list[str]:
    """The values of the variable of a setting, which may be written in capitals or not."""
    variable = PREFIX + name.upper()
    return [value for known, value in os.environ.items() if known.upper() == variable]


def _plain(message: str) -> str:
    return message.removeprefix("Value error, ").removeprefix("Input ")


def _read(path: Path, known: set[str]) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            read = tomllib.load(file)
    except OSError as error:
        raise SettingsError(f"the config file {path} cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise SettingsError(f"the config file {path} is not valid TOML: {error}") from None
    unknown = sorted(read.keys() - known)
    if unknown:
        raise SettingsError(
            f"the config file {path} has the unknown setting {unknown[0]!r}; known are {', '.join(sorted(known))}"
        )
    return read
