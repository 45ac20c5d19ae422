"""The `Session` value: attributes, merging, and its trip through job queues."""

from __future__ import annotations

import copy
import json
import pickle
from dataclasses import FrozenInstanceError
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_sessions import Session, SessionValueError, dropped_values
from otel_sessions.given import Given, check
from otel_sessions.rules import Limits
from otel_sessions.session import EMPTY, inner_session

FULL = Session(
    id="ticket-2611",
    keys={"conversation_id": "conv_1", "attempt": "2"},
    name="Order #12345",
    user_id="user-a",
    tags=("support", "vip"),
    metadata={"tier": 3, "beta": True, "score": 0.5, "city": "Köln"},
    previous_id="ticket-2610",
)


def inner(outer: Session, **fields: Any) -> Session:
    """The session of a scope with these fields inside another."""
    session_keys = {name: fields.pop(name) for name in list(fields) if name in ("attempt", "ticket", "x")}
    return inner_session(outer, check(session_keys=session_keys, **fields))


def key_names(session: Session) -> list[str]:
    """Names of all session keys in order."""
    return list(session.values())


def test_attributes_are_the_wire_names_with_the_id_first() -> None:
    """Every field has its attribute; the mapping is read-only and begins with `session.id`."""
    assert dict(FULL.attributes) == {
        "session.id": "ticket-2611",
        "session.key.conversation_id": "conv_1",
        "session.key.attempt": "2",
        "user.id": "user-a",
        "session.name": "Order #12345",
        "session.previous_id": "ticket-2610",
        "session.tags": ("support", "vip"),
        "session.metadata.tier": 3,
        "session.metadata.beta": True,
        "session.metadata.score": 0.5,
        "session.metadata.city": "Köln",
    }
    assert next(iter(FULL.attributes)) == "session.id"
    with pytest.raises(TypeError):
        FULL.attributes["session.id"] = "x"  # type: ignore[index]


def test_a_session_cannot_be_changed() -> None:
    """Fields and mappings of a session are read-only, and do not follow the mapping it was made from."""
    keys = {"a": "1"}
    session = Session(keys=keys)
    keys["a"] = "2"
    assert session.keys == {"a": "1"}
    with pytest.raises(FrozenInstanceError):
        session.id = "x"  # type: ignore[misc]
    with pytest.raises(TypeError):
        session.keys["a"] = "2"  # type: ignore[index]
    with pytest.raises(TypeError):
        session.metadata["a"] = "2"  # type: ignore[index]


@pytest.mark.parametrize("session", [EMPTY, Session(), Session(cut=("id",)), Session(cut=("*",))])
def test_an_empty_session_is_falsy(session: Session) -> None:
    """A session without values is falsy, also if it has cut keys."""
    assert not session


@pytest.mark.parametrize(
    "session", [Session(id="a"), Session(keys={"a": "1"}), Session(user_id="u", cut=("id",)), FULL]
)
def test_a_session_with_a_value_is_truthy(session: Session) -> None:
    """A session with an id, a key or a user is truthy."""
    assert session


def test_values_by_key() -> None:
    """`value` returns the value of one key, `values` those of all, the id first."""
    assert (FULL.value(), FULL.value("id"), FULL.value("attempt"), FULL.value("x")) == (
        "ticket-2611",
        "ticket-2611",
        "2",
        None,
    )
    assert list(FULL.values()) == ["id", "conversation_id", "attempt"]
    assert EMPTY.values() == {}


def test_equal_sessions_hash_alike() -> None:
    """Sessions compare by value and work in sets."""
    twin = Session.from_dict(FULL.to_dict())
    assert twin == FULL
    assert hash(twin) == hash(FULL)
    assert len({twin, FULL, EMPTY}) == 2
    assert inner(FULL, tags=["x"]) != FULL


@pytest.mark.parametrize("session", [EMPTY, FULL, Session(cut=("*",)), Session(keys={"a": "1"}, cut=("id",))])
def test_copies_are_equal(session: Session) -> None:
    """Pickle, copy and deepcopy give an equal session with the same attributes, frozen again."""
    for twin in (pickle.loads(pickle.dumps(session)), copy.copy(session), copy.deepcopy(session)):
        assert twin == session
        assert twin.attributes == session.attributes
        with pytest.raises(TypeError):
            twin.keys["x"] = "y"  # type: ignore[index]


