"""Spans as rows and as facts."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Link, SpanContext, SpanKind, StatusCode, TraceFlags
from tests.server.otlp.building import (
    AT,
    BROKEN,
    SPAN_ID,
    TRACE_ID,
    any_value,
    decoded,
    field,
    nested,
    plain,
    row,
    span_requests,
    traces,
)
from tests.server.otlp.decoding import decode_spans
from tests.server.otlp.rows import columns

from otel_sessions import SessionExporter, SessionSpanProcessor, TraceRollup, propagate_sessions
from otel_sessions.counting.trace import roll_up
from otel_sessions.server.otlp.values import attributes_from_text, from_text

LAST = 2**32 * 10**9 - 1
KINDS = ["Unspecified", "Internal", "Server", "Client", "Producer", "Consumer"]


def _is_taken(span: Any) -> bool:
    return len(span.trace_id) == 16 and any(span.trace_id) and len(span.span_id) == 8 and any(span.span_id)


@settings(deadline=None)
@given(span_requests())
def test_everything_reads_back(request: Any) -> None:
    """Everything that the official classes hold of a span with valid ids can be read from its row; others are counted."""
    batch, rejected = decode_spans(request.SerializeToString())
    sent = [
        (resource_spans, scope_spans, span)
        for resource_spans in request.resource_spans
        for scope_spans in resource_spans.scope_spans
        for span in scope_spans.spans
    ]
    taken = [one for one in sent if _is_taken(one[2])]
    assert rejected.total == len(sent) - len(taken)
    assert len(batch) == len(taken)
    for index, (resource_spans, scope_spans, span) in enumerate(taken):
        _check(row(batch, index), resource_spans, scope_spans, span)
        assert batch.trace_ids[index] == int.from_bytes(span.trace_id)
        assert batch.facts[index].span_id == int.from_bytes(span.span_id)


def _check(found: dict[str, Any], resource_spans: Any, scope_spans: Any, span: Any) -> None:
    def attributes(texts: str, types: str) -> str:
        return repr(attributes_from_text(found[texts].items(), found[types]))

    assert found["TraceId"] == span.trace_id.hex()
    assert found["SpanId"] == span.span_id.hex()
    assert found["ParentSpanId"] == (span.parent_span_id.hex() if span.parent_span_id != bytes(8) else "")
    assert found["TraceState"] == span.trace_state
    assert found["SpanName"] == span.name
    assert found["SpanKind"] == KINDS[span.kind]
    assert found["StatusCode"] == ["Unset", "Ok", "Error"][span.status.code]
    assert found["StatusMessage"] == span.status.message
    assert found["StartTimeUnixNano"] == span.start_time_unix_nano
    assert found["EndTimeUnixNano"] == span.end_time_unix_nano
    assert found["Timestamp"] == min(span.start_time_unix_nano or span.end_time_unix_nano, LAST)
    assert found["Flags"] == span.flags
    assert found["DroppedAttributesCount"] == span.dropped_attributes_count
    assert found["DroppedEventsCount"] == span.dropped_events_count
    assert found["DroppedLinksCount"] == span.dropped_links_count
    assert attributes("SpanAttributes", "SpanAttributeTypes") == repr(plain(span.attributes))
    resource = resource_spans.resource
    assert attributes("ResourceAttributes", "ResourceAttributeTypes") == repr(plain(resource.attributes))
    assert found["ResourceDroppedAttributesCount"] == resource.dropped_attributes_count
    assert found["ResourceSchemaUrl"] == resource_spans.schema_url
    assert found["ScopeName"] == scope_spans.scope.name
    assert found["ScopeVersion"] == scope_spans.scope.version
    assert attributes("ScopeAttributes", "ScopeAttributeTypes") == repr(plain(scope_spans.scope.attributes))
    assert found["ScopeDroppedAttributesCount"] == scope_spans.scope.dropped_attributes_count
    assert found["ScopeSchemaUrl"] == scope_spans.schema_url
    extras = json.loads(found["Extras"] or "{}")
    _check_events(found, extras.get("events", {}), span.events)
    _check_links(found, extras.get("links", {}), span.links)


def _all_of(found: dict[str, Any], part: str, number: int) -> list[str]:
    types = found[f"{part}AttributeTypes"] or [{}] * number
    texts = found[f"{part}s.Attributes"]
    return [repr(attributes_from_text(one.items(), letters)) for one, letters in zip(texts, types, strict=True)]


def _check_events(found: dict[str, Any], extras: dict[str, Any], events: Any) -> None:
    assert list(found["Events.Name"]) == [event.name for event in events]
    assert _all_of(found, "Event", len(events)) == [repr(plain(event.attributes)) for event in events]
    for index, event in enumerate(events):
        extra = extras.get(str(index), {})
        assert extra.get("timeUnixNano", found["Events.Timestamp"][index]) == event.time_unix_nano
        assert found["Events.Timestamp"][index] <= 2**63 - 1
        assert extra.get("droppedAttributesCount", 0) == event.dropped_attributes_count


def _check_links(found: dict[str, Any], extras: dict[str, Any], links: Any) -> None:
    assert list(found["Links.TraceId"]) == [link.trace_id.hex() for link in links]
    assert list(found["Links.SpanId"]) == [link.span_id.hex() for link in links]
    assert list(found["Links.TraceState"]) == [link.trace_state for link in links]
    assert _all_of(found, "Link", len(links)) == [repr(plain(link.attributes)) for link in links]
    for index, link in enumerate(links):
        extra = extras.get(str(index), {})
        assert extra.get("droppedAttributesCount", 0) == link.dropped_attributes_count
        assert extra.get("flags", 0) == link.flags


@pytest.mark.parametrize(
    ("start", "end", "timestamp", "duration"),
    [
        (AT, AT + 7, AT, 7),
        (AT, AT - 7, AT, 0),
        (0, AT, AT, 0),
        (AT, 0, AT, 0),
        (0, 0, 0, 0),
        (1, 3, 1, 2),
        (2**63, 2**64 - 1, LAST, 2**63 - 1),
    ],
)
def test_times(start: int, end: int, timestamp: int, duration: int) -> None:
    """Times that are absent, of 1970, past 2262 or in reverse are stored as closely as the columns can hold them."""
    batch = decoded(traces({"start_time_unix_nano": start, "end_time_unix_nano": end}))
    found = row(batch)
    assert (found["Timestamp"], found["Duration"]) == (timestamp, duration)
    assert (found["StartTimeUnixNano"], found["EndTimeUnixNano"]) == (start, end)
    facts = batch.facts[0]
    assert facts.start == (start or end)
    assert facts.end - facts.start == duration


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("trace_id", bytes(16), "invalid_trace_id"),
        ("trace_id", b"x" * 15, "invalid_trace_id"),
        ("trace_id", b"", "invalid_trace_id"),
        ("span_id", bytes(8), "invalid_span_id"),
        ("span_id", b"x" * 9, "invalid_span_id"),
        ("span_id", b"", "invalid_span_id"),
    ],
)
def test_invalid_ids(field: str, value: bytes, reason: str) -> None:
    """A span without a valid id is left out and counted; the others are taken."""
    batch, rejected = decode_spans(traces({"name": "a"}, {field: value}, {"name": "b"}).SerializeToString())
    assert columns(batch)["SpanName"] == ["a", "b"]
    assert rejected.counts == {reason: 1}
    assert rejected.message.startswith("1 rejected: the ")


@pytest.mark.parametrize(
    ("part", "reason"),
    [
        (BROKEN, "malformed"),
        (field(11, BROKEN), "malformed"),
        (field(13, BROKEN), "malformed"),
        (field(9, BROKEN), "malformed"),
        (field(9, field(2, BROKEN)), "malformed"),
        (field(11, field(3, field(2, nested(65, maps=True)))), "too_deep"),
        (field(9, field(2, nested(65))), "too_deep"),
    ],
)
def test_broken_span(part: bytes, reason: str) -> None:
    """A span is left out if a part of it cannot be read; the others are taken."""
    spans = (Span(trace_id=TRACE_ID, span_id=SPAN_ID, name=name).SerializeToString() for name in "abc")
    scope_spans = b"".join(field(2, span + part if place == 1 else span) for place, span in enumerate(spans))
    batch, rejected = decode_spans(field(1, field(2, scope_spans)))
    assert columns(batch)["SpanName"] == ["a", "c"]
    assert rejected.counts == {reason: 1}


def test_unknown_numbers() -> None:
    """A kind or status that OTLP does not have is stored as none."""
    found = row(decoded(traces({"kind": 9, "status": {"code": 7, "message": "m"}}, {"kind": -1})))
    assert (found["SpanKind"], found["StatusCode"], found["StatusMessage"]) == ("Unspecified", "Unset", "m")


def test_parents() -> None:
    """A parent id is read; a zero or invalid one makes a root, and is kept unless it is zero."""
    batch = decoded(traces({"parent_span_id": SPAN_ID}, {"parent_span_id": bytes(8)}, {"parent_span_id": b"abc"}, {}))
    assert columns(batch)["ParentSpanId"] == [SPAN_ID.hex(), "", b"abc".hex(), ""]
    assert [facts.parent_id for facts in batch.facts] == [int.from_bytes(SPAN_ID), None, None, None]


def test_many_attributes() -> None:
    """A span with 10,000 attributes is stored with all of them."""
    sent = {f"attribute {number}": number for number in range(10_000)}
    found = row(decoded(traces({"attributes": sent})))
    assert attributes_from_text(found["SpanAttributes"].items(), found["SpanAttributeTypes"]) == sent


def test_large_attribute() -> None:
    """An attribute of 5 MB is stored whole."""
    large = "é" * 2_500_000
    assert row(decoded(traces({"attributes": {"large": large}})))["SpanAttributes"] == {"large": large}


def test_duplicate_keys() -> None:
    """Of two attributes of one name the last wins, in what is stored and in what is counted."""
    request = traces({"attributes": {"session.id": "first"}})
    span = request.resource_spans[0].scope_spans[0].spans[0]
    span.attributes.add(key="session.id", value=any_value("last"))
    batch = decoded(request)
    assert row(batch)["SpanAttributes"] == {"session.id": "last"}
    assert batch.facts[0].values == (("id", "last"),)


def test_invalid_utf8() -> None:
    """Bytes that are not UTF-8, anywhere in a span, are stored with U+FFFD."""
    request = traces({"name": "zz", "attributes": {"kzz": "vzz"}, "status": {"message": "zz"}}, attributes={"zz": "zz"})
    request.resource_spans[0].schema_url = "zz"
    found = row(decode_spans(request.SerializeToString().replace(b"zz", b"z\xff"))[0])
    assert found["SpanName"] == found["StatusMessage"] == found["ResourceSchemaUrl"] == "z\ufffd"
    assert found["SpanAttributes"] == {"kz\ufffd": "vz\ufffd"}
    assert found["ResourceAttributes"] == {"z\ufffd": "z\ufffd"}


def test_like_the_session_exporter() -> None:
    """Real spans, encoded by the official exporter, give the trace groups that `SessionExporter` sees."""
    rolled_up: list[TraceRollup] = []
    memory, exporter = InMemorySpanExporter(), SessionExporter(price=None, on_trace=rolled_up.append)
    resource = Resource({"service.name": "shop", "deployment.environment.name": "test", "a.list": ["x", "y"]})
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(SessionSpanProcessor())
    provider.add_span_processor(SimpleSpanProcessor(memory))
    tracer = provider.get_tracer("app", "1.2", attributes={"scope.flag": True})
    link = Link(SpanContext(1, 2, is_remote=True, trace_flags=TraceFlags(1)), {"rank": 1})
    with (
        propagate_sessions("ticket-1", conversation_id="conv", user_id="u", tags=["a", "b"], metadata={"n": 1.5}),
        tracer.start_as_current_span("root", kind=SpanKind.SERVER, links=[link]) as root,
    ):
        root.add_event("happened", {"sizes": [1, 2], "ok": True})
        with tracer.start_as_current_span("chat", kind=SpanKind.CLIENT) as chat:
            chat.set_attribute("gen_ai.operation.name", "chat")
            chat.set_attribute("gen_ai.request.model", "gpt-4o")
            chat.set_attribute("gen_ai.usage.input_tokens", 10)
            chat.set_attribute("gen_ai.usage.output_tokens", 5)
            chat.set_attribute("gen_ai.response.finish_reasons", ["stop"])
        root.set_status(StatusCode.ERROR, "no")
    spans = memory.get_finished_spans()
    exporter.export(spans)
    exporter.shutdown()
    batch = decoded(encode_spans(spans))
    assert len(set(batch.trace_ids)) == 1
    assert rolled_up == [roll_up(batch.trace_ids[0], batch.facts, explain=True)]
    assert batch.facts[0].call is not None
    found = row(batch, 1)
    assert (found["SpanKind"], found["StatusCode"], found["StatusMessage"]) == ("Server", "Error", "no")
    assert attributes_from_text(found["ScopeAttributes"].items(), found["ScopeAttributeTypes"]) == {"scope.flag": True}
    assert from_text(found["ResourceAttributes"]["a.list"], found["ResourceAttributeTypes"]["a.list"]) == ["x", "y"]
    assert found["Events.Name"] == ["happened"]
    assert found["Links.TraceId"] == [(1).to_bytes(16).hex()]
    provider.shutdown()


def test_trace_ids() -> None:
    """The trace id of a row is lower-case hexadecimal, and the number beside it is the same."""
    batch = decoded(traces({"trace_id": TRACE_ID}))
    assert int(columns(batch)["TraceId"][0], 16) == batch.trace_ids[0] == int.from_bytes(TRACE_ID)


def test_many_names() -> None:
    """Names of spans are read also when more of them came than are remembered, and long ones."""
    names = [*(f"span {number}" for number in range(5_000)), "n" * 500]
    assert columns(decoded(traces(*({"name": name} for name in names))))["SpanName"] == names
