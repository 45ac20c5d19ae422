"""`read_attributes`: all dialects in one pass."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otel_sessions import dropped_values
from otel_sessions.dialects import families, names
from otel_sessions.dialects.read import Read, is_read, read_attributes
from otel_sessions.dialects.targets import FAMILIES

GEN_AI = FAMILIES.index(families.FAMILIES["gen_ai"])
OPENINFERENCE = FAMILIES.index(families.FAMILIES["openinference"])
CLAUDE_CODE = FAMILIES.index(families.CLAUDE_CODE)


def fields(attributes: Mapping[str, Any], scope: str = "app") -> dict[str, Any]:
    """The plain fields of these attributes."""
    return read_attributes(attributes, scope).fields


def parts(read: Read) -> tuple[object, ...]:
    """Everything that was read, comparable."""
    return read.fields, read.session_keys, read.metadata, read.tokens, read.costs


def test_nothing_is_read_from_nothing() -> None:
    """Unknown attributes leave every part empty."""
    assert parts(read_attributes({"http.method": "GET", "x": [1]})) == ({}, None, None, None, None)


def document(name: str, value: str) -> dict[str, Any]:
    """An attribute that says a value, under a name that may lead into a document."""
    outer, mark, path = name.partition("#")
    inner: Any = value
    for key in reversed(path.split(".") if mark else ()):
        inner = {key: inner}
    return {outer: json.dumps(inner) if mark else inner}


@pytest.mark.parametrize(
    ("field", "candidates"),
    [
        ("session_id", names.SESSION_ID),
        ("user_id", names.USER_ID),
        ("session_name", names.SESSION_NAME),
        ("environment", names.ENVIRONMENT),
        ("model", names.MODEL),
        ("request_model", names.REQUEST_MODEL),
        ("provider", names.PROVIDER),
        ("response_id", names.RESPONSE_ID),
        ("call_id", names.CALL_ID),
        ("service_tier", names.SERVICE_TIER),
        ("requested_tier", names.REQUESTED_TIER),
        ("speed", names.SPEED),
        ("agent", names.AGENT),
    ],
)
def test_every_candidate_in_its_order(field: str, candidates: tuple[str, ...]) -> None:
    """Each name is read, and the first one in the table wins over all after it, in any order of the attributes."""
    for rank, name in enumerate(candidates):
        assert fields(document(name, "mine"))[field] == "mine"
        for other in candidates[rank + 1 :]:
            if other.partition("#")[0] != name.partition("#")[0]:
                both = {**document(other, "theirs"), **document(name, "mine")}
                assert fields(both)[field] == "mine"
                assert fields(dict(reversed(both.items())))[field] == "mine"


def test_the_server_of_a_call_is_read_in_the_order_of_its_names() -> None:
    """Each name gives the host, and the first one in the table wins, in any order of the attributes."""
    for rank, name in enumerate(names.SERVER_ADDRESS):
        for other in names.SERVER_ADDRESS[rank:]:
            both = {other: "http://theirs:80/v1", name: "http://mine:80/v1", "gen_ai.request.model": "m"}
            for attributes in (both, dict(reversed(both.items()))):
                assert fields(attributes)["server_address"] == "mine"


@pytest.mark.parametrize("name", names.SERVER_ADDRESS)
def test_the_server_is_read_only_from_spans_that_may_be_calls(name: str) -> None:
    """The address on an HTTP span is not looked at, but it is on a span whose kind may be a model call."""
    assert fields({name: "localhost", "session.id": "s"}) == {"session_id": "s"}
    call = fields({"gen_ai.operation.name": "chat", name: "localhost"})
    assert call == {"kind": "llm", "server_address": "localhost"}


def test_claude_codes_speed_is_read() -> None:
    """Its bare name is read in its own scope alone."""
    assert fields({"speed": "fast"}, "com.anthropic.claude_code.tracing") == {"speed": "fast"}
    assert fields({"speed": "fast"}) == {}


def test_a_candidate_that_does_not_parse_is_passed_over() -> None:
    """The next candidate that makes sense is taken."""
    attributes = {"session.id": "", "langfuse.session.id": ["x"], "gen_ai.conversation.id": "c1"}
    assert fields(attributes)["session_id"] == "c1"
    assert fields({"gen_ai.response.model": 5, "gen_ai.request.model": "m"})["model"] == "m"


def test_the_operating_systems_thread_is_no_session() -> None:
    """`thread.id` is a session if it is a string, and a thread's number otherwise."""
    assert fields({"thread.id": "conversation-1"}) == {"session_id": "conversation-1"}
    assert fields({"thread.id": 140_001, "thread_id": 7}) == {}
    assert fields({"session.id": 7}) == {"session_id": "7"}


