"""OTLP/JSON is read as the same request in protobuf is."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.server.otlp.building import AT, TRACE_ID, as_json, log_requests, row, span_requests, traces
from tests.server.otlp.decoding import decode_logs, decode_spans

from otel_sessions.server.otlp.encodings import Format
from otel_sessions.server.otlp.errors import MalformedError, TooLargeError
from otel_sessions.server.otlp.json_requests import MAX_BODY, MOST_OBJECTS, traces_from_json
from otel_sessions.server.otlp.limits import RecordBudget
from otel_sessions.server.otlp.messages import messages
from otel_sessions.server.otlp.values import attributes_from_text, decode, split

TRACE = TRACE_ID.hex()
SPAN = "00000000000000aa"


@settings(deadline=None)
@given(span_requests())
def test_spans_like_protobuf(request: Any) -> None:
    """The same request in JSON and in protobuf gives the same batch and refuses the same spans."""
    expected, expected_rejected = decode_spans(request.SerializeToString())
    batch, rejected = decode_spans(as_json(request), Format.JSON)
    assert batch.rows == expected.rows
    assert repr(batch.facts) == repr(expected.facts)
    assert batch.trace_ids == expected.trace_ids
    assert rejected.counts == expected_rejected.counts


@settings(deadline=None)
@given(log_requests())
def test_logs_like_protobuf(request: Any) -> None:
    """The same log records in JSON and in protobuf give the same batch."""
    expected, _ = decode_logs(request.SerializeToString())
    batch, _ = decode_logs(as_json(request), Format.JSON)
    assert repr(batch.columns) == repr(expected.columns)


def _body(*spans: Any) -> bytes:
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": list(spans)}]}]}).encode()


def _row(**span: Any) -> dict[str, Any]:
    batch, rejected = decode_spans(_body({"traceId": TRACE, "spanId": SPAN, **span}), Format.JSON)
    assert rejected.total == 0
    return row(batch)


def _attribute(**value: Any) -> Any:
    found = _row(attributes=[{"key": "k", "value": value}])
    return attributes_from_text(found["SpanAttributes"].items(), found["SpanAttributeTypes"])["k"]


def _message(body: bytes) -> str:
    with pytest.raises(MalformedError) as raised:
        decode_spans(body, Format.JSON)
    return str(raised.value)


def _left_out(span: Any) -> str:
    """What is said of a span that is left out, after one that is taken."""
    batch, rejected = decode_spans(_body({"traceId": TRACE, "spanId": SPAN}, span), Format.JSON)
    assert (len(batch), dict(rejected.counts)) == (1, {"wrong_member": 1})
    return rejected.message.removeprefix("1 rejected: a member does not fit its field; ")


def test_ids_in_any_case() -> None:
    """Ids in upper, lower or mixed case are the same ids, stored in lower case."""
    assert (
        _row(traceId=TRACE.upper(), spanId="00000000000000aA", parentSpanId="00000000000000Bb").items()
        >= {
            "TraceId": TRACE,
            "SpanId": SPAN,
            "ParentSpanId": "00000000000000bb",
        }.items()
    )


@pytest.mark.parametrize("wrong", ["W47/95gDgQPSabYzgT/GDA==", "0" * 32, "ab" * 15, "a" * 31, "xy" * 16, ""])
def test_invalid_ids(wrong: str) -> None:
    """A span whose id is base64, zero, too short or not hexadecimal is left out, and no other."""
    batch, rejected = decode_spans(_body({"traceId": TRACE, "spanId": SPAN}, {"traceId": wrong}), Format.JSON)
    assert len(batch) == 1
    assert rejected.counts == {"invalid_trace_id": 1}
    assert "32 hex digits" in rejected.message


@pytest.mark.parametrize("written", [str(AT), AT, float(2**60)])
def test_integers(written: Any) -> None:
    """64-bit integers are read from strings and from numbers."""
    assert _row(startTimeUnixNano=written)["StartTimeUnixNano"] == int(written)
    assert _attribute(intValue=written) == int(written)


@pytest.mark.parametrize("written", [3, "SPAN_KIND_CLIENT"])
def test_enums(written: Any) -> None:
    """Enums are read from numbers and from names."""
    assert _row(kind=written)["SpanKind"] == "Client"


@pytest.mark.parametrize(
    ("written", "expected"),
    [(1, 1.0), (1.5, 1.5), ("2.5", 2.5), ("NaN", math.nan), ("-Infinity", -math.inf), (-0.0, -0.0)],
)
def test_doubles(written: Any, expected: float) -> None:
    """Doubles are read from numbers, and from strings where JSON has no number for them."""
    assert repr(_attribute(doubleValue=written)) == repr(expected)


@pytest.mark.parametrize("written", ["+/8=", "-_8=", "-_8"])
def test_base64(written: str) -> None:
    """Bytes are read from base64 of either alphabet, padded or not."""
    assert _attribute(bytesValue=written) == b"\xfb\xff"


def test_what_is_ignored() -> None:
    """Members that OTLP does not have, and those that are null, change nothing."""
    assert _row(name="n", status=None, attributes=None, new={"deep": [1]}, trace_id="ignored")["SpanName"] == "n"
    assert _attribute(stringValue=None) is None


def test_text() -> None:
    """Text of any plane is kept; halves of surrogate pairs and bytes that are not UTF-8 become U+FFFD."""
    assert _row(name="é😀")["SpanName"] == "é😀"
    assert _row(name="a\ud800b")["SpanName"] == "a\ufffdb"
    body = _body({"traceId": TRACE, "spanId": SPAN, "name": "zz"}).replace(b"zz", b"z\xff")
    assert row(decode_spans(b"\xef\xbb\xbf" + body, Format.JSON)[0])["SpanName"] == "z\ufffd"


@pytest.mark.parametrize(
    ("span", "message"),
    [
        (5, "resourceSpans[0].scopeSpans[0].spans[1]: an object expected, not a number"),
        (None, "resourceSpans[0].scopeSpans[0].spans[1]: an object expected, not null"),
        ({"name": 5}, "resourceSpans[0].scopeSpans[0].spans[1].name: a string expected, not a number"),
        ({"traceId": 5}, "resourceSpans[0].scopeSpans[0].spans[1].traceId: a string expected, not a number"),
        ({"events": {}}, "resourceSpans[0].scopeSpans[0].spans[1].events: an array expected, not an object"),
        ({"kind": []}, "resourceSpans[0].scopeSpans[0].spans[1].kind: an integer expected, not an array"),
        ({"flags": True}, "resourceSpans[0].scopeSpans[0].spans[1].flags: an integer expected, not true"),
        ({"flags": 1.5}, "resourceSpans[0].scopeSpans[0].spans[1].flags: an integer expected, not this number"),
        ({"flags": "0x1"}, "resourceSpans[0].scopeSpans[0].spans[1].flags: an integer expected, not this string"),
        ({"flags": -1}, "resourceSpans[0].scopeSpans[0].spans[1].flags: an integer from 0 to 4294967295 expected"),
    ],
)
def test_wrong_shape(span: Any, message: str) -> None:
    """A span with a member of another type than its field is left out, and the message tells its path and the expected type."""
    assert _left_out(span) == message


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"boolValue": 1}, "boolValue: true or false expected, not a number"),
        ({"doubleValue": "x"}, "doubleValue: a number expected, not this string"),
        ({"doubleValue": False}, "doubleValue: a number expected, not false"),
        ({"doubleValue": 10**400}, "doubleValue: a number expected, not a number"),
        ({"intValue": math.inf}, "intValue: an integer expected, not a number that is not finite"),
        ({"intValue": "9" * 21}, "intValue: an integer expected, not this string"),
        ({"intValue": str(2**63)}, f"intValue: an integer from {-(2**63)} to {2**63 - 1} expected"),
        ({"bytesValue": "a b"}, "bytesValue: base64 expected"),
        ({"arrayValue": {"values": [{}, 1]}}, "arrayValue.values[1]: an object expected, not a number"),
    ],
)
def test_wrong_value(value: Any, message: str) -> None:
    """A span with an attribute value of another type than its name tells is left out, and the message tells its path."""
    said = _left_out({"attributes": [{"key": "k", "value": value}]})
    assert said == f"resourceSpans[0].scopeSpans[0].spans[1].attributes[0].value.{message}"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "not valid JSON: "),
        (b"{", "not valid JSON: "),
        (b'{"resourceSpans": {}}', "resourceSpans: an array expected, not an object"),
        (b"[]", "the body: an object expected, not an array"),
        (b"[" * 1_000_000, "the JSON is nested too deeply"),
    ],
)
def test_invalid_json(body: bytes, message: str) -> None:
    """A body that is not a JSON object is refused."""
    assert _message(body).startswith(message)


def test_too_much() -> None:
    """JSON over its own limit is refused before it is read."""
    with pytest.raises(TooLargeError, match="at most 16777216"):
        decode_spans(b" " * (MAX_BODY - 1) + b"{}", Format.JSON)
    assert len(decode_spans(b" " * (MAX_BODY - 2) + b"{}", Format.JSON)[0]) == 0


def _nested(levels: int) -> Any:
    value: Any = {"stringValue": "leaf"}
    for level in range(levels - 1):
        inner = {"kvlistValue": {"values": [{"key": "k", "value": value}]}}
        value = inner if level % 2 else {"arrayValue": {"values": [value]}}
    return value


@pytest.mark.parametrize("levels", [65, 66, 200])
def test_nesting(levels: int) -> None:
    """A span with a value of more than 64 levels is left out, and no other, as in protobuf."""
    assert _attribute(**_nested(64))
    spans = [{"traceId": TRACE, "spanId": SPAN, "attributes": [{"key": "k", "value": _nested(levels)}]}, {}]
    spans[1] = {"traceId": TRACE, "spanId": SPAN}
    batch, rejected = decode_spans(_body(*spans), Format.JSON)
    assert len(batch) == 1
    assert rejected.counts == {"too_deep": 1}


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["resourceSpans", "scopeSpans", "spans", "attributes", "key", "value", "arrayValue"]),
            inner,
            max_size=3,
        )
    ),
)


@settings(deadline=None)
@given(_json)
def test_any_json(said: Any) -> None:
    """Any JSON is taken or refused; it raises no other error."""
    body = json.dumps(said).encode()
    for read in (decode_spans, decode_logs):
        try:
            read(body, Format.JSON)
        except MalformedError as error:
            assert str(error)  # noqa: PT017


def test_same_as_official_example() -> None:
    """A request in the form that the specification shows is read."""
    request = traces({"parent_span_id": b"\xee" * 8, "kind": 2})
    assert row(decode_spans(as_json(request), Format.JSON)[0])["SpanKind"] == "Server"


def test_json_of_too_many_objects() -> None:
    """Objects are counted before they are read; a body with as many as real attributes need is taken."""

    def said(count: int) -> bytes:
        value = {"arrayValue": {"values": [dict[str, object]()] * count}}
        span = {"traceId": "0a" * 16, "spanId": "0a" * 8, "attributes": [{"key": "k", "value": value}]}
        return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}).encode()

    with pytest.raises(TooLargeError, match="braces"):
        decode_spans(said(MOST_OBJECTS), Format.JSON)
    batch, _ = decode_spans(said(1000), Format.JSON)
    assert len(batch) == 1


def test_a_negative_zero() -> None:
    """A negative zero, which the Collector writes as the whole number `-0`, keeps its sign in a double."""
    for kind, expected in (("doubleValue", "-0.0"), ("intValue", "0")):
        attribute = {"key": "k", "value": {kind: 0}}
        body = json.dumps({"resourceSpans": [{"resource": {"attributes": [attribute]}}]}).replace("0", "-0")
        assert repr(_first_value(body)) == expected


@pytest.mark.parametrize("written", ["1e20", "9223372036854775808", "-1.7976931348623157e308", "100000000000000000000"])
def test_whole_numbers_beyond_64_bits(written: str) -> None:
    """A whole number beyond 64 bits, which JavaScript's exporter calls an integer too, is read as a double."""
    said = json.dumps({"resourceSpans": [{"resource": {"attributes": [{"key": "k", "value": {"intValue": 0}}]}}]})
    body = said.replace("0", written)
    assert _first_value(body) == float(written)


def _first_value(body: str) -> Any:
    """The value of the first attribute of the first resource."""
    value = traces_from_json(body.encode())[0].resource_spans[0]
    resource = messages().resource.FromString(messages().traces.resource_group.FromString(value).resource)
    return decode(split(resource.attributes[0])[1], RecordBudget())
