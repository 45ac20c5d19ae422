"""Accepted and dropped values, rule by rule."""

from __future__ import annotations

import enum
import string
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_sessions import rules
from otel_sessions.drops import SessionValueError
from otel_sessions.rules import Limits

PRINTABLE = [chr(code) for code in range(0x20, 0x7F)]
NAMES = string.ascii_letters + string.digits + "_.-"
UUID_1 = UUID("12345678-1234-5678-1234-567812345678")
HUGE_INT = 10**100_000
"""More digits than Python turns into a string."""


class Colour(enum.StrEnum):
    """A str that is not exactly a str."""

    RED = "red"


class Level(enum.IntEnum):
    """An int that is not exactly an int."""

    HIGH = 3


def reason(check: Callable[..., Any], value: object, **kwargs: Any) -> str:
    """Why the value is refused."""
    with pytest.raises(SessionValueError) as error:
        check(value, **kwargs)
    return error.value.reason


@pytest.mark.parametrize("check", [rules.session_id, rules.user_id])
@pytest.mark.parametrize(
    ("value", "stored"),
    [
        ("ticket-2611", "ticket-2611"),
        ("x", "x"),
        ("x" * 200, "x" * 200),
        (" a/b?c#d%e ", " a/b?c#d%e "),
        ("~", "~"),
        (7, "7"),
        (-7, "-7"),
        (0, "0"),
        (2**64, "18446744073709551616"),
        (Level.HIGH, "3"),
        (Colour.RED, "red"),
        (UUID_1, "12345678-1234-5678-1234-567812345678"),
    ],
)
def test_accepted_ids(check: Callable[[object], str], value: object, stored: str) -> None:
    """Strings, ints and UUIDs are stored as plain strings, unchanged; 200 characters are kept."""
    assert check(value) == stored
    assert type(check(value)) is str


@pytest.mark.parametrize("check", [rules.session_id, rules.user_id])
@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("x" * 201, "too_long"),
        pytest.param("x" * 10_000_000, "too_long", id="huge str"),
        (10**300, "too_long"),
        pytest.param(HUGE_INT, "too_long", id="huge int"),
        ("", "empty"),
        ("   ", "empty"),
        ("séssion", "characters"),
        ("日本", "characters"),
        ("a\nb", "characters"),
        ("a\x00", "characters"),
        ("a\x7f", "characters"),
        ("\ud800", "characters"),
        ("\t", "characters"),
        (True, "type"),
        (1.5, "type"),
        (float("nan"), "type"),
        (b"bytes", "type"),
        (bytearray(b"bytes"), "type"),
        (["a"], "type"),
        ({"a": 1}, "type"),
        (object(), "type"),
        (Decimal(1), "type"),
        (None, "type"),
    ],
)
def test_refused_ids(check: Callable[[object], str], value: object, why: str) -> None:
    """Every other value is refused with its reason, and none is cut to size."""
    assert reason(check, value) == why


def test_the_message_names_length_or_character() -> None:
    """A reader learns what to fix without seeing the value."""
    with pytest.raises(SessionValueError, match="201 characters long; 200"):
        rules.session_id("x" * 201)
    with pytest.raises(SessionValueError, match=r"U\+00E9 at index 1"):
        rules.user_id("sé")
    with pytest.raises(SessionValueError, match="of type bytes"):
        rules.keyed_value(b"")
    with pytest.raises(SessionValueError, match=r"index 3"):
        rules.text("abc\ud800", field="tags")


@pytest.mark.parametrize("name", ["a", "conversation_id", "Ticket.Id-2", "9", "x" * 128, "idx"])
def test_accepted_keys(name: str) -> None:
    """A key may have letters, digits, `_`, `.` and `-`, up to 128 characters."""
    assert rules.key(name) == name


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("", "key_empty"),
        ("x" * 129, "key_too_long"),
        ("a b", "key_characters"),
        ("a/b", "key_characters"),
        ("é", "key_characters"),
        ("٣", "key_characters"),
        ("a\n", "key_characters"),
        ("\ud800", "key_characters"),
        ("id", "key_reserved"),
        (7, "key_type"),
        (None, "key_type"),
        (b"a", "key_type"),
        (("a",), "key_type"),
    ],
)
def test_refused_keys(name: object, why: str) -> None:
    """Every other key is refused, and so is `id`, which is set with `session_id=`."""
    assert reason(rules.key, name) == why


