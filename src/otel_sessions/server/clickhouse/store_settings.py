"""`StoreSettings`: which store, from its URL. Imports no client, so that commands start fast."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Final
from urllib.parse import unquote, urlsplit

from otel_sessions.server.clickhouse.errors import StoreError

EMBEDDED: Final = "chdb"
DEFAULT_DATABASE: Final = "otel"
"""The database in an embedded store; a server's is named in its URL."""

_IDENTIFIER: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


@dataclass(frozen=True, slots=True)
class StoreSettings:
    """Where the store is, checked.

    Attributes:
        url: `chdb:///folder`, or `http(s)://user:password@host:port/database`.
        database: instead of the one that the URL names.
        readers: how many queries run at once.

    Raises:
        StoreError: the URL or the name of the database is not valid.
    """

    url: str
    database: str | None = None
    readers: int = 4

    def __post_init__(self) -> None:
        if not _is_store_url(self.url):
            # The URL is not quoted: it may hold a password.
            raise StoreError("not a store URL; use chdb:///folder or http(s)://user:password@host:port/database")
        if not _IDENTIFIER.match(self.database_name):
            raise StoreError(
                f"{self.database_name!r} cannot be the name of a database; use letters, digits and '_', "
                "as in http://host:8123/otel"
            )

    @property
    def folder(self) -> Path | None:
        """The folder of an embedded store; `None` for a server."""
        parts = urlsplit(self.url)
        return Path(parts.path) if parts.scheme == EMBEDDED else None

    @property
    def database_name(self) -> str:
        """The database that the tables are in."""
        if self.folder is not None:
            return self.database or DEFAULT_DATABASE
        return self.database or unquote(urlsplit(self.url).path).strip("/") or "default"

    @property
    def shown(self) -> str:
        """The URL without user and password, as messages name the store."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def embedded_url(folder: PurePath) -> str:
    """The URL of an embedded store in a folder."""
    path = folder.as_posix()
    return f"{EMBEDDED}://{path if path.startswith('/') else f'/{path}'}"


def _is_store_url(url: str) -> bool:
    try:
        parts = urlsplit(url)
        port_is_valid = parts.port is None or parts.port > 0
    except ValueError:
        return False
    if parts.scheme == EMBEDDED:
        # In chdb://data/store, `data` is a host: most likely a relative folder is meant, not /store.
        return parts.path.startswith("/") and not parts.netloc
    return port_is_valid and parts.scheme in ("http", "https")
