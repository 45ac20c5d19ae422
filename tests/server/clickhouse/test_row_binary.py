"""Values are written in the RowBinary format of ClickHouse."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from otel_sessions.server.clickhouse.row_binary import array, length, mapping, string, strings, times, writer
from otel_sessions.server.clickhouse.times import LATEST


@pytest.mark.parametrize(
    ("number", "written"),
    [(0, b"\0"), (127, b"\x7f"), (128, b"\x80\x01"), (300, b"\xac\x02"), (2**21, b"\x80\x80\x80\x01")],
)
def test_length(number: int, written: bytes) -> None:
    """A length is written in groups of seven bits, lowest group first."""
    assert length(number) == written


def test_what_holds_others() -> None:
    """Texts, maps and arrays are written as their length, followed by their bytes or elements."""
    assert string("é") == b"\x02\xc3\xa9"
    assert mapping({"a": "b"}) == b"\x01\x01a\x01b"
    assert array([b"x", b"y"]) == b"\x02xy"
    assert strings(["a", ""]) == b"\x02\x01a\0"
    assert times([1, 2**64 - 1]) == b"\x02" + (1).to_bytes(8, "little") + LATEST.to_bytes(8, "little")


@pytest.mark.parametrize(
    ("kind", "value", "written"),
    [
        ("String", "a", b"\x01a"),
        ("LowCardinality(String)", "a", b"\x01a"),
        ("Nullable(String)", None, b"\x01"),
        ("Nullable(String)", "", b"\0\0"),
        ("Array(LowCardinality(String))", ["a"], b"\x01\x01a"),
        ("Map(LowCardinality(String), String)", {"a": "b"}, b"\x01\x01a\x01b"),
        ("Array(Map(String, UInt8))", [{"a": 3}], b"\x01\x01\x01a\x03"),
        ("UInt8", True, b"\x01"),
        ("Int16", -2, b"\xfe\xff"),
        ("UInt128", 1, b"\x01" + bytes(15)),
        ("Float64", 1.0, bytes(6) + b"\xf0\x3f"),
        ("DateTime64(9)", 2**64, LATEST.to_bytes(8, "little")),
        ("Decimal(9, 2)", Decimal("1.5"), (150).to_bytes(4, "little")),
        ("Decimal(76, 38)", Decimal("-1E-38"), b"\xff" * 32),
    ],
)
def test_values(kind: str, value: Any, written: bytes) -> None:
    """A value of each type that the tables use is written in its binary form."""
    assert writer(kind)(value) == written


def test_an_unknown_type() -> None:
    """A type that cannot be written raises an error that names it."""
    with pytest.raises(ValueError, match=r"type UUID cannot be written"):
        writer("UUID")
