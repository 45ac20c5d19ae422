"""Commits make way for requests that read sessions, and for no others."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any
from unittest.mock import DEFAULT

import pytest
from tests.server.api.doubles import backend_with

from otel_sessions.server.api.app import create_app
from otel_sessions.server.queries.sessions import KeySummary


def steps_of(path: str) -> list[str]:
    """The steps of a request in order: commits make way, a question, they no longer do, the answer is sent."""
    steps: list[str] = []

    @contextmanager
    def answering() -> Iterator[None]:
        steps.append("make way")
        yield
        steps.append("go on")

    def asked(*_: Any, **__: Any) -> Any:
        steps.append("question")
        return DEFAULT

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: MutableMapping[str, Any]) -> None:
        steps.append(message["type"].rpartition(".")[2])

    backend = backend_with(asked, answering=answering, keys=[KeySummary("id", 1, 0, 1)])
    scope = {"path": path, "raw_path": path.encode(), "query_string": b"", "headers": []}
    app = create_app(backend)
    asyncio.run(app({"type": "http", "method": "GET", "http_version": "1.1", **scope}, receive, send))
    return steps


def test_commits_make_way_until_the_answer_is_made() -> None:
    """They go on before the answer is sent, so that a slow client holds up nothing."""
    assert steps_of("/v1/keys") == ["make way", "question", "go on", "start", "body"]


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/openapi.json", "/v1/nothing"])
def test_other_requests_hold_up_no_commit(path: str) -> None:
    """Probes and metrics are asked for all the time, and read no sessions."""
    start, *parts = steps_of(path)
    assert (start, {*parts}) == ("start", {"body"})
