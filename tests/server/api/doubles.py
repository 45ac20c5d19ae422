"""Doubles of a backend and its reader, for what a real store cannot be made to do."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any
from unittest.mock import create_autospec

from otel_sessions.counting.prices.chain import FirstPrice
from otel_sessions.server.backend import Backend
from otel_sessions.server.given import GivenToSessions
from otel_sessions.server.prices import ServerPrices
from otel_sessions.server.problems import Problems
from otel_sessions.server.queries.store_sizes import StoreSizes
from otel_sessions.server.reader import Reader
from otel_sessions.server.telemetry import Telemetry

QUESTIONS = (
    *(
        "sessions",
        "session",
        "session_with_traces",
        "traces",
        "spans",
        "calls",
        "logs",
        "ask",
        "histogram",
        "messages",
        "steps",
        "span",
        "keys",
        "cohorts",
        "unassigned",
        "trace",
        "exists",
        "scores",
        "annotations",
        "used_models",
        "settled",
    ),
)


def backend_with(
    effect: Any, *, answering: Callable[[], AbstractContextManager[None]] = nullcontext, **answers: Any
) -> Backend:
    """A backend that stores nothing.

    Args:
        effect: the `side_effect` of every question and of deletions, such as an error.
        answering: what the reader does while an answer is computed.
        answers: the answers to questions, by their names.
    """
    reader = create_autospec(Reader, instance=True)
    for question in QUESTIONS:
        getattr(reader, question).side_effect = effect
        getattr(reader, question).return_value = answers.get(question)
    reader.answering.side_effect = answering
    reader.sizes_now.return_value = StoreSizes(0, None)
    prices = create_autospec(ServerPrices, instance=True, pricer=FirstPrice())
    for question in ("in_force", "give", "take_back", "count_units", "recompute"):
        getattr(prices, question).side_effect = effect
    given = create_autospec(GivenToSessions, instance=True)
    for change in ("add_score", "add_annotation", "rename"):
        getattr(given, change).side_effect = effect
    backend = create_autospec(
        Backend,
        instance=True,
        reader=reader,
        telemetry=Telemetry(),
        problems=Problems(),
        backlog_bytes=0,
        broken_parts={},
        retention_waits=None,
        retention=None,
        prices=prices,
        given=given,
    )
    backend.delete_session.side_effect = effect
    made: Backend = backend
    return made
