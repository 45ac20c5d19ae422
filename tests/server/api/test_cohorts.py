"""Cohorts: sessions grouped by a value."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.server.api.sending import CALL, a_span, message, send

from otel_sessions.server.backend import Backend


@pytest.fixture(scope="module")
def client(client: TestClient, backend: Backend) -> TestClient:
    """A client of an app with four sessions."""
    for number, plan in enumerate(["free", "pro", "pro", None], 1):
        attributes = {
            **CALL,
            "gen_ai.usage.cost": number / 4,
            "user.id": f"u{number % 2}",
            "session.tags": ["all", f"t{number}"],
            **({"session.metadata.plan": plan, "session.metadata.n": number} if plan else {}),
        }
        send(backend, a_span(number, session=f"s{number}", attributes=attributes, status={"code": 2 * (number == 2)}))
    return client


def values(client: TestClient, **parameters: Any) -> list[tuple[Any, int]]:
    """The value and the number of sessions of each cohort."""
    answer = client.get("/v1/cohorts", params=parameters)
    assert answer.status_code == 200, answer.text
    return [(one["value"], one["session_count"]) for one in answer.json()["data"]]


def test_a_cohort(client: TestClient) -> None:
    """The numbers of a cohort are those of its sessions."""
    found = client.get("/v1/cohorts", params={"by": "metadata.plan"}).json()
    pro = found["data"][0]
    assert pro == {
        "value": "pro",
        "session_count": 2,
        "failed_session_count": 1,
        "failure_rate": 0.5,
        "cost_p50": pro["cost_p50"],
        "cost_p95": "0.75",
        "tokens_p50": 107,
        "tokens_p95": 107,
        "duration_ms_p50": 5e-6,
        "duration_ms_p95": 5e-6,
        "scores": {},
    }
    assert found["pagination"] == {"total": 3, "limit": 100, "offset": 0, "next": None}


def test_what_makes_a_cohort(client: TestClient) -> None:
    """A session with several values is in several cohorts, one without a value in that of null."""
    assert values(client, by="metadata.plan") == [("pro", 2), ("free", 1), (None, 1)]
    assert values(client, by="metadata.n") == [(1, 1), (2, 1), (3, 1), (None, 1)]
    assert values(client, by="user") == [("u0", 2), ("u1", 2)]
    assert values(client, by="tag")[0] == ("all", 4)
    assert values(client, by="model") == [("gpt-4o", 4)]
    assert values(client, by="environment") == [(None, 4)]


def test_filters_and_pages(client: TestClient) -> None:
    """Cohorts have the sessions that meet all conditions, and are listed page by page."""
    assert values(client, by="metadata.plan", min_cost="0.5") == [("pro", 2), (None, 1)]
    assert values(client, by="metadata.plan", failed="true") == [("pro", 1)]
    assert values(client, by="metadata.plan", **{"metadata.plan": "free"}) == [("free", 1)]
    page = client.get("/v1/cohorts", params={"by": "tag", "limit": 2}).json()["pagination"]
    assert (page["total"], page["limit"], page["offset"]) == (5, 2, 0)
    assert values(client, by="tag", cursor=page["next"]) == values(client, by="tag")[2:]
    assert values(client, by="tag", limit=1, offset=4) == values(client, by="tag")[4:]
    assert "another list" in message(client, "/v1/cohorts", by="user", cursor=page["next"])


@pytest.mark.parametrize("by", ["", "x", "metadata", "metadata.", "users", "model\n", "tag;DROP TABLE x"])
def test_an_invalid_by(client: TestClient, by: str) -> None:
    """The message about an invalid `by` lists the valid ones."""
    assert "expected one of user, environment, service, tag, model, metadata.<name>" in message(
        client, "/v1/cohorts", by=by
    )


def test_a_missing_by(client: TestClient) -> None:
    """The message about a missing `by` lists the valid ones."""
    assert message(client, "/v1/cohorts") == (
        "by is missing. What to group sessions by: one of user, environment, service, tag, model, metadata.<name>; "
        "or give a.<filter> and b.<filter>."
    )
