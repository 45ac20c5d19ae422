"""`session_row`: the row of `sessions` for a session that is folded in memory.

It is the row that `write_session_rows.sql` makes of the same trace groups.
"""

from __future__ import annotations

from hashlib import sha256
from struct import Struct
from typing import Final

from otel_sessions.counting.fold import SessionSum
from otel_sessions.server.clickhouse.columns import SESSION_COLUMNS
from otel_sessions.server.clickhouse.row_binary import string, writer

_VERSIONS: Final = Struct("<QQ").pack
"""Version, FirstVersion."""

_WRITERS: Final = [(column.value, writer(column.type)) for column in SESSION_COLUMNS]


def id_hash(session_id: str) -> int:
    """`IdHash` of a session: the first half of the SHA-256 of its id, as ClickHouse reads it."""
    return int.from_bytes(sha256(session_id.encode()).digest()[:16], "little")


def session_row(session: SessionSum, *, version: int, first_version: int) -> bytes:
    """The row in RowBinary, its columns in the order of `columns.COLUMNS`.

    Args:
        session: all trace groups of it, folded.
        version: the commit that it follows.
        first_version: that of its first row.
    """
    return b"".join(
        (
            string(session.key),
            string(session.value),
            id_hash(session.value).to_bytes(16, "little"),
            _VERSIONS(version, first_version),
            *(write(value(session)) for value, write in _WRITERS),
        )
    )
