"""`span_facts`: what counting keeps of a span."""

from __future__ import annotations

import tracemalloc
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.counting import anything
from tests.counting.building import AT, MS, read

from otel_sessions import dropped_values
from otel_sessions.counting.facts import NO_LABELS, Call, Labels, SpanFacts, Values
from otel_sessions.counting.prices.local_servers import LOCAL_SERVER
from otel_sessions.counting.prices.pricer import Cost
from otel_sessions.counting.reading import OF_RESOURCE, REPEATED, span_facts
from otel_sessions.counting.tokens import Usage
from otel_sessions.rules import LONGEST_LABEL

CHAT = {"gen_ai.operation.name": "chat"}
TOKENS = {"gen_ai.usage.input_tokens": 10, "gen_ai.usage.output_tokens": 2}
# What reads are planned by is remembered for a bounded number of sets of names, which other tests exceed.
read({"session.id": "s", "user.id": "u"})

CLAUDE_CODE = "com.anthropic.claude_code.tracing"


def test_a_plain_span() -> None:
    """A span that says nothing about models or sessions has no call, no values and the labels of its resource only."""
    facts = read({"http.method": "GET"}, parent_id=7, failed=True, service="web", environment="production")
    labels = Labels(service="web", environment="production")
    assert facts == SpanFacts(1, 7, AT, AT + MS, True, "other", "app", "n", (), (), labels, None)
    assert read({}).labels == NO_LABELS


def test_the_session_of_a_span() -> None:
    """Keys come in their order, whatever the order of the attributes; the labels beside them are kept."""
    facts = read(
        {
            "session.key.ticket": "t1",
            "session.id": "s1",
            "session.key.attempt": "2",
            "session.name": "Order",
            "session.tags": ["a", "b"],
            "session.metadata.plan": "pro",
            "session.metadata.age": 3,
            "user.id": "u1",
        },
        environment="test",
    )
    assert facts.values == (("attempt", "2"), ("id", "s1"), ("ticket", "t1"))
    assert facts.labels == Labels("Order", "u1", ("a", "b"), (("age", 3), ("plan", "pro")), None, "test")
    assert facts.call is None


def test_keys_without_an_id() -> None:
    """A span may be in sessions of other keys alone."""
    assert read({"session.key.ticket": "t1"}).values == (("ticket", "t1"),)


def test_the_id_keeps_its_place_among_too_many_keys() -> None:
    """The last of too many keys are left out, and never the id."""
    keys = {f"session.key.k{i}": "v" for i in range(7)}
    assert read(keys).values == tuple((f"k{i}", "v") for i in range(5))
    with_id = (("id", "s1"), *((f"k{i}", "v") for i in range(4)))
    assert read({**keys, "session.id": "s1"}).values == read({"session.id": "s1", **keys}).values == with_id


def test_environment_of_the_span_before_its_resource() -> None:
    """A span's own environment wins over the resource's."""
    assert read({"langfuse.environment": "staging"}, environment="test").labels.environment == "staging"


def test_cut_keys_are_kept() -> None:
    """The keys that a scope cut are among the facts."""
    assert read({"session.cut": ["id", "ticket"]}).cut == ("id", "ticket")
    assert read({"session.cut": ["*"]}).cut == ("*",)
    assert read({"session.cut": 5}).cut == ()


def test_equal_labels_are_shared() -> None:
    """Spans with equal labels share one object, so that they take its memory only once."""
    attributes = {"session.id": "s1", "user.id": "u1", "session.name": "Order"}
    one, other = read(attributes), read(dict(attributes))
    assert one.labels is other.labels
    assert one.values is other.values


def test_what_is_dropped_is_counted_on_every_span() -> None:
    """A value that the rules refuse is counted for every span, although equal spans are read once."""
    attributes = {"session.id": "s1", "session.name": "x" * 300, "user.id": "u1"}
    for _ in range(3):
        assert read(attributes).labels == Labels(user_id="u1")
    assert dropped_values() == {("session_name", "too_long"): 3}


