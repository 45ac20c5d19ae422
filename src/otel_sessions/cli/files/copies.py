"""`Copies`: how often each log record came in a file so far, in bounded memory however long the file is."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable
from hashlib import blake2b
from typing import Final

from otel_sessions.cli.files.records import Record

_AT_ONCE: Final = 500


def digest_of(record: Record) -> bytes:
    """What identifies all that a record says, with its resource and its scope."""
    digest = blake2b(digest_size=16)
    for part in (*record.resource, *record.scope, record.raw):
        digest.update(len(part).to_bytes(8))
        digest.update(part)
    return digest.digest()


class Copies:
    """Counts by digest, in a temporary database that spills to the disk."""

    def __init__(self) -> None:
        self._database = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._database.execute("CREATE TABLE copies (digest BLOB PRIMARY KEY, number INTEGER NOT NULL) WITHOUT ROWID")

    def known(self, digests: Iterable[bytes]) -> dict[bytes, int]:
        """How often each of these came, if it came."""
        wanted = list(set(digests))
        found: dict[bytes, int] = {}
        for first in range(0, len(wanted), _AT_ONCE):
            some = wanted[first : first + _AT_ONCE]
            marks = ",".join("?" * len(some))
            # The text has question marks only.
            rows = self._database.execute(f"SELECT digest, number FROM copies WHERE digest IN ({marks})", some)  # noqa: S608
            found.update(rows)
        return found

    def add(self, digests: Iterable[bytes]) -> None:
        """Count these."""
        self._database.execute("BEGIN")
        self._database.executemany(
            "INSERT INTO copies VALUES (?, ?) ON CONFLICT DO UPDATE SET number = number + excluded.number",
            Counter(digests).items(),
        )
        self._database.execute("COMMIT")

    def close(self) -> None:
        """Delete the database."""
        self._database.close()
