"""`logs_of_session`: which log records belong to a session, as a condition on rows of `otel_logs`; pages and deletions share it.

A record belongs to the session that it names, by the names and ranks that spans are read by; else to the session of the span that it was
written in, else to that of its trace, if this has one. A span's session outranks a record that names another by a lesser name, just as
between spans. A record that is counted is in the session that it is counted in.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from itertools import chain
from typing import Any, Final, NamedTuple

from otel_sessions.attributes import ID_KEY, attribute_of
from otel_sessions.counting.distinct_spans import distinct_spans
from otel_sessions.counting.facts import SpanFacts
from otel_sessions.counting.membership import Pair, members_of
from otel_sessions.counting.reading import OF_RESOURCE
from otel_sessions.dialects.emitters import EMITTERS
from otel_sessions.dialects.names import SESSION_ID, STRINGS_ONLY
from otel_sessions.server.clickhouse.client import Store
from otel_sessions.server.clickhouse.span_rows import span_hex, trace_hex
from otel_sessions.server.projections.session_row import id_hash
from otel_sessions.server.projections.statements import statement
from otel_sessions.server.projections.trace_facts import facts_of

NAMES_OF_ID: Final = tuple(dict.fromkeys(chain(SESSION_ID, *(emitter.sessions for emitter in EMITTERS))))
"""The names of the session of the key `id`, the highest rank first."""

_UNKNOWN_SPAN: Final = ""
"""Stands for all spans of a trace that are not stored."""


class SessionLogs(NamedTuple):
    """The log records of a session.

    Attributes:
        exists: spans or log records are counted in the session; if not, only records that name it are its.
        may_be: a condition that all of them meet and few others, which the indexes of `otel_logs` know, as SQL.
        are: the condition that of these only they meet, as SQL.
        parameters: of both.
    """

    exists: bool
    may_be: str
    are: str
    parameters: dict[str, Any]

    @property
    def condition(self) -> str:
        """The condition that all of them meet, and no other."""
        return f"({self.may_be}) AND ({self.are})"


class _Told(NamedTuple):
    """What a span says to the log records in it.

    Attributes:
        trace: its trace, as the table has it.
        span: its id, as the table has it.
        session: the value of the key; `None` if it is in no session.
        rank: of the name that gives it.
    """

    trace: str
    span: str
    session: str | None
    rank: int


def logs_of_session(store: Store, session: Pair) -> SessionLogs:
    """The log records of a session."""
    key, session_id = session
    told_by_records = {**naming(key), "session": session_id}
    ways = _ways(store, told_by_records)
    may_name = ways.may_name
    whole, shared, cells = _units(store, session)
    to_judge = _to_judge(store, told_by_records, may_name, whole) if ways.are_ranked else set()
    whole -= to_judge
    judged = shared | to_judge
    told = [one for unit, facts in facts_of(store, sorted(judged)).items() for one in _told(unit, facts, key)]
    parameters = {
        **told_by_records,
        "key": key,
        "traces": _traces((whole | judged) - cells),
        "cells": sorted(cells),
        "whole": _traces(whole - cells),
        "judged": _traces(judged - cells),
        "whole_units": sorted(whole),
        "judged_units": sorted(judged),
        "known_traces": [one.trace for one in told],
        "known_spans": [one.span for one in told],
        **_ranked(told, session_id),
    }
    return SessionLogs(
        bool(whole or shared),
        statement("log_may_be_of_session", may_name=may_name),
        _condition(are_judged=bool(judged)),
        parameters,
    )


def naming(key: str) -> dict[str, Any]:
    """The parameters of `named_session`."""
    names = NAMES_OF_ID if key == ID_KEY else (attribute_of(key),)
    outer, _, inner = zip(*(name.partition("#") for name in names), strict=True)
    return {
        "names": list(outer),
        "inners": list(inner),
        "documents": sorted({name for name, member in zip(outer, inner, strict=True) if member}),
        "lesser": sorted(set(outer[1:])),
        "texts_only": sorted(STRINGS_ONLY),
        "has_resource": int(key == ID_KEY),
        "rank_of_resource": OF_RESOURCE,
    }


class _Ways(NamedTuple):
    """How log records name sessions.

    Attributes:
        may_name: what a record has that names the session, for the indexes, as SQL.
        are_ranked: some name one by a name which that of a span may outrank.
    """

    may_name: str
    are_ranked: bool


def _ways(store: Store, named_by: dict[str, Any]) -> _Ways:
    """The ways to name a session that the store has: to look for those that it lacks would take most of the time."""
    found = [statement("log_has_id")]
    if len(named_by["names"]) == 1:
        return _Ways(found[0], are_ranked=False)
    with store.reading() as client:
        ((documents, lesser, resources),) = client.query(
            statement("ways_to_name_sessions"), parameters=named_by
        ).result_rows
    if documents:
        found.append(statement("log_has_document"))
    if resources:
        found.append(statement("log_resource_has_id"))
    return _Ways("(" + " OR ".join(found) + ")", are_ranked=bool(lesser or resources))


def _units(store: Store, session: Pair) -> tuple[set[int], set[int], set[int]]:
    """The units of a session that are in no other one of its key, those that are, and which of all these are cells."""
    key, session_id = session
    parameters = {"key": key, "hash": id_hash(session_id), "cut": json.dumps([key])[:-1]}
    with store.reading() as client:
        rows = client.query(statement("units_of_session_logs"), parameters=parameters).result_rows
    return (
        {unit for unit, _, is_shared in rows if not is_shared},
        {unit for unit, _, is_shared in rows if is_shared},
        {unit for unit, is_cell, _ in rows if is_cell},
    )


def _to_judge(store: Store, told_by_records: dict[str, Any], may_name: str, whole: Collection[int]) -> set[int]:
    """The traces in which it depends on the ranks of names whether a log record is of the session."""
    parts = _parts()
    sql = statement("log_traces_to_judge", may_name=may_name, named=parts["named"], rank=parts["rank"])
    with store.reading() as client:
        rows = client.query(sql, parameters={**told_by_records, "whole": _traces(whole)}).result_rows
    return {int(trace_id, 16) for (trace_id,) in rows}


def _told(unit: int, facts: Iterable[SpanFacts], key: str) -> list[_Told]:
    """What the spans and counted records of a unit say to log records in them, and what the unit says to all others."""
    spans = distinct_spans(facts)
    # A span that says nothing itself and has no parent is what a span is that is not stored.
    unknown = next(id_ for id_ in range(len(spans) + 1) if id_ not in spans)
    first = next(iter(spans.values()))
    silent = SpanFacts(unknown, None, first.start, first.end, failed=False, kind="", scope="", name="")
    members = members_of({**spans, unknown: silent})
    return [
        _Told(
            trace_hex(unit),
            _UNKNOWN_SPAN if span_id == unknown else span_hex(span_id),
            dict(pairs).get(key),
            members.ranks.get(span_id, 0) if key == ID_KEY else 0,
        )
        for span_id, pairs in members.sessions.items()
    ]


def _ranked(told: Collection[_Told], session_id: str) -> dict[str, Any]:
    """The spans of the session, and those of other sessions, each with every number of ranks that its own is among."""
    ranks = sorted({one.rank for one in told if one.session is not None})
    parameters: dict[str, Any] = {"ranks": ranks}
    for whose, is_member in (("member", True), ("other", False)):
        found = [
            (one.trace, one.span, number)
            for one in told
            if one.session is not None and (one.session == session_id) == is_member
            for number in range(ranks.index(one.rank) + 1, len(ranks) + 1)
        ]
        parameters[f"{whose}_traces"] = [trace for trace, _, _ in found]
        parameters[f"{whose}_spans"] = [span for _, span, _ in found]
        parameters[f"{whose}_ranks"] = [number for _, _, number in found]
    return parameters


def named_session() -> str:
    """The session that a row of `otel_logs` names itself, as SQL, empty for none; its parameters are `naming`."""
    ids, of_resource = statement("log_ids"), statement("log_session_of_resource")
    return statement("log_session", ids=ids, of_resource=of_resource)


def _parts() -> dict[str, str]:
    return {
        "named": named_session(),
        "rank": statement("log_rank"),
    }


def _condition(*, are_judged: bool) -> str:
    parts = _parts()
    if not are_judged:
        return statement("log_of_whole_units", named=parts["named"])
    return statement(
        "log_of_session",
        named=parts["named"],
        span=statement("log_span_of_judged"),
        outranking=statement("log_outranking", rank=parts["rank"]),
        member=statement("log_spans_of", whose="member"),
        other=statement("log_spans_of", whose="other"),
    )


def _traces(units: Iterable[int]) -> list[str]:
    return [trace_hex(unit) for unit in sorted(units)]