def test_id_is_reserved_for_session_keys_only() -> None:
    """Metadata may have an entry named `id`."""
    assert rules.key("id", field="metadata") == "id"


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        ("conv_1", "conv_1"),
        ("x" * 512, "x" * 512),
        (Colour.RED, "red"),
        (2, "2"),
        (Level.HIGH, "3"),
        (True, "true"),
        (False, "false"),
        (1.5, "1.5"),
        (1e21, "1e+21"),
        (UUID_1, str(UUID_1)),
    ],
)
def test_accepted_keyed_values(value: object, stored: str) -> None:
    """Scalars are stored as strings, booleans as JSON writes them."""
    assert rules.keyed_value(value) == stored
    assert type(rules.keyed_value(value)) is str


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("x" * 513, "too_long"),
        pytest.param(HUGE_INT, "too_long", id="huge int"),
        (10**600, "too_long"),
        ("", "empty"),
        (" ", "empty"),
        ("é", "characters"),
        ("\r", "characters"),
        (float("nan"), "not_finite"),
        (float("-inf"), "not_finite"),
        (b"a", "type"),
        (None, "type"),
        ([], "type"),
        (Decimal(1), "type"),
    ],
)
def test_refused_keyed_values(value: object, why: str) -> None:
    """A keyed value is refused if it is not finite, blank, too long, not ASCII, or of another type."""
    assert reason(rules.keyed_value, value) == why


@pytest.mark.parametrize(
    "value",
    ["", "Order #12345", "Bestellung für Zoë", "注文", "👩‍👩‍👧", "a\u00a0b", "a\u2028b", "😀" * 200, Colour.RED],
)
def test_accepted_texts(value: str) -> None:
    """Text of up to 200 characters in any script is stored as a plain str."""
    stored = rules.text(value, field="session_name")
    assert stored == value
    assert type(stored) is str


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("x" * 201, "too_long"),
        ("a\nb", "characters"),
        ("a\x00", "characters"),
        ("\x85", "characters"),
        ("é\x1b[31m", "characters"),
        ("\ud800", "not_utf8"),
        ("ok \udfff", "not_utf8"),
        (7, "type"),
        (b"a", "type"),
        (None, "type"),
    ],
)
def test_refused_texts(value: object, why: str) -> None:
    """Text is refused if it has control characters or lone surrogates, is too long, or is not a str."""
    assert reason(rules.text, value, field="session_name") == why


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("text", str),
        (Colour.RED, str),
        (True, bool),
        (0, int),
        (Level.HIGH, int),
        (2**63 - 1, int),
        (-(2**63), int),
        (1.5, float),
        (-0.0, float),
    ],
)
def test_accepted_metadata(value: object, kind: type) -> None:
    """Text, bool, float and 64-bit int keep their type and value as metadata."""
    stored = rules.metadata_value(value)
    assert (stored, type(stored)) == (value, kind)


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (2**63, "out_of_range"),
        (-(2**63) - 1, "out_of_range"),
        pytest.param(HUGE_INT, "out_of_range", id="huge int"),
        (float("nan"), "not_finite"),
        (float("inf"), "not_finite"),
        ("x" * 201, "too_long"),
        ("\n", "characters"),
        ("\ud800", "not_utf8"),
        (None, "type"),
        ({"a": 1}, "type"),
        ([1], "type"),
        (b"a", "type"),
        (UUID_1, "type"),
    ],
)
def test_refused_metadata(value: object, why: str) -> None:
    """Metadata is refused if it is nested or if an OTLP attribute cannot hold it."""
    assert reason(rules.metadata_value, value) == why


