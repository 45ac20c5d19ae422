"""Sessions over time: the buckets add up to the list."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.server.api.sending import CALL, a_span, message, send
from tests.server.otlp.building import AT

from otel_sessions.server.backend import Backend

MINUTE = 60 * 10**9


@pytest.fixture(scope="module", autouse=True)
def _sessions(backend: Backend) -> None:
    """Sessions of several minutes, some failed, some with a cost, one whose cost is not known."""
    for number in range(10):
        start = AT + number * MINUTE
        times = {"start_time_unix_nano": start, "end_time_unix_nano": start + number * MINUTE // 4}
        attributes: dict[str, Any] = CALL if number % 2 else {}
        if number == 7:
            attributes = {**CALL, "gen_ai.response.model": "unheard-of"}
        status = {"status": {"code": 2}} if number % 3 == 0 else {}
        send(backend, a_span(number + 1, 1, session=f"s{number}", attributes=attributes, **times, **status))


def histogram(client: TestClient, **parameters: Any) -> list[dict[str, Any]]:
    """The buckets."""
    answer = client.get("/v1/histogram", params=parameters)
    assert answer.status_code == 200, answer.text
    data: list[dict[str, Any]] = answer.json()["data"]
    return data


@pytest.mark.parametrize(
    "filters",
    [
        {},
        {"failed": "true"},
        {"failed": "false", "model": "gpt-4o"},
        {"since": "2026-11-18T11:10:00Z"},
        {"until": "2026-11-18T11:10:00Z"},
        {"since": "2026-11-18T11:09:00Z", "until": "2026-11-18T11:12:00Z"},
        {"since": "2026-11-18T11:12:00Z", "until": "2026-11-18T11:09:00Z"},
        {"since": "2026-11-18T11:12:00Z", "until": "2026-11-18T11:12:00Z"},
        {"q": "s1"},
        {"q": "nothing"},
        {"since": "2020-01-01", "until": "2020-01-02"},
        {"key": "other"},
    ],
)
@pytest.mark.parametrize("buckets", [1, 3, 60, 1000])
def test_the_buckets_add_up_to_the_list(client: TestClient, filters: dict[str, str], buckets: int) -> None:
    """Sessions, failures, cost and tokens are those of the list with the same filters, each session in one bucket."""
    found = histogram(client, buckets=buckets, **filters)
    listed = client.get("/v1/sessions", params={"limit": 1000, **filters}).json()["data"]

    def added(name: str) -> Any:
        known = [Decimal(one[name]) for one in listed if one[name] is not None]
        return sum(known) if known else None

    assert len(found) <= buckets
    assert all(one["end"] == other["start"] for one, other in pairwise(found))
    assert sum(one["session_count"] for one in found) == len(listed)
    assert sum(one["failed_session_count"] for one in found) == sum(one["failed_trace_count"] > 0 for one in listed)
    for name in ("total_cost", "total_tokens"):
        known = [Decimal(one[name]) for one in found if one[name] is not None]
        assert (sum(known) if known else None) == added(name)
    assert all(one["cost_exact"] for one in found) == all(one["cost_exact"] for one in listed)


def test_buckets_begin_and_end_where_the_filters_do(client: TestClient) -> None:
    """With both times the buckets go from one to the other, also where there are no sessions."""
    found = histogram(client, since="2026-11-18T11:00:00Z", until="2026-11-18T12:00:00Z", buckets=4)
    assert [one["start"][11:16] for one in found] == ["11:00", "11:15", "11:30", "11:45"]
    assert found[-1]["end"] == "2026-11-18T12:00:00.000Z"
    assert [one["session_count"] for one in found] == [7, 3, 0, 0]
    empty = {
        "session_count": 0,
        "failed_session_count": 0,
        "total_cost": None,
        "cost_exact": True,
        "total_tokens": None,
    }
    assert {name: found[2][name] for name in empty} == empty


def test_a_list_from_a_bucket_on(client: TestClient) -> None:
    """The list from the start of a bucket on has the sessions of this bucket and of those after it."""
    found = histogram(client, buckets=7)
    for place, bucket in enumerate(found):
        total = client.get("/v1/sessions", params={"since": bucket["start"]}).json()["pagination"]["total"]
        assert total == sum(one["session_count"] for one in found[place:])


@pytest.mark.parametrize("buckets", [0, 1001])
def test_the_number_of_buckets_is_bounded(client: TestClient, buckets: int) -> None:
    """No buckets, or more than a thousand, are an error."""
    assert "buckets" in message(client, "/v1/histogram", buckets=buckets)