def test_openinference_metadata() -> None:
    """The session is read from OpenInference's metadata, a JSON string or a mapping, by the order of the keys' names."""
    written = {"conversation_id": "c", "thread_id": "t", "other": 1}
    assert fields({"metadata": json.dumps(written)})["session_id"] == "t"
    assert fields({"metadata": written})["session_id"] == "t"
    assert fields({"metadata": "garbage"}) == {}


def test_session_keys() -> None:
    """Each keyed value is read as a string under its key; bad keys and values are dropped and counted."""
    read = read_attributes({"session.key.ticket": "t1", "session.key.attempt": 2, "session.key.ok": True})
    assert read.session_keys == {"ticket": "t1", "attempt": "2", "ok": "true"}
    assert read_attributes({"session.key.a b": "x", "session.key.": "x", "session.key.id": "x"}).session_keys is None
    assert read_attributes({"session.key.a": "", "session.key.b": float("nan")}).session_keys is None
    reasons = {reason for field, reason in dropped_values() if field == "session_keys"}
    assert {"empty", "not_finite"} <= reasons


def test_at_most_as_many_keys_and_metadata_as_the_rules_allow() -> None:
    """The rules' bounds hold for spans of other SDKs too."""
    attributes = {f"session.key.k{i}": "v" for i in range(9)} | {f"session.metadata.m{i}": i for i in range(40)}
    read = read_attributes(attributes)
    assert read.session_keys == {f"k{i}": "v" for i in range(5)}
    assert read.metadata == {f"m{i}": i for i in range(32)}


def test_metadata_is_merged() -> None:
    """Metadata of all dialects is merged, and the earlier dialect's value wins in any order."""
    attributes = {
        "ai.telemetry.metadata.plan": "theirs",
        "session.metadata.plan": "ours",
        "langsmith.metadata.team": "a",
        "traceloop.association.properties.n": 3,
        "session.metadata.flag": True,
        "session.metadata.ratio": 0.5,
        "session.metadata.list": [1],
        "session.metadata.inf": float("inf"),
        "session.metadata.": "no name",
        "session.metadata.a b": "no such name",
    }
    expected = {"plan": "ours", "team": "a", "n": 3, "flag": True, "ratio": 0.5}
    assert read_attributes(attributes).metadata == expected
    assert read_attributes(dict(reversed(attributes.items()))).metadata == expected


@pytest.mark.parametrize("name", ["metadata", "braintrust.metadata", "langwatch.params"])
def test_metadata_in_a_document(name: str) -> None:
    """Every entry of a JSON object or mapping that is metadata is read by the rules for metadata."""
    written = {"plan": "theirs", "team": "a", "n": 3, "nested": {"a": 1}, "a b": "no such name", "none": None}
    for value in (written, json.dumps(written)):
        metadata = read_attributes({name: value, "session.metadata.plan": "ours"}).metadata
        assert metadata == {"plan": "ours", "team": "a", "n": 3}
    assert read_attributes({name: {5: "x", "ok": True}}).metadata == {"ok": True}
    assert read_attributes({name: "garbage"}).metadata is None
    many = read_attributes({name: {f"m{i:03}": i for i in range(500)}}).metadata
    assert many == {f"m{i:03}": i for i in range(32)}


def test_a_late_value_of_a_name_that_is_kept() -> None:
    """Metadata at its bound still takes a better value for a name that it has."""
    attributes: dict[str, Any] = {f"langsmith.metadata.m{i}": i for i in range(40)}
    attributes["session.metadata.m0"] = "ours"
    metadata = read_attributes(attributes).metadata
    assert metadata is not None
    assert (len(metadata), metadata["m0"]) == (32, "ours")


def test_tags_cut_and_environment() -> None:
    """Lists of strings are read in every form, and an environment of any length is kept whole."""
    assert fields({"tag.tags": '["a", "b"]'})["tags"] == ("a", "b")
    assert fields({"langsmith.span.tags": "a, b"})["tags"] == ("a", "b")
    assert fields({"session.cut": ["id"]})["cut"] == ("id",)
    assert fields({"session.cut": "garbage"}) == {}
    assert fields({"session.cut": []}) == {}
    assert fields({"langfuse.environment": "e" * 500}) == {"environment": "e" * 500}
    assert fields({"langfuse.environment": 5, "deployment.environment": ""}) == {}


