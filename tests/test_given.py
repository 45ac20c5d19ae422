"""The fields of one scope are checked item by item, so that one bad item costs nothing else."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_sessions.drops import SessionValueError, dropped_values
from otel_sessions.given import Given, check, check_cut, unreadable
from otel_sessions.rules import Limits


class Hostile(Mapping[str, Any]):
    """A mapping one of whose values cannot be read."""

    def __init__(self, values: dict[str, Any]) -> None:
        self._values = values

    def __getitem__(self, name: str) -> Any:
        """The value, unless it is an exception."""
        value = self._values[name]
        if isinstance(value, Exception):
            raise value
        return value

    def __iter__(self) -> Iterator[str]:
        """The names."""
        return iter(self._values)

    def __len__(self) -> int:
        """How many."""
        return len(self._values)


def raising_tags() -> Iterator[str]:
    """Two tags, then a failure."""
    yield "a"
    yield "b"
    raise OSError("personal data")


def test_nothing_given_is_nothing() -> None:
    """`None` means not given, also for items and entries: it leaves no value and is not counted."""
    assert check() == Given()
    fields: dict[str, Any] = dict.fromkeys(
        ("session_id", "session_name", "user_id", "previous_id", "tags", "metadata", "keys")
    )
    assert check(**fields, session_keys={"ticket": None}) == Given()
    assert check(tags=[None, "a"], metadata={"a": None}).tags == ("a",)
    assert dropped_values() == {}


def test_all_fields_at_once() -> None:
    """Every good value is kept, in the order given."""
    found = check(
        session_id="s",
        session_name="Order",
        user_id=7,
        previous_id="r",
        tags=("b", "a", "b"),
        metadata={"n": 1, "t": True},
        keys={"user_id": "k", "x": 1},
        session_keys={"attempt": 2},
    )
    assert found._asdict() == {
        "session_id": "s",
        "session_name": "Order",
        "user_id": "7",
        "previous_id": "r",
        "tags": ("b", "a"),
        "metadata": {"n": 1, "t": True},
        "keys": {"user_id": "k", "x": "1", "attempt": "2"},
        "cut": (),
        "user_refused": False,
    }
    assert list(found.keys) == ["user_id", "x", "attempt"]


def test_a_bad_item_costs_only_itself() -> None:
    """Each bad item is dropped and counted under its field and reason; the good ones beside it stay."""
    found = check(
        session_id=b"x",
        session_name="a\x00",
        user_id=float("nan"),
        previous_id="\ud800",
        tags=["ok", 1, "x" * 201, "\ud800", b"b", "fine"],
        metadata={"ok": 1, 7: 1, "nan": float("nan"), "deep": {}, "big": 2**63, "a b": 1},
        keys={"ok": 1, 8: 1, "bad": b"x", "a b": "v", "id": "v"},
        session_keys={"list": []},
    )
    assert found._asdict() == {
        "session_id": None,
        "session_name": None,
        "user_id": None,
        "previous_id": None,
        "tags": ("ok", "fine"),
        "metadata": {"ok": 1},
        "keys": {"ok": "1"},
        "cut": ("id", "bad", "list"),
        "user_refused": True,
    }
    assert dropped_values() == {
        ("session_id", "type"): 1,
        ("session_name", "characters"): 1,
        ("user_id", "type"): 1,
        ("previous_id", "characters"): 1,
        ("tags", "type"): 2,
        ("tags", "too_long"): 1,
        ("tags", "not_utf8"): 1,
        ("metadata", "key_type"): 1,
        ("metadata", "not_finite"): 1,
        ("metadata", "type"): 1,
        ("metadata", "out_of_range"): 1,
        ("metadata", "key_characters"): 1,
        ("session_keys", "key_type"): 1,
        ("session_keys", "type"): 2,
        ("session_keys", "key_characters"): 1,
        ("session_keys", "key_reserved"): 1,
    }


BAD_FIELDS: list[dict[str, Any]] = [
    {"session_id": b"x"},
    {"session_name": 7},
    {"user_id": []},
    {"previous_id": ""},
    {"tags": "support"},
    {"tags": 7},
    {"tags": [7]},
    {"tags": map(str, range(33))},
    {"tags": raising_tags()},
    {"metadata": "a"},
    {"metadata": {"a": []}},
    {"metadata": {str(n): n for n in range(33)}},
    {"metadata": Hostile({"a": KeyError()})},
    {"keys": ["a"]},
    {"keys": {"a b": 1}},
    {"keys": {"a": []}},
    {"session_keys": {"id": 1}},
]


@pytest.mark.parametrize("fields", BAD_FIELDS)
def test_strict_mode_raises_for_every_kind_of_drop(fields: dict[str, Any]) -> None:
    """Every value that is dropped otherwise raises `SessionValueError` in strict mode."""
    with pytest.raises(SessionValueError):
        check(**fields, strict=True)


@pytest.mark.parametrize("values", ["support", b"support", bytearray(b"s"), 7, 1.5, object()])
def test_tags_that_are_no_list_are_dropped_whole(values: object) -> None:
    """A bare string, or a value that cannot be iterated over, gives no tags."""
    assert check(tags=values).tags == ()
    assert dropped_values() == {("tags", "type"): 1}


@pytest.mark.parametrize(
    "values", [["a", "b"], ("a", "b"), {"a": 1, "b": 2}, iter(["a", "b"]), (tag for tag in ("a", "b", "a"))]
)
def test_tags_may_be_any_iterable(values: object) -> None:
    """Lists, tuples, dicts, iterators and generators of tags are accepted."""
    assert check(tags=values).tags == ("a", "b")


def test_what_a_generator_of_tags_raises_ends_the_tags() -> None:
    """The tags before the failure are kept, the failure is counted."""
    assert check(tags=raising_tags()).tags == ("a", "b")
    assert dropped_values() == {("tags", "raised"): 1}


def test_an_iterable_whose_iteration_cannot_start() -> None:
    """An `__iter__` that raises is counted like any failure."""

    class Broken:
        def __iter__(self) -> Iterator[str]:
            raise RuntimeError

    assert check(tags=Broken(), metadata={"a": 1}).metadata == {"a": 1}
    assert dropped_values() == {("tags", "raised"): 1}


def test_endless_tags_end() -> None:
    """An endless generator of tags, new or repeated, takes bounded work."""
    assert len(check(tags=map(str, itertools.count())).tags) == 32
    assert check(tags=itertools.repeat("a")).tags == ("a",)
    assert dropped_values()[("tags", "surplus")] == 1


def test_the_first_32_tags_are_kept() -> None:
    """Tags after the first 32 different ones are dropped as surplus."""
    tags = [str(number) for number in range(32)]
    assert check(tags=[*tags, "0", "31"]).tags == tuple(tags)
    assert dropped_values() == {}
    assert check(tags=[*tags, "32", "33"]).tags == tuple(tags)
    assert dropped_values() == {("tags", "surplus"): 1}


def test_the_first_32_metadata_entries_are_kept() -> None:
    """Entries after the first 32 are dropped as surplus."""
    entries = {str(number): number for number in range(34)}
    assert list(check(metadata=entries).metadata.values()) == list(range(32))
    assert dropped_values() == {("metadata", "surplus"): 2}


@pytest.mark.parametrize("mapping", ["text", [("a", 1)], 7])
def test_metadata_and_keys_must_be_mappings(mapping: object) -> None:
    """A value that is not a mapping is dropped whole."""
    found = check(metadata=mapping, keys=mapping)
    assert (found.metadata, found.keys) == ({}, {})
    assert dropped_values() == {("metadata", "type"): 1, ("session_keys", "type"): 1}


def test_an_entry_that_cannot_be_read_costs_only_itself() -> None:
    """A mapping that raises for one name still gives the others."""
    found = check(metadata=Hostile({"a": 1, "b": ValueError("personal data"), "c": 3}))
    assert found.metadata == {"a": 1, "c": 3}
    assert dropped_values() == {("metadata", "raised"): 1}


def test_none_in_keys_cuts() -> None:
    """`None` for a key cuts it, `id` included, and a value given beside it wins."""
    found = check(keys={"import_id": None, "id": None, "ticket": None}, session_keys={"ticket": 1})
    assert (found.cut, found.keys) == (("import_id", "id"), {"ticket": "1"})
    assert dropped_values() == {}


def test_none_for_a_key_that_is_no_key_is_dropped() -> None:
    """`None` for a name that the rules refuse is dropped, since such a key cannot be inherited."""
    assert check(keys={"a b": None, 7: None}).cut == ()
    assert dropped_values() == {("session_keys", "key_characters"): 1, ("session_keys", "key_type"): 1}


def test_what_is_left_of_unreadable_values() -> None:
    """Unreadable values give no session and no user, not even the outer scope's, and are counted without their message."""
    assert unreadable(ValueError("personal data")) == Given(cut=("*",), user_refused=True)
    assert dropped_values() == {("session", "raised"): 1}
    with pytest.raises(SessionValueError) as raised:
        unreadable(ValueError("personal data"), strict=True)
    assert "personal data" not in str(raised.value)