def test_limits_can_be_set() -> None:
    """Given lengths replace the default ones."""
    limits = Limits(id_length=3, key_length=2, value_length=4, text_length=1)
    assert reason(rules.session_id, "abcd", limits=limits) == "too_long"
    assert reason(rules.user_id, "abcd", limits=limits) == "too_long"
    assert reason(rules.key, "abc", limits=limits) == "key_too_long"
    assert reason(rules.keyed_value, "abcde", limits=limits) == "too_long"
    assert reason(rules.text, "ab", field="tags", limits=limits) == "too_long"
    assert reason(rules.metadata_value, "ab", limits=limits) == "too_long"
    assert rules.session_id("abc", limits=limits) == "abc"


@given(st.text(alphabet=PRINTABLE, min_size=1, max_size=200).filter(str.strip))
def test_printable_ascii_is_kept_as_it_is(value: str) -> None:
    """Every id of 1 to 200 printable ASCII characters that is not blank survives unchanged."""
    assert rules.session_id(value) == value
    assert rules.keyed_value(value) == value


@given(st.text(max_size=300))
def test_an_id_is_kept_exactly_when_the_rule_says_so(value: str) -> None:
    """An id is accepted if and only if it has 1 to 200 printable ASCII characters and is not blank."""
    allowed = set(value) <= set(PRINTABLE) and 0 < len(value) <= 200 and value.strip() != ""
    try:
        assert rules.session_id(value) == value
        assert allowed
    except SessionValueError:
        assert not allowed


@given(st.text(max_size=140))
def test_a_key_is_kept_exactly_when_the_rule_says_so(value: str) -> None:
    """A key is accepted if and only if it has 1 to 128 of the allowed characters and is not `id`."""
    allowed = set(value) <= set(NAMES) and 0 < len(value) <= 128 and value != "id"
    try:
        assert rules.key(value) == value
        assert allowed
    except SessionValueError:
        assert not allowed


@given(st.text(alphabet=st.characters(exclude_categories=()), max_size=210))
def test_a_text_is_kept_exactly_when_the_rule_says_so(value: str) -> None:
    """A text is accepted if and only if it encodes as UTF-8 and has up to 200 characters, none of them a control character."""
    control = any(ord(character) < 0x20 or 0x7F <= ord(character) < 0xA0 for character in value)
    surrogate = any(0xD800 <= ord(character) < 0xE000 for character in value)
    try:
        assert rules.text(value, field="tags") == value
        assert not control
        assert not surrogate
        assert len(value) <= 200
    except SessionValueError:
        assert control or surrogate or len(value) > 200


@given(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.text(alphabet=st.characters(exclude_categories=())),
        st.binary(),
        st.uuids(),
        st.decimals(),
        st.lists(st.integers()),
        st.dictionaries(st.text(), st.integers()),
        st.complex_numbers(),
        st.datetimes(),
    )
)
def test_any_value_is_stored_or_refused(value: object) -> None:
    """A check returns what OTLP can carry or raises `SessionValueError`, and nothing else."""
    checks: list[Callable[[object], object]] = [
        rules.session_id,
        rules.user_id,
        rules.key,
        rules.keyed_value,
        lambda value: rules.text(value, field="tags"),
        rules.metadata_value,
    ]
    for check in checks:
        try:
            stored = check(value)
        except SessionValueError as error:
            assert error.reason  # noqa: PT017
        else:
            str(stored).encode()
            assert type(stored) in {str, bool, int, float}


@given(st.one_of(st.integers(-(10**100), 10**100), st.floats(allow_nan=False, allow_infinity=False), st.booleans()))
def test_a_stored_number_reads_back(value: float | bool) -> None:
    """The string of a number reads back as that number, and that of a bool is JSON's."""
    text = rules.keyed_value(value)
    if isinstance(value, bool):
        assert text == str(value).lower()
    else:
        assert type(value)(text) == value
