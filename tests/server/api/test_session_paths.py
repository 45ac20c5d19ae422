"""Ids in paths: which session a path names is decided before its percent-encoding is undone."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient
from tests.server.api.sending import a_span, send

from otel_sessions.server.api.session_paths import SUBRESOURCES, SessionPath, route_path, session_path
from otel_sessions.server.backend import Backend


def scope_of(raw: str, **more: Any) -> dict[str, Any]:
    """The ASGI scope of a request for a path."""
    return {"type": "http", "method": "GET", "path": unquote(raw), "raw_path": raw.encode(), **more}


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("/v1/sessions/a", SessionPath("a", "")),
        ("/v1/sessions/a/traces", SessionPath("a", "traces")),
        ("/v1/sessions/a%2Fb/traces", SessionPath("a/b", "traces")),
        ("/v1/sessions/a%2Ftraces", SessionPath("a/traces", "")),
        ("/v1/sessions/a%2ftraces/traces", SessionPath("a/traces", "traces")),
        ("/v1/sessions/traces", SessionPath("traces", "")),
        ("/v1/sessions//traces", SessionPath("/traces", "")),
        ("/v1/sessions/a/b", SessionPath("a/b", "")),
        ("/v1/sessions/a/b/spans", SessionPath("a/b", "spans")),
        ("/v1/sessions/a/", SessionPath("a/", "")),
        ("/v1/sessions/a/messages/12", SessionPath("a", "messages", "12")),
        ("/v1/sessions/a/b/messages/12", SessionPath("a/b", "messages", "12")),
        ("/v1/sessions/a%2Fmessages%2F12", SessionPath("a/messages/12", "")),
        ("/v1/sessions/a/messages%2F12", SessionPath("a/messages/12", "")),
        ("/v1/sessions/a/messages/x", SessionPath("a/messages/x", "")),
        ("/v1/sessions/messages/12", SessionPath("messages/12", "")),
        ("/v1/sessions/a/spans/12", SessionPath("a/spans/12", "")),
        ("/v1/sessions/..%2F..%2Fetc", SessionPath("../../etc", "")),
        ("/v1/sessions/a%3Fb%23c%2520", SessionPath("a?b#c%20", "")),
        ("/v1/sessions/a+b%20c", SessionPath("a+b c", "")),
        ("/v1/sessions/%FF%00", SessionPath("\ufffd\0", "")),
        ("/v1/sessions/%zz", SessionPath("%zz", "")),
        ("/v1/sess%69ons/a/traces", SessionPath("a", "traces")),
        ("/v1/sessions/", None),
        ("/v1/sessions", None),
        ("/v1/keys", None),
        ("/v2/v1/sessions/a", None),
    ],
)
def test_a_path_names_a_session(raw: str, expected: SessionPath | None) -> None:
    """A sub-resource follows an id at the end of the path, after a slash that was sent unencoded."""
    assert session_path(scope_of(raw)) == expected


def test_below_another_path() -> None:
    """The path that the app is mounted at is left out, and a server may not pass the path on as it was sent."""
    mounted = scope_of("/otel/v1/sessions/a%2Fb", root_path="/otel")
    assert session_path(mounted) == SessionPath("a/b", "")
    assert route_path(mounted) == "/v1/sessions/a/b"
    assert route_path(scope_of("/other", root_path="/otel")) == "/other"
    assert session_path({"path": "/v1/sessions/a b/traces"}) == SessionPath("a b", "traces")


@given(session=st.text(min_size=1), subresource=st.sampled_from(["", *sorted(SUBRESOURCES)]))
def test_every_id_round_trips(session: str, subresource: str) -> None:
    """An encoded id is read back, with and without a sub-resource after it."""
    raw = f"/v1/sessions/{quote(session, safe='')}{subresource and f'/{subresource}'}"
    assert session_path(scope_of(raw)) == SessionPath(session, subresource)


def test_subresources_are_not_ids(client: TestClient) -> None:
    """What follows an id after a slash is never a part of it, so that nothing is deleted by such a path."""
    for subresource in sorted(SUBRESOURCES):
        assert client.delete(f"/v1/sessions/a/{subresource}").status_code in (404, 405)
    assert client.delete("/v1/sessions/").status_code == 404


async def _nothing() -> dict[str, Any]:
    raise AssertionError


@pytest.mark.parametrize("session", [".", ".."])
def test_ids_that_clients_would_normalize_away(client: TestClient, backend: Backend, session: str) -> None:
    """A request for the path as it is finds a session whose id is `.` or `..`."""
    send(backend, a_span(len(session), session=session))
    sent: list[Any] = []

    async def keep(message: Any) -> None:
        sent.append(message)

    async def ask() -> None:
        raw = f"/v1/sessions/{quote(session, safe='')}"
        await client.app(scope_of(raw, headers=[], query_string=b"", http_version="1.1"), _nothing, keep)

    assert client.portal is not None
    client.portal.call(ask)
    assert sent[0]["status"] == 200
