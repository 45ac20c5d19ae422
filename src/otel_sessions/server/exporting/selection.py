"""`Selection`: which sessions an export has, as conditions on rows of spans and of log records."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from otel_sessions.attributes import ID_KEY
from otel_sessions.server.clickhouse.client import Store
from otel_sessions.server.exporting.statements import statement
from otel_sessions.server.projections.session_logs import named_session, naming
from otel_sessions.server.projections.session_row import id_hash
from otel_sessions.server.projections.stored_units import adopted_cells
from otel_sessions.server.queries.filters import SessionFilters, conditions


class Given(NamedTuple):
    """What is exported of what sessions were given.

    Attributes:
        scores: the condition on rows of `scores`.
        others: the condition on rows of `annotations` and `session_names`.
        parameters: of both.
    """

    scores: str
    others: str
    parameters: dict[str, Any]


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

    def logs(self, store: Store) -> tuple[str, dict[str, Any]]:
        """The condition on rows of `otel_logs`, and its parameters: those in the traces, those counted in the sessions, and those naming one."""
        if self.is_everything:
            return "1", {}
        sessions, parameters = self._sessions()
        condition = statement(
            "logs_of_units",
            units=statement("units_of_sessions", which=sessions),
            named=named_session(),
            ids=statement("ids_of_sessions", which=sessions),
        )
        return condition, {**parameters, **naming(self.key), "cells": self._adopted_cells(store, sessions, parameters)}

    def given(self) -> Given:
        """The conditions on rows of `scores`, and on those of `annotations` and `session_names`, and their parameters."""
        if self.is_everything:
            return Given("1", "1", {})
        sessions, parameters = self._sessions()
        units = statement("units_of_sessions", which=sessions)
        scores = statement("scores_of_units", units=units, which=sessions)
        return Given(scores, statement("given_to_sessions", which=sessions), parameters)

    def _adopted_cells(self, store: Store, sessions: str, parameters: dict[str, Any]) -> list[int]:
        """Cells that no trace group of the sessions leads to, since all log records in them are counted in traces."""
        with store.reading() as client:
            rows = client.query(statement("units_of_sessions", which=sessions), parameters=parameters).result_rows
        return [cell for cell, _ in adopted_cells(store, [unit for unit, _ in rows])]

    def _sessions(self) -> tuple[str, dict[str, Any]]:
        """The condition on rows of `session_traces`, and its parameters."""
        if self.ids is not None:
            hashes = [id_hash(session_id) for session_id in self.ids]
            return "IdHash IN {hashes:Array(UInt128)}", {"key": self.key, "hashes": hashes}
        assert self.filters is not None
        where, parameters = conditions(self.filters)
        return statement("listed_sessions", where=where), parameters