@pytest.mark.parametrize("session", [EMPTY, FULL, Session(cut=("*",)), Session(id="a", cut=("import_id",))])
def test_a_session_survives_json(session: Session) -> None:
    """`from_dict` reads the JSON of `to_dict` back as it was."""
    assert Session.from_dict(json.loads(json.dumps(session.to_dict()))) == session
    assert dropped_values() == {}


def test_to_dict_leaves_out_what_is_empty() -> None:
    """The dict has no empty fields, so that a job's headers stay small."""
    assert EMPTY.to_dict() == {}
    assert Session(id="a", tags=("t",)).to_dict() == {"session_id": "a", "tags": ["t"]}
    assert set(FULL.to_dict()) == {
        "session_id",
        "keys",
        "session_name",
        "user_id",
        "tags",
        "metadata",
        "previous_id",
    }


def test_from_dict_checks_every_value_again() -> None:
    """Values that the rules refuse are dropped and counted, and the rest is kept."""
    session = Session.from_dict(
        {
            "session_id": "x" * 201,
            "user_id": "user-a",
            "keys": {"ok": "1", "bad": [], "id": "x"},
            "tags": "bare",
            "metadata": {"ok": 1, "bad": {}},
            "cut": ["ticket", "a b"],
            "unknown": 1,
        }
    )
    assert session == Session(keys={"ok": "1"}, user_id="user-a", metadata={"ok": 1}, cut=("ticket", "id", "bad"))
    assert dropped_values() == {
        ("session_id", "too_long"): 1,
        ("session_keys", "type"): 1,
        ("session_keys", "key_reserved"): 1,
        ("tags", "type"): 1,
        ("metadata", "type"): 1,
        ("cut", "key_characters"): 1,
    }


@pytest.mark.parametrize("data", [None, "text", b"{}", 7, [("session_id", "a")]])
def test_from_dict_of_something_else_is_empty(data: object) -> None:
    """Data that is not a mapping gives the empty session and is counted, or raises in strict mode."""
    assert Session.from_dict(data) == EMPTY
    assert dropped_values() == {("session", "type"): 1}
    with pytest.raises(SessionValueError):
        Session.from_dict(data, strict=True)


def test_from_dict_of_a_mapping_that_cannot_be_read() -> None:
    """An unreadable mapping is counted and gives a session without values that inherits none."""

    class Odd(dict[str, object]):
        def get(self, *args: object) -> object:
            raise OSError

    assert Session.from_dict(Odd()) == Session(cut=("*",))
    assert dropped_values() == {("session", "raised"): 1}


def test_from_dict_takes_limits_and_strict() -> None:
    """Given limits decide what is kept, and strict mode raises."""
    assert Session.from_dict({"session_id": "abcd"}, limits=Limits(id_length=3)).id is None
    with pytest.raises(SessionValueError):
        Session.from_dict({"session_id": ""}, strict=True)


def test_inner_scalars_win_and_the_others_are_inherited() -> None:
    """Id, name and user of the inner scope replace the outer ones where they are given."""
    session = inner(FULL, session_id="b", session_name="B")
    assert (session.id, session.name, session.user_id) == ("b", "B", "user-a")
    session = inner(FULL, user_id="u")
    assert (session.id, session.name, session.user_id) == ("ticket-2611", "Order #12345", "u")
    assert inner(FULL) == FULL


def test_an_empty_name_is_a_name() -> None:
    """An empty inner name passes the rules and replaces the outer name."""
    assert inner(FULL, session_name="").name == ""


def test_keys_and_metadata_merge_with_the_inner_ones_first() -> None:
    """Inner keys and metadata come first, and replace outer ones of the same name."""
    session = inner(FULL, attempt=3, x="y", metadata={"city": "Bonn", "new": 1})
    assert list(session.keys.items()) == [("attempt", "3"), ("x", "y"), ("conversation_id", "conv_1")]
    assert list(session.metadata) == ["city", "new", "tier", "beta", "score"]
    assert session.metadata["city"] == "Bonn"