def test_a_cut_is_a_list_of_names() -> None:
    """The cut of a job's session is checked like `keys={name: None}`, and a value given beside it wins."""
    found = check(cut=["run", "id", "a b"], session_keys={"run": 1})
    assert (found.cut, dict(found.keys)) == (("id",), {"run": "1"})
    assert dropped_values() == {("cut", "key_characters"): 1}


def test_a_cut_from_outside_is_checked() -> None:
    """Key names, `id` and `*` are accepted once each; the rest is dropped."""
    assert check_cut(["id", "*", "ticket", "id", "a b", 7]) == ("id", "*", "ticket")
    assert dropped_values() == {("cut", "key_characters"): 1, ("cut", "key_type"): 1}
    assert check_cut("id") == ()
    with pytest.raises(SessionValueError):
        check_cut(["a b"], strict=True)


def test_limits_apply() -> None:
    """Given limits decide how many entries are kept."""
    found = check(tags=["a", "b"], metadata={"a": 1, "b": 2}, limits=Limits(tags=1, metadata=1))
    assert (found.tags, found.metadata) == (("a",), {"a": 1})


ANYTHING = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.binary(), st.uuids()),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner),
    max_leaves=8,
)


@given(ANYTHING, ANYTHING, ANYTHING, ANYTHING, ANYTHING)
def test_any_input_gives_values_that_pass_the_rules_again(
    id_: object, name: object, tags: object, metadata: object, keys: object
) -> None:
    """No input raises, and accepted values pass a second check unchanged."""
    found = check(session_id=id_, user_id=id_, session_name=name, tags=tags, metadata=metadata, keys=keys)
    again = check(
        session_id=found.session_id,
        user_id=found.user_id,
        session_name=found.session_name,
        tags=found.tags,
        metadata=found.metadata,
        keys=found.keys,
        strict=True,
    )
    assert again == found._replace(cut=(), user_refused=False)
