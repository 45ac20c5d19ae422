"""Ids in paths: what a path means is decided before its percent-encoding is undone."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient
from tests.server.api.sending import a_span, send

from otel_sessions.server.api.session_routes import PARTS, Address, address_of, route_path
from otel_sessions.server.backend import Backend


def scope_of(raw: str, **more: Any) -> dict[str, Any]:
    """What a server says of a request for a path."""
    return {"type": "http", "method": "GET", "path": unquote(raw), "raw_path": raw.encode(), **more}


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("/v1/sessions/a", Address("a", "")),
        ("/v1/sessions/a/traces", Address("a", "traces")),
        ("/v1/sessions/a%2Fb/traces", Address("a/b", "traces")),
        ("/v1/sessions/a%2Ftraces", Address("a/traces", "")),
        ("/v1/sessions/a%2ftraces/traces", Address("a/traces", "traces")),
        ("/v1/sessions/traces", Address("traces", "")),
        ("/v1/sessions//traces", Address("/traces", "")),
        ("/v1/sessions/a/b", Address("a/b", "")),
        ("/v1/sessions/a/b/spans", Address("a/b", "spans")),
        ("/v1/sessions/a/", Address("a/", "")),
        ("/v1/sessions/..%2F..%2Fetc", Address("../../etc", "")),
        ("/v1/sessions/a%3Fb%23c%2520", Address("a?b#c%20", "")),
        ("/v1/sessions/a+b%20c", Address("a+b c", "")),
        ("/v1/sessions/%FF%00", Address("\ufffd\0", "")),
        ("/v1/sessions/%zz", Address("%zz", "")),
        ("/v1/sess%69ons/a/traces", Address("a", "traces")),
        ("/v1/sessions/", None),
        ("/v1/sessions", None),
        ("/v1/keys", None),
        ("/v2/v1/sessions/a", None),
    ],
)
def test_what_a_path_is_about(raw: str, expected: Address | None) -> None:
    """A part is one that was sent with a plain slash before it, at the end, behind an id."""
    assert address_of(scope_of(raw)) == expected


def test_below_another_path() -> None:
    """An app may be mounted; a server may leave out the path as it was sent."""
    mounted = scope_of("/otel/v1/sessions/a%2Fb", root_path="/otel")
    assert address_of(mounted) == Address("a/b", "")
    assert route_path(mounted) == "/v1/sessions/a/b"
    assert route_path(scope_of("/other", root_path="/otel")) == "/other"
    assert address_of({"path": "/v1/sessions/a b/traces"}) == Address("a b", "traces")


@given(session=st.text(min_size=1), part=st.sampled_from(["", *sorted(PARTS)]))
def test_every_id_round_trips(session: str, part: str) -> None:
    """An encoded id is read back, with and without a part behind it."""
    raw = f"/v1/sessions/{quote(session, safe='')}{part and f'/{part}'}"
    assert address_of(scope_of(raw)) == Address(session, part)


def test_parts_that_are_not_served_are_no_ids(client: TestClient) -> None:
    """A path with a part that there is not is unknown, so that a later version can serve it; and nothing is deleted."""
    assert client.get("/v1/sessions/a/annotations").json()["error"]["message"] == "there is nothing at this path"
    assert client.delete("/v1/sessions/a/annotations").status_code == 404
    assert client.delete("/v1/sessions/").status_code == 404


async def _nothing() -> dict[str, Any]:
    raise AssertionError


@pytest.mark.parametrize("session", [".", ".."])
def test_ids_that_clients_would_tidy_away(client: TestClient, backend: Backend, session: str) -> None:
    """A server that is sent them as they are answers also for `..`."""
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