def test_tags_are_united_in_order() -> None:
    """Outer tags come first, and none comes twice."""
    assert inner(FULL, tags=["new", "support"]).tags == ("support", "vip", "new")


def test_the_previous_id_belongs_to_the_id() -> None:
    """The previous id is inherited only with the same id."""
    assert inner(FULL, attempt=3).previous_id == "ticket-2610"
    assert inner(FULL, session_id="b").previous_id is None
    assert inner(FULL, session_id="b", previous_id="c").previous_id == "c"


def test_a_session_is_not_its_own_predecessor() -> None:
    """A previous id that equals the id is dropped, wherever the id comes from."""
    assert inner(EMPTY, session_id="7", previous_id=7).previous_id is None
    assert inner(Session(id="a"), previous_id="a").previous_id is None
    assert inner(Session(id="a"), previous_id="b").previous_id == "b"
    assert dropped_values() == {("previous_id", "same"): 2}
    with pytest.raises(SessionValueError):
        inner_session(Session(id="a"), check(previous_id="a"), strict=True)


def test_refused_values_do_not_fall_back() -> None:
    """An invalid id, key or user leaves none and cuts the key; a bad name keeps the outer one."""
    session = inner(FULL, session_id="", user_id=b"u", attempt=[], session_name=7, previous_id=b"")
    assert (session.id, session.user_id, session.name, session.previous_id) == (None, None, "Order #12345", None)
    assert dict(session.keys) == {"conversation_id": "conv_1"}
    assert session.cut == ("id", "attempt")
    assert session.attributes["session.cut"] == ("id", "attempt")


def test_a_cut_key_stays_cut_until_it_is_given_again() -> None:
    """Inner scopes inherit a cut, and a new value ends it."""
    cut = inner(FULL, keys={"attempt": None})
    assert "attempt" not in cut.keys
    assert inner(cut, tags=["x"]).cut == ("attempt",)
    again = inner(cut, attempt=4)
    assert (again.cut, again.keys["attempt"]) == ((), "4")


def test_inside_a_scope_without_sessions_a_value_ends_the_star() -> None:
    """A value inside `no_session` ends the `*`, and the other outer keys stay cut by name."""
    nothing = Session(cut=("*",))
    assert inner(nothing, tags=["x"]).cut == ("*",)
    session = inner_session(nothing, check(session_id="a"), known=("id", "ticket"))
    assert (session.id, session.cut) == ("a", ("ticket",))
    session = inner_session(nothing, check(session_keys={"ticket": 1}), known=("id", "ticket"))
    assert (dict(session.keys), session.cut) == ({"ticket": "1"}, ("id",))


def test_a_star_keeps_all_outer_values_out() -> None:
    """`*` also keeps out name, tags and metadata of the outer session."""
    assert inner_session(FULL, check(cut=["*"])) == Session(user_id=None, cut=("*",))
    assert inner_session(FULL, check(cut=["*"], tags=["t"])) == Session(tags=("t",), cut=("*",))


def test_a_star_beside_other_cuts_says_it_all() -> None:
    """`*` replaces all other cut names."""
    assert inner_session(Session(cut=("*",)), check(keys={"ticket": None})).cut == ("*",)


def test_five_session_keys_the_id_included() -> None:
    """The id keeps its place; explicit keys beat inherited ones, then the order given decides."""
    four = {name: name for name in "abcd"}
    assert key_names(inner_session(EMPTY, check(session_id="s", session_keys=four))) == ["id", "a", "b", "c", "d"]
    assert dropped_values() == {}
    assert key_names(inner_session(EMPTY, check(session_id="s", session_keys={**four, "e": "e"}))) == [
        "id",
        "a",
        "b",
        "c",
        "d",
    ]
    assert key_names(inner_session(EMPTY, check(session_keys=dict.fromkeys("abcdef", 1)))) == list("abcde")
    assert dropped_values() == {("session_keys", "surplus"): 2}
    outer = inner_session(EMPTY, check(session_id="s", session_keys=four))
    assert key_names(inner_session(outer, check(session_keys={"x": 1, "y": 1}))) == ["id", "x", "y", "a", "b"]


