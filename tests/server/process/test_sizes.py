"""Sizes and retention are read as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_sessions.server.process.sizes import Retention, bytes_of, retention_of


@pytest.mark.parametrize(
    ("written", "number"),
    [
        (7, 7),
        ("1000", 1000),
        ("12b", 12),
        ("256MB", 256_000_000),
        ("256 mib", 256 << 20),
        (" 1.5TiB ", 3 << 39),
        ("20G", 20 * 10**9),
        ("1k", 1000),
        ("2PB", 2 * 10**15),
        (2**60 + 1, 2**60 + 1),
    ],
)
def test_sizes(written: str | int, number: int) -> None:
    """Units are powers of 1000, or of 1024 with an i, in any case."""
    assert bytes_of(written) == number


@pytest.mark.parametrize(
    "written",
    ["", "MB", "-1MB", "1XB", "1iB", "12ib", "1 2MB", "0", "0.1b", "1e3", "9999999999TB", "1GB/day", "1GB,7d"],
)
def test_other_sizes_are_refused(written: str) -> None:
    """Anything that is not a size as a whole is refused, with an example of one."""
    with pytest.raises(ValueError, match="256MB"):
        bytes_of(written)


@given(number=st.integers(1, 2**50), unit=st.sampled_from(["", "B"]))
def test_plain_numbers_are_bytes(number: int, unit: str) -> None:
    """A number without a unit is a number of bytes, and keeps all its digits."""
    assert bytes_of(f"{number}{unit}") == number


@pytest.mark.parametrize(
    ("written", "retention"),
    [
        ("30d", Retention(30)),
        ("20GB", Retention(bytes=20 * 10**9)),
        ("30d,20GB", Retention(30, 20 * 10**9)),
        (" 500 MiB , 7 D ", Retention(7, 500 << 20)),
    ],
)
def test_retention(written: str, retention: Retention) -> None:
    """Retention is days, a size, or both in any order."""
    assert retention_of(written) == retention


@pytest.mark.parametrize(
    ("retention", "shown"),
    [(Retention(), None), (Retention(30), "30d"), (Retention(bytes=500), "500B"), (Retention(30, 500), "30d,500B")],
)
def test_retention_as_it_is_shown(retention: Retention, shown: str | None) -> None:
    """It can be given again as it is shown."""
    assert retention.shown == shown
    assert shown is None or retention_of(shown) == retention


@pytest.mark.parametrize(
    "written", ["", "30", "30.5", "0d", "-1d", "1.5d", "30d,7d", "1GB,2GB", "30d,", "30 days", "999999d"]
)
def test_other_retentions_are_refused(written: str) -> None:
    """Anything else is refused, with examples of a retention."""
    with pytest.raises(ValueError, match="30d,20GB"):
        retention_of(written)
