"""Attribute values of other SDKs, parsed."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otel_sessions import dropped_values
from otel_sessions.dialects import values


class Word(str):
    """A string of the app's own class."""

    __slots__ = ()


@pytest.mark.parametrize(
    ("value", "count"),
    [
        (0, 0),
        (12, 12),
        (12.0, 12),
        ("12", 12),
        ("007", 7),
        (values.MAX_TOKENS, values.MAX_TOKENS),
        (values.MAX_TOKENS + 1, None),
        (-1, None),
        ("-1", None),
        ("1.0", None),
        ("", None),
        (" 12", None),
        ("1" * 41, None),
        (1.5, None),
        (float("inf"), None),
        (float("nan"), None),
        (1e300, None),
        (True, None),
        (None, None),
        ([12], None),
    ],
)
def test_tokens(value: object, count: int | None) -> None:
    """A token count is a whole number from 0, also as a float or a string of digits."""
    assert values.tokens(value) == count


@pytest.mark.parametrize(
    ("value", "amount"),
    [
        (0, "0"),
        (-0.0, "0"),
        ("-0.00", "0"),
        (1, "1"),
        (0.1, "0.1"),
        ("0.10", "0.10"),
        (" 0.5 ", "0.5"),
        ("1e-7", "1e-7"),
        (1.5e-7, "1.5e-7"),
        (0.000045524999999999997, "0.000045525"),
        ("4.5524999999999997e-05", "0.000045525"),
        (0.1 + 0.2, "0.3"),
        ("0.12345678901234567890", "0.12345678901234567890"),
        (Decimal("0.25"), "0.25"),
        ("1e19", "1e19"),
        ("1e20", None),
        ("1e-38", "1e-38"),
        ("1e-39", None),
        ("1e-500", None),
        pytest.param(10**5000, None, id="huge"),
        ("9" * 41, None),
        (-0.01, None),
        ("-1", None),
        (float("nan"), None),
        (float("inf"), None),
        ("NaN", None),
        ("sNaN", None),
        ("Infinity", None),
        ("free", None),
        ("", None),
        (True, None),
        (None, None),
        ([1], None),
    ],
)
def test_money(value: object, amount: str | None) -> None:
    """An amount is finite, not negative and of a sensible size, exact but for the noise of a float, and zero has no sign."""
    found = values.money(value)
    assert found == (None if amount is None else Decimal(amount))
    assert found is None or not found.is_signed()


@pytest.mark.parametrize(
    ("value", "text"),
    [("a", "a"), ('"a"', "a"), ('"', None), ('""', None), ('"a', None), ('"1" 2', None), ("", None), (1, None)],
)
def test_text(value: object, text: str | None) -> None:
    """A text is a non-empty string, without the quotes that MLflow puts around it."""
    assert values.text(value) == text


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("gpt-4o", "gpt-4o"),
        (Word("gpt-4o"), "gpt-4o"),
        ('"gpt-4o"', "gpt-4o"),
        ("m" * 256, "m" * 256),
        ("m" * 257, None),
        ('"' + "m" * 257 + '"', None),
        ("", None),
        (4, None),
    ],
)
def test_name(value: object, name: str | None) -> None:
    """A name is a text of a bounded length."""
    assert values.name(value) == name


@pytest.mark.parametrize(
    ("value", "flag"),
    [(True, True), (False, False), ("true", True), ("True", True), ("FALSE", False), ("yes", None), (1, None)],
)
def test_flag(value: object, flag: bool | None) -> None:
    """A flag is a boolean or a word for one."""
    assert values.flag(value) is flag


def test_json() -> None:
    """A document is JSON text or a value; one that is too long, too deep or not JSON gives nothing."""
    assert values.from_json('{"a": 1}') == {"a": 1}
    assert values.from_json({"a": 1}) == {"a": 1}
    assert values.from_json("garbage") is None
    assert values.from_json("[" * 200_000) is None
    assert values.from_json('"' + "x" * (1 << 20) + '"') is None


