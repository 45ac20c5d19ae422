"""`record_facts`: what counting keeps of a log record, and the same names on spans.

Each file in `tests/dialects/records` has samples of one emitter: log records as OTLP/JSON, or spans, and the right reading. A
new emitter needs such a file here, and nothing else.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from google.protobuf.json_format import ParseDict  # type: ignore[import-untyped]
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from tests.counting import anything
from tests.counting.building import AT, MS, read

from otel_sessions.counting.facts import SpanFacts
from otel_sessions.counting.prices.pricer import Cost
from otel_sessions.counting.reading import OF_RESOURCE
from otel_sessions.counting.record_reading import record_facts
from otel_sessions.counting.tokens import Usage
from otel_sessions.dialects.emitters import EMITTERS, OPENTELEMETRY
from otel_sessions.server.otlp.attributes import read_attributes
from otel_sessions.server.otlp.limits import RecordBudget

FILES = {
    path.stem: json.loads(path.read_text())
    for path in sorted((Path(__file__).parents[1] / "dialects/records").glob("*.json"))
}
SAMPLES: list[dict[str, Any]] = [sample for file in FILES.values() for sample in file["samples"]]
IDS = [f"{name}: {sample['note']}" for name, file in FILES.items() for sample in file["samples"]]
RECORDS = [sample for sample in SAMPLES if "record" in sample]

CLAUDE_CODE = "com.anthropic.claude_code.events"
API_REQUEST = {
    "event.name": "api_request",
    "session.id": "s",
    "model": "claude-opus-4-8",
    "input_tokens": 5,
    "output_tokens": 1,
}


def value(written: Mapping[str, Any]) -> Any:
    """The Python value of an OTLP/JSON value, as OpenTelemetry's SDK has it."""
    ((kind, inner),) = written.items()
    if kind == "arrayValue":
        return tuple(value(item) for item in inner["values"])
    if kind == "kvlistValue":
        return {item["key"]: value(item["value"]) for item in inner["values"]}
    return int(inner) if kind == "intValue" else inner


def attributes_of(sent: Mapping[str, Any]) -> dict[str, Any]:
    """The attributes of a record or span of a sample."""
    return {item["key"]: value(item["value"]) for item in sent["attributes"]}


def of_record(attributes: Mapping[str, Any], scope: str = CLAUDE_CODE, **more: Any) -> SpanFacts | None:
    """The facts of a log record with these attributes."""
    given: dict[str, Any] = {"event_name": "", "body": None, "time": AT, "observed": AT, "trace_id": 0, "span_id": 0}
    return record_facts(attributes, scope=scope, **{**given, **more})


def facts_of(attributes: Mapping[str, Any], scope: str = CLAUDE_CODE, **more: Any) -> SpanFacts:
    """As `of_record`, for a record that tells of something."""
    facts = of_record(attributes, scope, **more)
    assert facts is not None
    return facts


