"""`Selection`: which sessions an export has, as conditions on rows of spans and of log records."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from otel_sessions.attributes import ID_KEY, attribute_of
from otel_sessions.server.exporting.statements import statement
from otel_sessions.server.projections.session_row import id_hash
from otel_sessions.server.queries.filters import SessionFilters, conditions


@dataclass(frozen=True, slots=True)
class Selection:
    """The sessions of an export.

    Attributes:
        key: their session key.
        ids: these sessions; `None` for all that meet the filters.
        filters: the conditions; `None` for all sessions, and for spans and log records all that there are, in a session or not.
    """

    key: str = ID_KEY
    ids: tuple[str, ...] | None = None
    filters: SessionFilters | None = None

    @property
    def is_everything(self) -> bool:
        """True if spans and log records in no session are chosen too."""
        return self.ids is None and self.filters is None

    def spans(self) -> tuple[str, dict[str, Any]]:
        """The condition on rows of `otel_traces`, and its parameters: whole traces, so that they count as here."""
        if self.is_everything:
            return "1", {}
        sessions, parameters = self._sessions()
        return statement("spans_of_units", units=statement("units_of_sessions", which=sessions)), parameters

    def logs(self) -> tuple[str, dict[str, Any]]:
        """The condition on rows of `otel_logs`, and its parameters."""
        if self.is_everything:
            return "1", {}
        sessions, parameters = self._sessions()
        condition = statement(
            "logs_of_units",
            units=statement("units_of_sessions", which=sessions),
            ids=statement("ids_of_sessions", which=sessions),
        )
        return condition, {**parameters, "attribute": attribute_of(self.key)}

    def _sessions(self) -> tuple[str, dict[str, Any]]:
        """The condition on rows of `session_traces`, and its parameters."""
        if self.ids is not None:
            hashes = [id_hash(session_id) for session_id in self.ids]
            return "IdHash IN {hashes:Array(UInt128)}", {"key": self.key, "hashes": hashes}
        assert self.filters is not None
        where, parameters = conditions(self.filters)
        return statement("listed_sessions", where=where), parameters