def test_tokens_by_family() -> None:
    """Each family's numbers are kept apart, from the first of its names that parses."""
    read = read_attributes(
        {
            "gen_ai.usage.prompt_tokens": 9,
            "gen_ai.usage.input_tokens": "7",
            "gen_ai.usage.output_tokens": -1,
            "gen_ai.usage.completion_tokens": 3,
            "llm.token_count.prompt": 8,
        }
    )
    assert read.tokens == {GEN_AI: {"input": 7, "output": 3}, OPENINFERENCE: {"input": 8}}
    assert read.costs is None


def test_costs_by_family_with_their_attribute() -> None:
    """A cost comes with the name of its attribute."""
    read = read_attributes({"llm.response.cost": "0.5", "llm.cost.total": 0.25, "llm.cost.prompt": 0.125})
    assert read.costs == {
        OPENINFERENCE: {
            "cost_total": (Decimal("0.25"), "llm.cost.total"),
            "cost_input": (Decimal("0.125"), "llm.cost.prompt"),
        }
    }
    assert read.tokens is None


def test_a_document_feeds_several_fields() -> None:
    """One JSON attribute may hold tokens and a cost, if it is an object."""
    read = read_attributes({"langwatch.metrics": '{"prompt_tokens": 7, "cost": "0.5"}'})
    (family,) = (index for index, one in enumerate(FAMILIES) if one is families.FAMILIES["langwatch"])
    assert read.tokens == {family: {"input": 7}}
    assert read.costs == {family: {"cost_total": (Decimal("0.5"), "langwatch.metrics#cost")}}
    for garbage in ("[]", "7", "{", None, b"{}"):
        assert parts(read_attributes({"langwatch.metrics": garbage})) == ({}, None, None, None, None)


@pytest.mark.parametrize("scope", ["com.anthropic.claude_code", "com.anthropic.claude_code.tracing"])
def test_bare_names_by_scope(scope: str) -> None:
    """Claude Code's names without a prefix are read in its scope only, after every name with a prefix."""
    attributes = {"model": "m", "request_id": "r", "input_tokens": 7, "cost_usd": 0.5}
    read = read_attributes(attributes, scope)
    assert read.fields == {"model": "m", "call_id": "r"}
    assert read.tokens == {CLAUDE_CODE: {"input": 7}}
    assert read.costs == {CLAUDE_CODE: {"cost_total": (Decimal("0.5"), "cost_usd")}}
    assert fields({**attributes, "gen_ai.response.model": "better"}, scope)["model"] == "better"
    for other in ("", "app", "anthropic"):
        assert parts(read_attributes(attributes, other)) == ({}, None, None, None, None)


def test_very_many_names_are_read_in_bounded_memory() -> None:
    """Names are read right also when there are more than are remembered."""
    for i in range(6_000):
        read = read_attributes({f"session.key.k{i % 10}": "v", f"session.metadata.made_up_{i}": i, f"other.{i}": 1})
        assert (read.metadata, read.session_keys) == ({f"made_up_{i}": i}, {f"k{i % 10}": "v"})
    assert read_attributes({"x" * 10_000: 1}).fields == {}


KNOWN_NAMES = [*names.SESSION_ID, *names.MODEL, *names.USER_ID, "gen_ai.usage.input_tokens", "gen_ai.usage.cost"]
KNOWN_NAMES += ["session.metadata.a", "langsmith.metadata.a", "metadata", "openinference.span.kind", "tool.name"]


@settings(deadline=None)
@given(
    st.dictionaries(st.sampled_from(KNOWN_NAMES), st.sampled_from(["a", "LLM", "7", 7, 0.5, True, None]), max_size=10),
    st.randoms(),
)
def test_the_order_of_attributes_is_nothing(attributes: dict[str, Any], order: random.Random) -> None:
    """Attributes are read alike in any order."""
    shuffled = list(attributes.items())
    order.shuffle(shuffled)
    assert parts(read_attributes(dict(shuffled))) == parts(read_attributes(attributes))


@pytest.mark.parametrize(
    "name", ["session.id", "input_tokens", "qwen-code.prompt_id", "openclaw.agent", "session.key.x"]
)
def test_names_that_some_table_reads(name: str) -> None:
    """The bare names of single emitters are among them, since the scope is not known where attributes are taken apart."""
    assert is_read(name)
    assert not is_read("a." + name)