def test_the_same_names_with_other_values_service_or_scope() -> None:
    """Values of one span are never used for another one."""
    one = read({"session.id": "a", "user.id": "u"}, service="x", environment="e")
    assert read({"session.id": "b", "user.id": "u"}, service="x", environment="e").values == (("id", "b"),)
    assert read({"user.id": "a", "session.id": "u"}, service="x", environment="e").values == (("id", "u"),)
    assert read({"session.id": "a", "user.id": "u"}, service="y", environment="e").labels.service == "y"
    assert read({"session.id": "a", "user.id": "u"}, service="x").labels == one.labels._replace(environment=None)
    tool = {"span.type": "tool", "session.id": "a"}
    assert [read(tool, scope).kind for scope in ("app", CLAUDE_CODE, "app")] == ["other", "tool", "other"]


def test_very_many_sessions_one_after_the_other() -> None:
    """More sessions, and words for kinds, than are remembered are each read right, also the second time."""
    for _ in range(2):
        for i in range(9_000):
            facts = read({"session.id": f"s{i}", "user.id": "u", "openinference.span.kind": f"no kind {i}"})
            assert (facts.values, facts.kind) == ((("id", f"s{i}"),), "other")


@pytest.mark.parametrize("name", ["langfuse.environment", "openinference.span.kind", "tag.tags"])
def test_huge_texts_are_not_remembered(name: str) -> None:
    """Texts that differ in every span and are cut, or make no sense, do not stay in memory."""
    tracemalloc.start()
    for i in range(200):
        read({name: f"{i}," + " " * 100_000, "session.id": "s1"})
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept < 4_000_000


@pytest.mark.parametrize(("one", "other"), [(True, 1), (1, 1.0), (0, False)])
def test_metadata_keeps_its_type(one: object, other: object) -> None:
    """`True`, `1` and `1.0` compare equal in Python and are still told apart on spans that are otherwise alike."""
    for value in (one, other):
        found = dict(read({"session.metadata.a": value}).labels.metadata)["a"]
        assert type(found) is type(value)


@pytest.mark.parametrize(
    ("attributes", "scope", "value", "rank"),
    [
        ({"session.id": "s"}, "app", "s", 0),
        ({"session.id": "s", "gen_ai.conversation.id": "c"}, "app", "s", 0),
        ({"session.id": "c", "gen_ai.conversation.id": "c"}, "app", "c", REPEATED),
        (
            {"session.id": "t", "metadata": '{"thread_id": "t"}'},
            "openinference.instrumentation.langchain",
            "t",
            REPEATED,
        ),
        ({"conversation.id": "a", "gen_ai.conversation.id": "b"}, "app", "b", 25),
        ({"thread.id": "thread", "gen_ai.conversation.id": "turn"}, "codex_cli_rs", "thread", 3),
        ({"gen_ai.conversation.id": "turn"}, "codex_cli_rs", None, 0),
        ({"gen_ai.conversation.id": "sub-agent"}, "com.anthropic.claude_code.tracing", None, 0),
    ],
)
def test_the_rank_of_the_name_of_a_session(
    attributes: Mapping[str, Any], scope: str, value: str | None, rank: int
) -> None:
    """`session.id` ranks first unless another name repeats it; some emitters use names in a meaning of their own."""
    facts = read(attributes, scope)
    assert dict(facts.values).get("id") == value
    assert facts.rank == rank


@pytest.mark.parametrize(
    ("attributes", "values", "rank"),
    [
        ({}, (("id", "tab"),), OF_RESOURCE),
        ({"session.key.t": "1"}, (("id", "tab"), ("t", "1")), OF_RESOURCE),
        ({"session.id": "s"}, (("id", "s"),), 0),
    ],
)
def test_the_session_of_the_resource(attributes: Mapping[str, Any], values: Values, rank: int) -> None:
    """A resource names the session of spans that name none, at the lowest rank."""
    facts = read(attributes, session_id="tab")
    assert (facts.values, facts.rank) == (values, rank)
    assert read(attributes, session_id="x" * 201).values == tuple(pair for pair in values if pair[1] != "tab")


def test_a_model_call() -> None:
    """A call has its models, provider, ids and what else sets its price."""
    facts = read(
        {
            **CHAT,
            **TOKENS,
            "gen_ai.response.model": "gpt-4o-2024-08-06",
            "gen_ai.request.model": "gpt-4o",
            "gen_ai.provider.name": "openai",
            "gen_ai.response.id": "r1",
            "litellm.call_id": "c1",
            "openai.response.service_tier": "flex",
            "gen_ai.request.batch": True,
        }
    )
    assert facts.kind == "llm"
    context = (("service_tier", "flex"), ("processing", "batch"))
    assert facts.call == Call(
        Usage(10, 2), "gpt-4o-2024-08-06", "gpt-4o", "openai", "r1", "c1", context, is_request=True
    )