def arguments(sample: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of `record_facts` for the record of a sample, other than its attributes."""
    record = sample["record"]
    return {
        "event_name": record.get("eventName", ""),
        "body": value(record["body"]) if "body" in record else None,
        "time": int(record["timeUnixNano"]),
        "observed": int(record.get("observedTimeUnixNano", "0")),
        "trace_id": int(record.get("traceId", "0"), 16),
        "span_id": int(record.get("spanId", "0"), 16),
        "scope": sample["scope"],
        "service": sample["service"],
        "session_id": sample.get("resource_session"),
    }


def facts_of_sample(sample: Mapping[str, Any]) -> SpanFacts:
    """The facts of a sample, a record or a span."""
    if "record" in sample:
        return facts_of(attributes_of(sample["record"]), **arguments(sample))
    given = {"service": sample["service"], "session_id": sample.get("resource_session"), "name": sample["span"]["name"]}
    return read(attributes_of(sample["span"]), sample["scope"], **given)


def reading(facts: SpanFacts) -> dict[str, Any]:
    """The facts in the form of the samples: what is unknown or usual is left out."""
    call, labels = facts.call, facts.labels
    found: dict[str, Any] = {
        "event": facts.event,
        "kind": facts.kind,
        "failed": facts.failed,
        "session": dict(facts.values).get("id"),
        "turn": facts.turn,
        "agent": facts.agent,
        "user": labels.user_id,
        "session_name": labels.name,
        "session_title": labels.title,
        "metadata": dict(labels.metadata),
    }
    if facts.event:
        found |= {"start": facts.start, "end": facts.end}
    if call is not None:
        cost = call.reported
        found |= {
            "model": call.model,
            "request_model": call.request_model,
            "provider": call.provider,
            "response_id": call.response_id,
            "call_id": call.call_id,
            "context": [list(pair) for pair in call.context],
            "usage": {name: count for name, count in (call.usage or Usage())._asdict().items() if count is not None},
            "cost": None if cost is None else str(cost.total.normalize()),
            "cost_source": None if cost is None else cost.source,
            "time_to_first_token": call.time_to_first_token,
        }
    return {name: told for name, told in found.items() if told not in (None, "", False, {}, [])}


@pytest.mark.parametrize("sample", SAMPLES, ids=IDS)
def test_a_sample_reads_as_its_emitter_means_it(sample: dict[str, Any]) -> None:
    """Event, kind, session, turn, agent, times and call are as written beside the sample, and nothing else is."""
    assert reading(facts_of_sample(sample)) == sample["reading"]


def test_every_emitter_has_samples() -> None:
    """No file is left out, each names its source, and there is one for each emitter and for OpenTelemetry's own events."""
    assert len(FILES) == len(EMITTERS) + 1
    assert all(file["source"] for file in FILES.values())


def test_a_record_and_a_span_of_one_call_agree() -> None:
    """Usage, model, provider and id are the same; only a record of Claude Code tells how long its cache is kept."""
    told: dict[str, list[SpanFacts]] = {}
    for sample in SAMPLES:
        if "call" in sample:
            told.setdefault(sample["call"], []).append(facts_of_sample(sample))
    assert len(told) == 4
    for one, other in told.values():
        assert one.call is not None
        assert one.call.usage is not None
        assert other.call is not None
        assert other.call.usage is not None
        assert one.call.usage._replace(cache_write_1h_tokens=None) == other.call.usage._replace(
            cache_write_1h_tokens=None
        )
        assert (one.call.provider, one.call.response_id) == (other.call.provider, other.call.response_id)
        assert len({one.call.model, other.call.model} - {None}) == 1


@pytest.mark.parametrize("sample", RECORDS, ids=[sample["note"] for sample in RECORDS])
def test_the_id_is_that_of_the_content(sample: dict[str, Any]) -> None:
    """Python's log records, protobuf and any order of attributes give one id; another content gives another one."""
    sent = {name: told for name, told in sample["record"].items() if name not in ("traceId", "spanId")}
    raws = [item.SerializeToString() for item in ParseDict(sent, LogRecord()).attributes]
    received = read_attributes(raws, RecordBudget()).values
    ours = attributes_of(sample["record"])
    given = arguments(sample)
    same = [ours, MappingProxyType(ours), dict(reversed(ours.items())), received, {**ours, "empty": None}]
    ids = {facts_of(attributes, **given).span_id for attributes in same}
    assert len(ids) == 1
    assert 0 < ids.pop() < 1 << 64
    changed = facts_of({**ours, "more": 1}, **given).span_id
    assert changed != facts_of(ours, **given).span_id


def test_the_time_of_observation_is_the_last_resort() -> None:
    """A copy that was observed later is the same record, unless it has no other time."""
    stamped = {**API_REQUEST, "event.timestamp": "2026-11-27T14:00:00.123Z"}
    one, other = (facts_of(stamped, time=0, observed=seen) for seen in (AT, AT + MS))
    assert one == other
    assert one.end == 1_795_788_000_123_000_000
    assert facts_of(stamped, time=AT).end == AT
    assert facts_of(API_REQUEST, time=0, observed=AT + MS).end == AT + MS
    assert facts_of(API_REQUEST, time=0, observed=0).start == 0


@pytest.mark.parametrize("written", [7, "yesterday", "1969-01-01T00:00:00Z", "9999-01-01T00:00:00Z", "", None])
def test_a_time_that_cannot_be_is_none(written: object) -> None:
    """An attribute that is no time, or none that OTLP could send, is passed over."""
    assert facts_of({**API_REQUEST, "event.timestamp": written}, time=0).end == AT


@pytest.mark.parametrize(
    ("written", "duration"),
    [
        *((given, 1_500 * MS) for given in (1500, "1500", 1500.0, "1500.0")),
        *((given, 0) for given in (-1, "-1", True, [5], 1e300, math.nan, math.inf, "soon", 10**30, "1e9")),
    ],
)
def test_a_record_starts_when_what_it_tells_of_began(written: object, duration: int) -> None:
    """Its duration is a number, also as a string; one that makes no sense is none, and no time is below 0."""
    facts = facts_of({**API_REQUEST, "duration_ms": written})
    assert (facts.start, facts.end) == (AT - duration, AT)
    assert facts_of({**API_REQUEST, "duration_ms": written}, time=5).start == (0 if duration else 5)


@pytest.mark.parametrize(
    ("event_name", "named", "body"),
    [
        ("claude_code.api_request", None, None),
        ("api_request", "user_prompt", None),
        ("", "claude_code.api_request", "claude_code.user_prompt"),
        ("src/main.ts:7", "api_request", None),
        ("", None, "claude_code.api_request"),
        ("", None, "api_request"),
        ("", 5, "claude_code.api_request"),
    ],
)
def test_where_the_name_of_an_event_is(event_name: str, named: object, body: object) -> None:
    """A known name of the record, of its attribute or in its body, in this order, with the emitter's prefix or without."""
    attributes = {**API_REQUEST, "event.name": named}
    facts = facts_of(attributes, event_name=event_name, body=body)
    assert (facts.event, facts.name, facts.kind) == ("claude_code.api_request", "claude_code.api_request", "llm")


@pytest.mark.parametrize("name", [one.prefix + name for one in (*EMITTERS, OPENTELEMETRY) for name in one.events])
def test_a_full_name_is_known_in_every_scope(name: str) -> None:
    """A record whose scope and service were lost on its way tells of the same event."""
    facts = facts_of({"session.id": "s", "event.name": name}, "somewhere")
    assert facts.event == name


def test_a_name_without_its_prefix_needs_its_emitter() -> None:
    """`api_request` of any program is nothing."""
    assert of_record(API_REQUEST, "app") is None
    assert facts_of(API_REQUEST, "app", service="claude-code").event == "claude_code.api_request"


@pytest.mark.parametrize(
    ("named", "body", "event"),
    [
        ("of_next_year", None, "claude_code.of_next_year"),
        ("claude_code.of_next_year", None, "claude_code.of_next_year"),
        ("gen_ai.evaluation.result", None, "gen_ai.evaluation.result"),
        (None, "claude_code.of_next_year", "claude_code.of_next_year"),
        (None, "something happened", "claude_code.record"),
        ("two words", ["no name"], "claude_code.record"),
        ("x" * 500, None, "claude_code.record"),
    ],
)
def test_an_unknown_event_is_an_activity(named: object, body: object, event: str) -> None:
    """Its tokens are not a call, since it may repeat those of one."""
    facts = facts_of({**API_REQUEST, "event.name": named}, body=body)
    assert (facts.event, facts.kind, facts.call, facts.failed) == (event, "other", None, False)


def test_a_record_without_trace_and_session_is_none() -> None:
    """It belongs nowhere. A trace, a session of its own or of its resource, or another session key is enough."""
    lost = {"event.name": "api_request", "model": "claude-opus-4-8"}
    assert of_record(lost) is None
    assert of_record({**lost, "session.id": ""}) is None
    assert facts_of(lost, trace_id=7, span_id=9).parent_id == 9
    assert facts_of(lost, session_id="r").rank == OF_RESOURCE
    assert facts_of({**lost, "session.key.ticket": "t"}).values == (("ticket", "t"),)


def test_a_line_of_a_log_needs_a_session_of_its_own() -> None:
    """A record without a name of an event is an activity only of the session that it names."""
    assert of_record({}, trace_id=7, session_id="r", body="Ready.") is None
    assert facts_of({"session.id": "s"}, trace_id=7, body="Ready.").event == "claude_code.record"


@pytest.mark.parametrize("body", [None, "hello", 5, ["claude_code.api_request"], {"a": 1}, "x" * 10_000])
def test_other_records_are_none(body: object) -> None:
    """What an app logs in a session is no event."""
    assert of_record({"session.id": "s", "model": "gpt-4o"}, "app", body=body, trace_id=7, service="shop") is None


@pytest.mark.parametrize(
    "source",
    ["repl_main_thread", "compact", "away_summary", "prompt_suggestion", "sdk", "main", "agent:", "", None, 5, ["a"]],
)
def test_helpers_are_the_main_agent(source: object) -> None:
    """Only a sub-agent is an agent of its own."""
    assert facts_of({**API_REQUEST, "query_source": source}).agent is None


@pytest.mark.parametrize(
    ("source", "agent"),
    [
        ("agent:builtin:Explore", "Explore"),
        ("agent:custom:a:b", "a:b"),
        ("code-reviewer", "code-reviewer"),
        ("agent:x", "x"),
    ],
)
def test_sub_agents_by_their_source(source: str, agent: str) -> None:
    """What asked for a call names a sub-agent, with a prefix or without."""
    assert facts_of({**API_REQUEST, "query_source": source}).agent == agent


def test_a_main_agent_with_the_id_of_its_session() -> None:
    """It is no sub-agent."""
    assert facts_of({**API_REQUEST, "agent_id": "s"}).agent is None
    assert facts_of({**API_REQUEST, "agent_id": "a77f"}).agent == "a77f"


@pytest.mark.parametrize("count", ["-5", -5, 1e300, math.nan, [5], True, {"a": 1}, "many", 10**40])
def test_a_count_that_makes_no_sense_is_unknown(count: object) -> None:
    """The call stays, without usage or cost."""
    absurd = {**API_REQUEST, "input_tokens": count, "output_tokens": count, "cost_usd": [], "cost_usd_micros": count}
    call = facts_of({**absurd, "ttft_ms": count}).call
    assert call is not None
    assert (call.usage, call.reported, call.time_to_first_token, call.model) == (None, None, None, "claude-opus-4-8")


def test_the_cost_in_dollars_before_the_one_in_millionths() -> None:
    """The millionths are rounded; without the other they are the cost."""
    both = facts_of({**API_REQUEST, "cost_usd_micros": 53_940, "cost_usd": 0.0539395}).call
    assert both is not None
    assert isinstance(both.reported, Cost)
    assert (str(both.reported.total), both.reported.source) == ("0.0539395", "reported:cost_usd")
    one = facts_of({**API_REQUEST, "cost_usd_micros": "53940", "cost_usd": "?"}).call
    assert one is not None
    assert one.reported is not None
    assert (one.reported.total, one.reported.source) == (Decimal("0.05394"), "reported:cost_usd_micros")
    tiny = facts_of({**API_REQUEST, "cost_usd_micros": "0." + "0" * 33 + "1"}).call
    assert tiny is not None
    assert tiny.reported is None


@pytest.mark.parametrize("status", [429, "500", 400])
def test_a_request_that_failed_by_its_status(status: object) -> None:
    """A status tells where no word and no flag does."""
    attributes = {"event.name": "codex.api_request", "conversation.id": "t", "http.response.status_code": status}
    facts = facts_of(attributes, "codex_otel.log_only")
    assert (facts.kind, facts.failed) == ("llm", True)
    assert facts.call is not None
    assert facts.call.usage is None
    assert facts_of({**attributes, "success": "perhaps"}, "codex_otel.log_only").failed
    ended = facts_of({**attributes, "success": "true"}, "codex_otel.log_only")
    assert (ended.kind, ended.failed, ended.call) == ("other", False, None)


@pytest.mark.parametrize("kind", [["response.completed"], 5, None])
def test_the_kind_of_an_event_may_be_anything(kind: object) -> None:
    """Only the texts that mean the end of an answer make a call of it."""
    attributes = {"event.name": "codex.sse_event", "conversation.id": "t", "event.kind": kind}
    assert facts_of(attributes, "codex_otel.log_only").call is None


def test_an_inference_event_of_an_agent_is_no_call() -> None:
    """Its usage is the sum of calls that have events of their own."""
    attributes = {"gen_ai.operation.name": "invoke_agent", "session.id": "s", "gen_ai.usage.input_tokens": 5}
    facts = facts_of(attributes, "app", event_name="gen_ai.client.inference.operation.details")
    assert (facts.kind, facts.call) == ("agent", None)


@pytest.mark.parametrize("previous", ["", 5, None, "x" * 10_000])
def test_a_session_before_this_one_that_is_no_id(previous: object) -> None:
    """A value that the rules refuse is left out, like the id of any session."""
    facts = facts_of({"session.id": "s", "session.previous_id": previous}, "app", event_name="session.start")
    assert dict(facts.labels.metadata) == ({"previous_id": "5"} if previous == 5 else {})


@settings(deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(
            [
                *anything.NAMES,
                *API_REQUEST,
                "event.timestamp",
                "duration_ms",
                "event.kind",
                "success",
                "error",
                "status_code",
                "query_source",
                "agent_id",
                "prompt.id",
                "ttft_ms",
                "cost_usd_micros",
                "session.previous_id",
            ]
        ),
        anything.values,
        max_size=8,
    ),
    st.sampled_from(["codex.sse_event", "api_request", "session.start", "tool_result", "?", ""]),
    anything.values,
    st.sampled_from(["app", CLAUDE_CODE, "codex_otel.log_only"]),
    st.randoms(use_true_random=False),
)
def test_no_record_raises(attributes: dict[str, Any], event_name: str, body: Any, scope: str, random: Any) -> None:
    """Any attributes and any body give facts or none; times are in order, and the order of attributes does not matter."""
    facts = of_record(attributes, scope, event_name=event_name, body=body, trace_id=1)
    names = list(attributes)
    random.shuffle(names)
    shuffled = of_record(
        {name: attributes[name] for name in names}, scope, event_name=event_name, body=body, trace_id=1
    )
    if facts is None:
        assert shuffled is None
    else:
        assert shuffled is not None
        assert shuffled.span_id == facts.span_id
        assert 0 <= facts.start <= facts.end == AT or "event.timestamp" in attributes
        assert facts.event


class Odd:
    """A value of no type that OTLP has."""


@pytest.mark.parametrize(
    "odd",
    [
        10**5_000,
        {"a": 10**5_000, 5: "b", "c": [b"\x00", (1, 2.5), range(2), None, True]},
        {"a": {"b": MappingProxyType({"c": Odd()})}, 5: 10**5_000},
        Odd(),
        b"\x00",
        range(3),
        MappingProxyType({"a": 1}),
    ],
    ids=["a huge number", "a map", "maps", "an object", "bytes", "a range", "a mapping"],
)
def test_values_that_json_cannot_express_have_an_id(odd: object) -> None:
    """They are read in a form that it can, the same each time."""
    one, other = (facts_of({**API_REQUEST, "odd": odd}).span_id for _ in range(2))
    assert one == other != facts_of(API_REQUEST).span_id


def test_a_value_without_an_end_has_an_id() -> None:
    """Only its upper levels count."""
    endless: list[Any] = []
    endless.append(endless)
    assert facts_of({**API_REQUEST, "endless": endless}).span_id
