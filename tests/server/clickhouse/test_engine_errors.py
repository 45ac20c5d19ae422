"""Errors of ClickHouse become errors that name the next step."""

from __future__ import annotations

import pytest
from clickhouse_connect.driver.exceptions import DatabaseError, OperationalError

from otel_sessions.server.clickhouse.engine_errors import explained
from otel_sessions.server.clickhouse.errors import StoreAwayError, StoreError


@pytest.mark.parametrize(
    ("error", "kind", "advice"),
    [
        (DatabaseError("x", code=243, name="NOT_ENOUGH_SPACE"), StoreAwayError, "disk is full"),
        (DatabaseError("write: No space left on device", code=75, name="STD"), StoreAwayError, "disk is full"),
        (DatabaseError("x", code=252, name="TOO_MANY_PARTS"), StoreAwayError, "merge"),
        (DatabaseError("x", code=516, name="AUTHENTICATION_FAILED"), StoreError, "password"),
        (OperationalError("refused"), StoreAwayError, "cannot be reached"),
        (DatabaseError("bad", code=76, name="CANNOT_OPEN_FILE"), StoreAwayError, "check its disk, open files"),
        (DatabaseError("bad", code=1001, name="STD_EXCEPTION"), StoreAwayError, "check its disk, open files"),
        (DatabaseError("bad: Disk quota exceeded", code=9, name="OTHER"), StoreAwayError, "check its disk, open files"),
        (DatabaseError("bad, errno: 5", code=9, name="OTHER"), StoreAwayError, "check its disk, open files"),
        (OperationalError("bad", code=47, name="UNKNOWN_IDENTIFIER"), StoreError, "refused a statement"),
        (DatabaseError("bad", code=47, name="UNKNOWN_IDENTIFIER"), StoreError, "refused a statement"),
    ],
)
def test_an_error_names_the_store_and_what_to_do(error: Exception, kind: type[StoreError], advice: str) -> None:
    """A temporary error becomes a `StoreAwayError`, a lasting one a `StoreError`; both name the store and the next step."""
    with pytest.raises(StoreError, match=advice) as raised, explained("chdb:///data"):
        raise error
    assert type(raised.value) is kind
    assert "chdb:///data" in str(raised.value)
    assert raised.value.__cause__ is error


def test_other_errors_are_left_alone() -> None:
    """An error that did not come from ClickHouse passes through unchanged."""
    with pytest.raises(KeyError), explained("chdb:///data"):
        raise KeyError