@pytest.mark.parametrize(
    ("attributes", "context"),
    [
        ({"openai.request.service_tier": "flex"}, (("service_tier", "flex"),)),
        ({"gen_ai.openai.request.service_tier": "flex"}, (("service_tier", "flex"),)),
        (
            {"openai.request.service_tier": "flex", "openai.response.service_tier": "default"},
            (("service_tier", "default"),),
        ),
        ({"openai.response.service_tier": "batch"}, (("processing", "batch"),)),
        ({"server.address": "127.0.0.1", "gen_ai.request.model": "llama3.1:8b"}, (LOCAL_SERVER,)),
        ({"server.address": "127.0.0.1", "gen_ai.request.model": "gpt-4o"}, ()),
        ({"server.address": "api.openai.com", "gen_ai.request.model": "llama3.1:8b"}, ()),
        ({"server.address": "127.0.0.1"}, ()),
        ({"gen_ai.request.speed": "fast"}, (("speed", "fast"),)),
    ],
)
def test_what_else_sets_the_price(attributes: Mapping[str, Any], context: tuple[tuple[str, str], ...]) -> None:
    """The tier of the response goes before the one that was asked for; a model of your own has no vendor's price."""
    call = read({**CHAT, **attributes}).call
    assert call is not None
    assert call.context == context


def test_batch_alone_and_no_batch() -> None:
    """Batch processing is part of the price's context only where it was used."""
    call = read({**CHAT, "gen_ai.request.batch": True}).call
    assert call is not None
    assert call.context == (("processing", "batch"),)
    call = read({**CHAT, "gen_ai.request.batch": False}).call
    assert call is not None
    assert call.context == ()


def test_a_call_that_reports_nothing_is_still_a_call() -> None:
    """A failed chat without usage is kept, and says nothing."""
    call = read({**CHAT, "gen_ai.request.model": "gpt-4o"}).call
    assert call == Call(None, "gpt-4o", "gpt-4o")
    assert not call.says_something


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (Call(), False),
        (Call(Usage(0, 0)), False),
        (Call(Usage(None, None, 5)), False),
        (Call(Usage(1)), True),
        (Call(reported=Cost(None, None, Decimal(0), "x")), True),
    ],
)
def test_what_says_something(call: Call, says: bool) -> None:
    """Tokens above zero or any cost, even one of zero, say something."""
    assert call.says_something is says


