"""The list of session keys."""

from __future__ import annotations

from starlette.testclient import TestClient
from tests.server.api.sending import START, a_span, send

from otel_sessions.server.backend import Backend


def test_keys(client: TestClient, backend: Backend) -> None:
    """Keys come with their number of sessions and their times, page by page."""
    nothing = {"data": [], "pagination": {"total": 0, "limit": 1000, "offset": 0, "next": None}}
    assert client.get("/v1/keys").json() == nothing
    for number in range(3):
        key = f"session.key.{'ticket' if number else 'import'}"
        send(backend, a_span(1 + number, attributes={"session.id": f"s{number}", key: number}))
    found = client.get("/v1/keys").json()
    assert [(one["key"], one["session_count"]) for one in found["data"]] == [("id", 3), ("ticket", 2), ("import", 1)]
    assert found["data"][0]["first_seen"] == START
    assert found["data"][0]["last_seen"] == "2026-11-18T11:06:40.000000005Z"
    first = client.get("/v1/keys", params={"limit": 2}).json()
    rest = client.get("/v1/keys", params={"limit": 2, "cursor": first["pagination"]["next"]}).json()
    assert first["data"] + rest["data"] == found["data"]
    assert rest["pagination"] == {"total": 3, "limit": 2, "offset": 2, "next": None}