def test_inside() -> None:
    """A path leads through mappings, and ends at anything else."""
    document = {"a": {"b": {"c": 1}}, "d": [1]}
    assert values.inside(document, ("a", "b", "c")) == 1
    assert values.inside(document, ("a", "x", "c")) is None
    assert values.inside(document, ("d", "0")) is None
    assert values.inside(None, ("a",)) is None


@pytest.mark.parametrize(
    ("value", "tags"),
    [
        (["a", "b", "a"], ("a", "b")),
        (("a",), ("a",)),
        ('["a", "b"]', ("a", "b")),
        ("a, b ,,c", ("a", "b", "c")),
        (["a", 1, None, "", " "], ("a",)),
        (["a\x00", "ok"], ("ok",)),
        ([], None),
        ("", None),
        ("[garbage", None),
        ({"a": 1}, None),
        (5, None),
    ],
)
def test_strings(value: object, tags: tuple[str, ...] | None) -> None:
    """A list is read as it is, from JSON or from text with commas, each item once and by the rules for tags."""
    assert values.strings(value) == tags


def test_at_most_as_many_tags_as_the_rules_allow() -> None:
    """The bound on tags holds for lists of other SDKs too."""
    assert values.strings([f"t{i}" for i in range(100)]) == tuple(f"t{i}" for i in range(32))


CHECKS: dict[str, tuple[Callable[[Any], Any], str]] = {
    "session id": (values.checked_id, "session_id"),
    "user id": (values.checked_user_id, "user_id"),
    "name": (values.checked_name, "session_name"),
    "tag": (values.checked_tag, "tags"),
    "keyed value": (values.checked_keyed_value, "session_keys"),
    "metadata value": (values.checked_metadata, "metadata"),
    "key": (values.checked_key, "session_keys"),
    "metadata name": (values.checked_metadata_name, "metadata"),
}


@pytest.mark.parametrize(("check", "field"), CHECKS.values(), ids=CHECKS)
def test_checks_count_what_they_drop(check: Callable[[Any], Any], field: str) -> None:
    """A good value passes each time, a bad one is dropped and counted each time, and `None` is not given."""
    assert check("fine") == check("fine") == "fine"
    assert check(Word("fine")) == "fine"
    assert check(None) is None
    assert dropped_values() == {}
    for _ in range(2):
        assert check("x" * 600) is None
    assert check("\x00") is None
    counted = dropped_values()
    assert {name for name, _ in counted} == {field}
    assert sum(counted.values()) == 3


@pytest.mark.parametrize("check", [values.checked_id, values.checked_user_id])
def test_ids_out_of_quotes(check: Callable[[Any], Any]) -> None:
    """MLflow's JSON strings are ids without the quotes, and a broken one is taken as it is."""
    assert check('"bob"') == "bob"
    assert check('"bob') == '"bob'
    assert check(5) == "5"
    assert check([5]) is None


@settings(deadline=None)
@given(st.one_of(st.floats(), st.integers(), st.text(), st.decimals(), st.binary(), st.lists(st.integers())))
def test_parsers_never_raise(value: object) -> None:
    """Every parser returns a value or `None` for any input."""
    for parse in (values.tokens, values.money, values.text, values.name, values.flag, values.from_json, values.strings):
        parse(value)
    for check, _ in CHECKS.values():
        check(value)


def test_half_of_a_surrogate_pair() -> None:
    """Text with half a surrogate pair, which JSON can spell, is read as text that can be stored."""
    assert values.from_json(r'{"a": ["x\ud800", "\ud83d\ude00"]}') == {"a": ["x\ufffd", "\U0001f600"]}
    assert values.name(r'"gpt\uDC00"') == "gpt\ufffd"


@pytest.mark.parametrize(
    ("value", "host"),
    [
        ("localhost", "localhost"),
        ("localhost:11434", "localhost"),
        ("http://LOCALHOST:11434/v1/", "localhost"),
        ("https://user:secret@api.openai.com/v1?key=x", "api.openai.com"),
        ("api.openai.com/v1", "api.openai.com"),
        ('"127.0.0.1"', "127.0.0.1"),
        ("http://[::1]:8080/v1", "::1"),
        ("[::1]:8080", "::1"),
        ("fe80::1", "fe80::1"),
        ("http://[::1", None),
        ("http:///v1", None),
        ("", None),
        ("x" * 5000, None),
        (5, None),
    ],
)
def test_host(value: object, host: str | None) -> None:
    """The host of a URL, of a host with a port, and a host or address alone."""
    assert values.host(value) == host