@pytest.mark.parametrize(
    ("attributes", "kind", "is_call"),
    [
        ({**TOKENS, "gen_ai.request.model": "m"}, "llm", True),
        ({**TOKENS}, "other", True),
        ({"gen_ai.request.model": "m"}, "other", True),
        ({"llm.cost.total": 0.5}, "other", True),
        ({"gen_ai.operation.name": "invoke_agent", **TOKENS}, "agent", True),
        ({"gen_ai.operation.name": "invoke_agent", "gen_ai.usage.input_tokens": 0}, "agent", False),
        ({"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "t"}, "tool", False),
        ({"gen_ai.operation.name": "fetch_response", **TOKENS, "gen_ai.response.model": "m"}, "poll", False),
        ({"gen_ai.operation.name": "rerank"}, "rerank", True),
        ({"gen_ai.tool.name": "search", **TOKENS, "gen_ai.request.model": "m"}, "tool", True),
        ({"gen_ai.usage.cache_read.input_tokens": 5, "gen_ai.request.model": "m"}, "other", True),
    ],
)
def test_which_spans_have_a_call(attributes: Mapping[str, Any], kind: str, is_call: bool) -> None:
    """A span says something of model usage if its kind is a call, or if it reports tokens, costs or a model, unless it polls."""
    facts = read(attributes)
    assert (facts.kind, facts.call is not None) == (kind, is_call)


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ({"llm.cost.total": 0.25}, Cost(None, None, Decimal("0.25"), "reported:llm.cost.total")),
        ({"llm.cost.total": "0.25"}, Cost(None, None, Decimal("0.25"), "reported:llm.cost.total")),
        ({"operation.cost": 1}, Cost(None, None, Decimal(1), "reported:operation.cost")),
        (
            {"gen_ai.usage.input_cost": "0.1", "gen_ai.usage.output_cost": 0.2},
            Cost(Decimal("0.1"), Decimal("0.2"), Decimal("0.3"), "reported:gen_ai.usage.input_cost"),
        ),
        (
            {"llm.cost.prompt": 0.1, "llm.cost.completion": 0.2, "llm.cost.total": 0.5},
            Cost(Decimal("0.1"), Decimal("0.2"), Decimal("0.5"), "reported:llm.cost.total"),
        ),
        ({"litellm.cost.total": 0}, Cost(None, None, Decimal(0), "reported:litellm.cost.total")),
        # One side alone is no cost; another family that has a whole one is asked.
        ({"gen_ai.usage.input_cost": 0.1}, None),
        (
            {"gen_ai.usage.input_cost": 0.1, "litellm.cost.total": 0.5},
            Cost(None, None, Decimal("0.5"), "reported:litellm.cost.total"),
        ),
        # Families in their order, never added up.
        (
            {"operation.cost": 0.7, "llm.cost.total": 0.5, "gen_ai.usage.cost": 0.3},
            Cost(None, None, Decimal("0.3"), "reported:gen_ai.usage.cost"),
        ),
        ({"llm.cost.total": "free"}, None),
        ({"llm.cost.total": -1.0}, None),
        ({"llm.cost.total": float("nan")}, None),
        ({"llm.cost.total": True}, None),
        ({"llm.cost.total": [0.5]}, None),
        (
            {"langfuse.observation.cost_details": '{"input": 0.5, "output": 0.25}'},
            Cost(Decimal("0.5"), Decimal("0.25"), Decimal("0.75"), "reported:langfuse.observation.cost_details#total"),
        ),
        (
            {"mlflow.llm.cost": '{"input_cost": 0.5, "output_cost": 0.25, "total_cost": 0.75}'},
            Cost(Decimal("0.5"), Decimal("0.25"), Decimal("0.75"), "reported:mlflow.llm.cost#total_cost"),
        ),
        (
            {"agentmark.usage.cost_usd": "0.004"},
            Cost(None, None, Decimal("0.004"), "reported:agentmark.usage.cost_usd"),
        ),
    ],
)
def test_reported_costs(attributes: Mapping[str, Any], expected: Cost | None) -> None:
    """A cost on the span is exact, says which attribute it came from, and is that of one dialect only."""
    call = read({**CHAT, **attributes}).call
    assert call is not None
    assert call.reported == expected


def test_claude_code_by_its_scope() -> None:
    """Bare names are read from Claude Code's own scope, cached tokens added to the input."""
    attributes = {
        "span.type": "llm_request",
        "model": "claude-sonnet-4-5",
        "request_id": "req_1",
        "input_tokens": 10,
        "output_tokens": 5,
        "cache_read_tokens": 80,
        "cache_creation_tokens": 10,
        "cost_usd": 0.01,
        "session.id": "s1",
    }
    facts = read(attributes, CLAUDE_CODE)
    cost = Cost(None, None, Decimal("0.01"), "reported:cost_usd")
    call = Call(Usage(100, 5, 80, 10), "claude-sonnet-4-5", None, "anthropic", None, "req_1", (), cost)
    assert (facts.kind, facts.call) == ("llm", call)
    elsewhere = read(attributes, "app")
    assert (elsewhere.kind, elsewhere.call, elsewhere.values) == ("other", None, (("id", "s1"),))


@pytest.mark.parametrize(
    "attributes",
    [
        {"llm.cost.total": 10**5000},
        {"langfuse.observation.cost_details": '{"input": 0.5, "output": 1' + "0" * 400 + "}"},
        {"langfuse.observation.usage_details": '{"input": 0.5, "input_x": 1' + "0" * 400 + "}"},
        {"gen_ai.usage.input_tokens": 10**5000},
        {"session.id": 10**5000, "session.key.a": 10**5000, "session.metadata.a": 10**5000},
        {"metadata": "[" * 50_000},
        {"session.id": "\ud800", "session.name": "\ud800", "user.id": "\x00", "session.tags": ["\ud800", "ok"]},
    ],
)
def test_extreme_values_never_raise(attributes: Mapping[str, Any]) -> None:
    """Numbers and texts beyond all reason are left out and break nothing."""
    facts = read({**attributes, "session.key.ok": "yes"})
    assert ("ok", "yes") in facts.values