def test_an_id_given_inside_takes_the_place_of_the_last_key() -> None:
    """An id inside five outer keys is kept, and the last key is dropped and counted."""
    outer = inner_session(EMPTY, check(session_keys={name: name for name in "abcde"}))
    assert key_names(inner(outer, session_id="s")) == ["id", "a", "b", "c", "d"]
    assert dropped_values() == {("session_keys", "surplus"): 1}


def test_five_keys_without_an_id_are_inherited_whole() -> None:
    """An inner scope without keys of its own inherits all five."""
    outer = inner_session(EMPTY, check(session_keys={name: name for name in "abcde"}))
    assert key_names(inner_session(outer, check(tags=["t"]))) == list("abcde")
    assert dropped_values() == {}


def test_a_surplus_explicit_key_is_cut_an_inherited_one_is_not() -> None:
    """A new value without room is cut, so that no ancestor's replaces it; an inherited one is only left out."""
    outer = inner_session(EMPTY, check(session_keys={"a": 1, "b": 2}))
    session = inner_session(outer, check(session_keys={"c": 1, "d": 1, "e": 1, "f": 1, "g": 1, "h": 1}))
    assert key_names(session) == list("cdefg")
    assert session.cut == ("h",)


def test_at_most_32_tags_and_entries_after_merging() -> None:
    """The first 32 are kept: outer tags before inner ones, inner metadata before outer."""
    many = [str(number) for number in range(32)]
    outer = inner(EMPTY, tags=many, metadata=dict.fromkeys(many, 1))
    session = inner(outer, tags=["x"], metadata={"x": 1})
    assert session.tags == tuple(many)
    assert list(session.metadata) == ["x", *many[:-1]]
    assert dropped_values() == {("tags", "surplus"): 1, ("metadata", "surplus"): 1}


@pytest.mark.parametrize(
    "fields", [{"session_keys": {"x": 1}}, {"session_id": "s"}, {"tags": ["x"]}, {"metadata": {"x": 1}}]
)
def test_surplus_raises_in_strict_mode(fields: dict[str, Any]) -> None:
    """Surplus that only merging shows raises in strict mode."""
    many = [str(number) for number in range(32)]
    keys = {name: name for name in "abcde"}
    outer = inner_session(EMPTY, check(session_keys=keys, tags=many, metadata=dict.fromkeys(many, 1)))
    with pytest.raises(SessionValueError) as error:
        inner_session(outer, check(**fields), strict=True)
    assert error.value.reason == "surplus"


IDS = st.none() | st.text("abc", min_size=1, max_size=3)
NAMED = st.dictionaries(st.sampled_from("abcdefgh"), st.text("xyz", min_size=1, max_size=2), max_size=7)
SCOPES = st.builds(
    Given,
    session_id=IDS,
    session_name=IDS,
    user_id=IDS,
    previous_id=st.none(),
    tags=st.lists(st.text("abc", max_size=2), max_size=5, unique=True).map(tuple),
    metadata=NAMED,
    keys=NAMED,
    cut=st.lists(st.sampled_from(["id", "*", *"abcdefgh"]), unique=True).map(tuple),
    user_refused=st.booleans(),
)


@given(st.lists(SCOPES, min_size=1, max_size=6))
def test_however_scopes_nest_the_limits_hold_and_nothing_is_both_cut_and_set(scopes: list[Given]) -> None:
    """Any nesting keeps the limits and the innermost id, sets no cut key, and survives JSON."""
    session = EMPTY
    for scope in scopes:
        session = inner_session(session, scope)
        assert len(session.values()) <= 5
        assert not set(session.cut) & set(session.values())
        assert "*" not in session.cut or not session.values()
        if scope.session_id is not None:
            assert session.id == scope.session_id
        for name, value in scope.keys.items():
            assert session.keys.get(name) == value or name in session.cut
        assert Session.from_dict(session.to_dict()) == session
