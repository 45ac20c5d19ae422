"""The SQL files of this package."""

from __future__ import annotations

from typing import Final

from otel_sessions.server.clickhouse.sql import Statements

statement: Final = Statements("otel_sessions.server.exporting")