@pytest.mark.parametrize(
    ("value", "parsed"),
    [
        ({"a": 1}, {"a": 1}),
        ('{"a": 1}', {"a": 1}),
        ("{'a': 1, 'b': {'c': [None, True, False]}}", {"a": 1, "b": {"c": [None, True, False]}}),
        ("{'a': 'None', 'b': 'x'}", {"a": "None", "b": "x"}),
        ("{'a': \"it's\"}", {"a": "it's"}),
        ("{'a': 'x\\\\n'}", {"a": "x\\n"}),
        ("{'a': '\\ud83d'}", {"a": "\ufffd"}),
        ("{'a': Usage(b=1)}", None),
        ("{'a': (1, 2)}", None),
        ("{'a': " + "[" * 5000, None),
        ("{'a': '" + "x" * 20_000 + "'}", None),
        ("{'a'", None),
        (5, 5),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_an_object_as_python_prints_it(value: object, parsed: object) -> None:
    """A printed `dict` is read as JSON is, unless a value is of another type."""
    assert values.from_printed(value) == parsed


@pytest.mark.parametrize(
    ("value", "amount"),
    [
        *((53_940, "0.05394"), ("53940", "0.05394"), (53_940.5, "0.0539405"), (0, "0"), (10_000_000, "10")),
        *((-1, None), ("many", None), (None, None), (True, None), ("0." + "0" * 33 + "1", None)),
    ],
)
def test_millionths_of_a_dollar(value: object, amount: str | None) -> None:
    """An exact amount; `None` for one that has more decimals than an amount can have."""
    assert values.micros(value) == (None if amount is None else Decimal(amount))


@pytest.mark.parametrize(
    ("value", "nanoseconds"),
    [
        *(
            (1_210, 1_210_000_000),
            ("1210", 1_210_000_000),
            (1_210.25, 1_210_250_000),
            ("1210.25", 1_210_250_000),
            (0, 0),
        ),
        *(
            (True, None),
            (-1, None),
            ("-1", None),
            ("1e3", None),
            ("", None),
            (None, None),
            ([1], None),
            ("1" * 50, None),
        ),
        *((float("nan"), None), (float("inf"), None), (1e300, None), (10**400, None), (30 * 86_400_001, None)),
    ],
    ids=lambda value: repr(value)[:20] if not isinstance(value, int) or value < 10**20 else "huge",
)
def test_milliseconds(value: object, nanoseconds: int | None) -> None:
    """Nanoseconds of a number or a string of digits, of a month at most."""
    assert values.milliseconds(value) == nanoseconds


def test_seconds() -> None:
    """A fraction is seconds; Strands writes whole milliseconds under a name whose unit is seconds."""
    assert [values.seconds(value) for value in (0.74, "0.74", 2.0, 740)] == [
        740_000_000,
        740_000_000,
        2 * 10**9,
        740_000_000,
    ]
    assert values.seconds("soon") is None


@pytest.mark.parametrize("value", [None, 5, "", "today", "1969-12-31T23:59:59Z", "2300-01-01T00:00:00Z", '"x'])
def test_a_moment_that_cannot_be(value: object) -> None:
    """What is no time in RFC 3339, or none that OTLP can send."""
    assert values.moment(value) is None


def test_a_moment() -> None:
    """A time in RFC 3339, also as a JSON string."""
    assert values.moment("1970-01-01T00:00:01.5Z") == values.moment('"1970-01-01T00:00:01.5Z"') == 1_500_000_000


def test_unknown_is_none() -> None:
    """An id that says that there is none."""
    assert (values.known_id("unknown"), values.known_id("s")) == (None, "s")
    assert (values.known_user_id("unknown"), values.known_user_id("u")) == (None, "u")
