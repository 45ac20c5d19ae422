"""Query parameters: what they mean, and the messages about invalid ones."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient
from tests.server.api.sending import message

from otel_sessions.counting.measures import MEASURES
from otel_sessions.server.api.errors import ApiError
from otel_sessions.server.api.openapi import document
from otel_sessions.server.api.parameters import moment
from otel_sessions.timestamps import format_time

NOON = 1_795_176_000 * 10**9


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-20T13:30:00 01:30", NOON),
        ("2026-11-20", NOON - 12 * 3600 * 10**9),
        ("", None),
        (None, None),
    ],
)
def test_moments(text: str | None, expected: int | None) -> None:
    """A time is one that `parse_time` reads; an empty parameter is none."""
    assert moment("since", text) == expected


@pytest.mark.parametrize("text", ["now", "2026-02-29", "\ud800"])
def test_invalid_moments(text: str) -> None:
    """Text that is not a time is refused, with what is expected."""
    with pytest.raises(ApiError, match=r"^since=.*expected a time such as 2026-11-20T12:00:00Z") as refused:
        moment("since", text)
    assert refused.value.status == 400


@given(st.datetimes(datetime(1970, 1, 1), datetime(9999, 12, 30), timezones=st.just(UTC)), st.integers(0, 999))  # noqa: DTZ001
def test_times_that_are_shown_are_understood(time: datetime, nanoseconds: int) -> None:
    """A start or end that the API shows can be passed as a parameter, to the last digit."""
    whole = (time - datetime(1970, 1, 1, tzinfo=UTC)) // (datetime.resolution)
    at = whole * 1_000 + nanoseconds
    assert moment("since", format_time(at)) == at


def test_lists_are_sorted_by_the_librarys_measures() -> None:
    """The values of `sort` are the measures of the library."""
    parameters = document()["paths"]["/v1/sessions"]["get"]["parameters"]
    (sort,) = (one["schema"] for one in parameters if one["name"] == "sort")
    assert sort["anyOf"][0] == {"enum": list(MEASURES)}


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"limit": "0"}, "limit='0': expected an integer from 1 to 1000"),
        ({"limit": "1001"}, "limit='1001': expected an integer from 1 to 1000"),
        ({"limit": "1e3"}, "limit='1e3': expected an integer from 1 to 1000"),
        ({"limit": ""}, "limit='': expected an integer from 1 to 1000"),
        ({"limit": "NaN"}, "limit='NaN': expected an integer from 1 to 1000"),
        ({"limit": "9" * 5000}, f"limit='{'9' * 80}...': expected an integer from 1 to 1000"),
        ({"offset": "-1"}, "offset='-1': expected an integer from 0 to 1000000000"),
        ({"offset": str(10**30)}, f"offset='{10**30}': expected an integer from 0 to 1000000000"),
        (
            {"sort": "random()"},
            f"sort='random()': expected one of {', '.join(MEASURES)}, score.<name>",
        ),
        ({"order": "up"}, "order='up': expected one of desc, asc"),
        ({"failed": "maybe"}, "failed='maybe': expected true or false"),
        ({"q": "x" * 1001}, f"q='{'x' * 80}...': expected text of at most 1000 characters"),
        ({"key": ""}, "key='': expected text of 1 to 1000 characters"),
        (
            {"order": "up", "limit": "0"},
            "limit='0': expected an integer from 1 to 1000; order='up': expected one of desc, asc",
        ),
        (
            {"min_cost": "1e400"},
            "min_cost='1e400': expected a number from 0 up such as 0.05, of up to 30 digits, with up to 38 decimals",
        ),
        (
            {"metadata.m": "x" * 1001},
            f"metadata.m='{'x' * 80}...': expected names and text of at most 1000 characters",
        ),
        ({"user_id": "a", "userId": "b"}, "user_id and userId are the same; give one of them"),
    ],
)
def test_what_is_out_of_range(client: TestClient, parameters: dict[str, str], expected: str) -> None:
    """The message has the range or the values that are accepted."""
    assert message(client, "/v1/sessions", 400, **parameters) == expected


@pytest.mark.parametrize(
    "amount", ["-1", "NaN", "Infinity", "-0", "1" * 31, f"0.{'1' * 39}", ".5", "1,5", "0x1", "\uff11"]
)
def test_invalid_amounts(client: TestClient, amount: str) -> None:
    """Text that is not an amount of money is refused."""
    assert "expected a number from 0 up" in message(client, "/v1/sessions", min_cost=amount)


def test_too_many_conditions(client: TestClient) -> None:
    """As many metadata conditions are accepted as a session can have metadata entries."""
    assert client.get("/v1/sessions", params={f"metadata.m{n}": "1" for n in range(32)}).status_code == 200
    said = message(client, "/v1/sessions", 400, **{f"metadata.m{n}": "1" for n in range(33)})
    assert said == "33 conditions on metadata: expected at most 32"


def test_unknown_names(client: TestClient) -> None:
    """The message about unknown parameters lists the known ones."""
    said = message(client, "/v1/sessions", 400, colour="red", metadata="x", **{"metadata.": "x"})
    assert said.startswith("unknown: 'colour', 'metadata', 'metadata.'; parameters here: ")
    for known in ("sort", "key", "userId", "until", "metadata.<name>"):
        assert known in said
    assert message(client, "/v1/keys", tag="x") == "unknown: 'tag'; parameters here: limit, offset, cursor"
    assert message(client, "/healthz", verbose="1") == "unknown: 'verbose'; parameters here: none"


def test_repeated_names(client: TestClient) -> None:
    """A parameter that is given twice is refused."""
    answer = client.get("/v1/sessions?tag=a&tag=b&limit=1")
    assert answer.json() == {"error": {"code": "repeated_parameter", "message": "given more than once: 'tag'"}}
    assert client.get("/v1/sessions?metadata.a=1&metadata.a=2").status_code == 400