@settings(deadline=None)
@given(anything.attributes, st.sampled_from(["app", CLAUDE_CODE]))
def test_no_value_of_an_attribute_raises(attributes: dict[str, Any], scope: str) -> None:
    """Any attributes give facts, which hold only what makes sense."""
    facts = span_facts(
        attributes, span_id=1, parent_id=None, start=1, end=2, failed=False, scope=scope, name="n", service="s"
    )
    assert all(key and value for key, value in facts.values)
    if facts.call is not None and facts.call.usage is not None:
        assert all(count is None or (type(count) is int and count >= 0) for count in facts.call.usage)
    if facts.call is not None and facts.call.reported is not None:
        assert facts.call.reported.total >= 0
    hash(facts)


def test_long_names_are_cut() -> None:
    """The name of a span and that of its scope are cut where facts are read, with their length."""
    facts = read({}, "s" * 2_000, name="n" * 2_000)
    for found in (facts.scope, facts.name):
        assert len(found) <= LONGEST_LABEL
        assert "2000" in found


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("gen_ai.response.time_to_first_chunk", 0.74),
        ("gen_ai.server.time_to_first_token", 740),
        ("copilot_chat.time_to_first_token", "740"),
        ("ai.response.msToFirstChunk", 740.0),
        ("ai.response.msToFirstToken", 740),
        ("langfuse.observation.completion_start_time", '"1970-01-01T00:00:01.740Z"'),
    ],
)
def test_the_time_to_the_first_token(name: str, value: object) -> None:
    """It is read in seconds, in milliseconds, or as the time of the first token."""
    call = read({**CHAT, name: value}, start=10**9).call
    assert call is not None
    assert call.time_to_first_token == 740 * MS
    # What is no call has none.
    assert read({name: value}).call is None


def test_a_time_to_the_first_token_that_cannot_be() -> None:
    """A first token before the start, or a time of its own beside it."""
    at = "langfuse.observation.completion_start_time"
    early = read({**CHAT, at: "1970-01-01T00:00:01Z"}, start=2 * 10**9).call
    assert early is not None
    assert early.time_to_first_token is None
    both = read({**CHAT, at: "1970-01-01T00:00:03Z", "ai.response.msToFirstChunk": 5}, start=2 * 10**9).call
    assert both is not None
    assert both.time_to_first_token == 5 * MS


def test_the_agent_of_a_span() -> None:
    """Its name before its id; labels and kind are those of a span without."""
    named = read({"gen_ai.agent.id": "a1", "gen_ai.agent.name": "planner", "session.id": "s", "user.id": "u"})
    assert (named.agent, named.turn) == ("planner", None)
    assert named == read({"session.id": "s", "user.id": "u"})._replace(agent="planner")
    assert read({"gen_ai.agent.id": "a1"}).agent == "a1"
    assert read({"agent.name": "crew", "openinference.span.kind": "AGENT"}).agent == "crew"
    assert read({"gen_ai.agent.name": ["x"]}).agent is None


def test_the_agent_beside_the_address_of_a_server() -> None:
    """The name of an agent makes a span no call, so that the server of an HTTP request is not read."""
    assert read({"gen_ai.agent.name": "planner", "server.address": "example.org"}).call is None


def test_codex_by_its_service() -> None:
    """The name of its service tells, whatever the scope, also in the plan of a span with the same names of another one."""
    turn = {"thread.id": "t", "turn.id": "1", "gen_ai.conversation.id": "1", "model": "gpt-5.2-codex"}
    assert read(turn, "any", service="shop").values == (("id", "1"),)
    codex = read(turn, "any", service="codex_vscode")
    assert (codex.values, codex.turn) == ((("id", "t"),), "1")
    assert codex.call == Call(model="gpt-5.2-codex", provider="openai")


def test_a_provider_that_the_emitter_fixes() -> None:
    """It is used only where the span names none."""
    bedrock = read({**CHAT, "gen_ai.provider.name": "aws.bedrock"}, CLAUDE_CODE).call
    assert bedrock is not None
    assert bedrock.provider == "aws.bedrock"
    plain = read(CHAT, CLAUDE_CODE).call
    assert plain is not None
    assert plain.provider == "anthropic"


def test_a_long_service_and_environment() -> None:
    """Names that together are too long to be remembered are read each time."""
    labels = [read({"user.id": "u"}, service="s" * 900, environment="e" * 900).labels for _ in range(2)]
    assert labels[0] == labels[1]
    assert (labels[0].service, labels[0].environment) == ("s" * 900, "e" * 900)
