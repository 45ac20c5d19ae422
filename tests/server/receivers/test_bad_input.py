"""Any input over either protocol is refused with a clear status or stored as it came, and the next request is taken."""

from __future__ import annotations

import gzip
import json
import zlib
from typing import Any

import grpc  # type: ignore[import-untyped]
import pytest
from backports import zstd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from tests.server.otlp.building import AT, field, span_requests, traces
from tests.server.receivers.serving import JSON, PROTOBUF, TRACE_EXPORT, Server

from otel_sessions.server.otlp.encodings import DEFAULT_SIZE_LIMITS
from otel_sessions.server.otlp.values import attributes_from_text

GRPC = "application/grpc"
REFUSED = {grpc.StatusCode.INVALID_ARGUMENT: 400, grpc.StatusCode.RESOURCE_EXHAUSTED: 413}
HOSTILE = "\0'; DROP TABLE otel_traces; --<script>alert(1)</script>\"\\ ../../etc a/b?c#d%20\u202e"

many = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


def send(server: Server, body: bytes, protocol: str = PROTOBUF, path: str = "traces") -> tuple[int, bytes]:
    """Send a body in one of three ways; the HTTP status, or the one like that of gRPC, and the body of the response."""
    if protocol != GRPC:
        answer = server.post(f"/v1/{path}", body, protocol)
        return answer.status_code, answer.content
    try:
        return 200, server.call(body, TRACE_EXPORT)
    except grpc.RpcError as error:
        return REFUSED[error.code()], b""


def rejected(answer: tuple[int, bytes]) -> int:
    """The number of spans that were left out of a request that was taken."""
    status, body = answer
    assert status == 200
    count: int = ExportTraceServiceResponse.FromString(body).partial_success.rejected_spans
    return count


both = pytest.mark.parametrize("protocol", [PROTOBUF, GRPC])


@many
@given(st.binary(max_size=200), st.sampled_from([PROTOBUF, JSON, GRPC]))
def test_random_bytes(shared: Server, body: bytes, protocol: str) -> None:
    """Any body is taken or refused, and causes no error of the server."""
    assert send(shared, body, protocol)[0] in {200, 400}


@many
@given(st.binary(max_size=200), st.sampled_from([PROTOBUF, JSON]))
def test_random_log_records(shared: Server, body: bytes, protocol: str) -> None:
    """Any body of log records is taken or refused, and causes no error of the server."""
    assert send(shared, body, protocol, "logs")[0] in {200, 400}


@many
@given(st.binary(max_size=100), st.sampled_from(["gzip", "deflate", "zstd", "identity", "br", "gzip, gzip", ""]))
def test_random_compressed_bytes(shared: Server, body: bytes, encoding: str) -> None:
    """Broken compression is refused as an error of the client."""
    answer = shared.post("/v1/traces", body, content_encoding=encoding)
    assert answer.status_code in {200, 400, 415}


@many
@given(st.text(st.characters(max_codepoint=255, exclude_categories=["Cc"]), max_size=40))
def test_random_content_types(shared: Server, content_type: str) -> None:
    """An invalid content type is refused as an error of the client."""
    content_type = content_type.strip()
    answer = shared.post("/v1/traces", b"", content_type.encode("latin-1"))  # type: ignore[arg-type]
    assert answer.status_code == 415


@many
@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "resourceSpans",
                        "scopeSpans",
                        "spans",
                        "attributes",
                        "key",
                        "value",
                        "arrayValue",
                        "values",
                        "traceId",
                    ]
                ),
                inner,
            )
        ),
    )
)
def test_random_json(shared: Server, said: Any) -> None:
    """JSON of any shape is taken or refused, and causes no error of the server."""
    assert send(shared, json.dumps(said).encode(), JSON)[0] in {200, 400}


@many
@given(span_requests(), st.data())
def test_truncated_requests(shared: Server, request: Any, data: st.DataObject) -> None:
    """A request that ends early is refused, or its whole spans are taken."""
    body = request.SerializeToString()
    size = data.draw(st.integers(0, len(body)))
    protocol = data.draw(st.sampled_from([PROTOBUF, GRPC]))
    assert send(shared, body[:size], protocol)[0] in {200, 400}


@both
def test_a_truncated_request_between_good_ones(shared: Server, protocol: str) -> None:
    """A truncated request is refused, and those before and after it are taken."""
    trace_id = protocol.encode()[-16:].rjust(16, b"-")
    first, broken, last = (
        traces({"trace_id": trace_id, "span_id": bytes([number] * 8)}).SerializeToString() for number in (1, 2, 3)
    )
    statuses = [send(shared, body, protocol)[0] for body in (first, broken[:-3], last)]
    assert statuses == [200, 400, 200]
    assert [row["SpanId"] for row in shared.spans(trace_id)] == ["01" * 8, "03" * 8]


@both
def test_invalid_ids(shared: Server, protocol: str) -> None:
    """Spans with zero ids, and ids of another size, are left out and counted; the span beside them is taken."""
    trace_id = (b"ids" + protocol.encode()[-13:]).rjust(16, b"-")
    wrong: list[dict[str, Any]] = [
        {"trace_id": bytes(16)},
        {"trace_id": b"x" * 15},
        {"trace_id": b"x" * 17},
        {"trace_id": b""},
        {"span_id": bytes(8)},
        {"span_id": b"x" * 7},
    ]
    body = traces({"trace_id": trace_id, "span_id": b"s" * 8}, *wrong).SerializeToString()
    assert rejected(send(shared, body, protocol)) == len(wrong)
    assert len(shared.spans(trace_id)) == 1


def test_ids_in_upper_case(shared: Server) -> None:
    """An id in upper case and one in lower case are the same in JSON."""
    for trace_id in ("ABCDEF" + "0" * 26, "abcdef" + "0" * 26):
        span = {"traceId": trace_id, "spanId": "AB" * 8, "startTimeUnixNano": str(AT)}
        said = {"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}
        assert send(shared, json.dumps(said).encode(), JSON)[0] == 200
    assert len(shared.spans("abcdef" + "0" * 26)) == 1


@pytest.mark.parametrize("size", [DEFAULT_SIZE_LIMITS.decompressed + 1, 1 << 28])
@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_a_bomb(shared: Server, size: int, encoding: str) -> None:
    """A small body that decompresses to very many bytes is refused; the next request is taken."""
    block = bytes(1 << 20)
    packer: Any = zlib.compressobj(wbits=31) if encoding == "gzip" else zstd.ZstdCompressor()
    bomb = b"".join(packer.compress(block) for _ in range(size >> 20)) + packer.compress(b"\0") + packer.flush()
    answer = shared.post("/v1/traces", bomb, content_encoding=encoding)
    assert answer.status_code == 413
    assert shared.post("/v1/traces", b"").status_code == 200


def test_a_bomb_over_grpc(shared: Server) -> None:
    """A message over gRPC is decompressed no further than to the limit."""
    error = shared.refusal(bytes(DEFAULT_SIZE_LIMITS.decompressed + 1), compression=grpc.Compression.Gzip)
    assert error.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert shared.call(b"") == b""


@both
def test_text_that_is_no_utf_8(shared: Server, protocol: str) -> None:
    """Text that is not UTF-8 is stored with U+FFFD, in names, keys and values alike."""
    trace_id = (b"utf" + protocol.encode()[-13:]).rjust(16, b"-")
    broken = b"a\xff\xc3"
    attribute = field(9, field(1, broken) + field(2, field(1, broken)))
    span = field(1, trace_id) + field(2, b"s" * 8) + field(5, broken) + attribute
    assert send(shared, field(1, field(2, field(2, span))), protocol)[0] == 200
    (row,) = shared.spans(trace_id)
    repaired = "a\ufffd\ufffd"
    assert (row["SpanName"], row["SpanAttributes"]) == (repaired, {repaired: repaired})


@both
def test_hostile_text_everywhere(shared: Server, protocol: str) -> None:
    """SQL, HTML, paths and control characters are stored like any other text."""
    trace_id = (b"sql" + protocol.encode()[-13:]).rjust(16, b"-")
    request = traces(
        {
            "trace_id": trace_id,
            "name": HOSTILE,
            "trace_state": HOSTILE,
            "attributes": {HOSTILE: HOSTILE, "session.id": HOSTILE},
            "status": {"message": HOSTILE},
            "events": [{"name": HOSTILE}],
            "links": [{"trace_state": HOSTILE}],
        },
        attributes={"service.name": HOSTILE},
    )
    scope = request.resource_spans[0].scope_spans[0]
    scope.scope.name = scope.scope.version = scope.schema_url = HOSTILE
    assert send(shared, request.SerializeToString(), protocol)[0] == 200
    (row,) = shared.spans(trace_id)
    texts = ("SpanName", "TraceState", "StatusMessage", "ServiceName", "ScopeName", "ScopeVersion", "ScopeSchemaUrl")
    assert {row[name] for name in texts} == {HOSTILE}
    assert row["SpanAttributes"] == {HOSTILE: HOSTILE, "session.id": HOSTILE}
    assert (row["Events.Name"], row["Links.TraceState"]) == ([HOSTILE], [HOSTILE])


@both
def test_ten_thousand_attributes(shared: Server, protocol: str) -> None:
    """Ten thousand attributes of a span are stored, with their types."""
    trace_id = (b"10k" + protocol.encode()[-13:]).rjust(16, b"-")
    attributes = {f"attribute {number}": number for number in range(10_000)}
    body = traces({"trace_id": trace_id, "attributes": attributes}).SerializeToString()
    assert send(shared, body, protocol)[0] == 200
    (row,) = shared.spans(trace_id)
    assert attributes_from_text(row["SpanAttributes"].items(), row["SpanAttributeTypes"]) == attributes


@both
def test_an_attribute_of_five_megabytes(shared: Server, protocol: str) -> None:
    """An attribute of five megabytes is stored whole."""
    trace_id = (b"5mb" + protocol.encode()[-13:]).rjust(16, b"-")
    text = "ü" * (5 << 19)
    body = traces({"trace_id": trace_id, "attributes": {"text": text}}).SerializeToString()
    assert send(shared, body, protocol)[0] == 200
    (row,) = shared.spans(trace_id)
    assert row["SpanAttributes"] == {"text": text}


def test_a_hundred_thousand_spans_in_one_request(shared: Server) -> None:
    """A compressed request of a hundred thousand spans is taken."""
    trace_id = b"100k spans.....x"
    spans = b"".join(
        field(2, field(1, trace_id) + field(2, number.to_bytes(8)) + field(5, b"span")) for number in range(1, 100_001)
    )
    body = gzip.compress(field(1, field(2, spans)), 1)
    answer = shared.post("/v1/traces", body, content_encoding="gzip")
    assert (answer.status_code, answer.content) == (200, b"")
    shared.backend.settle()
    with shared.backend.store.reading() as client:
        counted = client.query(f"SELECT count() FROM otel_traces WHERE TraceId = '{trace_id.hex()}'").result_rows
    assert counted == [(100_000,)]


@both
def test_impossible_times(shared: Server, protocol: str) -> None:
    """An end before the start, times in 1970 and times after 2262 are stored as they came."""
    trace_id = (b"at " + protocol.encode()[-13:]).rjust(16, b"-")
    times = [(AT + 5, AT), (1, 2), (2**64 - 1, 2**64 - 1), (0, 0)]
    spans = [{"trace_id": trace_id, "start_time_unix_nano": start, "end_time_unix_nano": end} for start, end in times]
    assert send(shared, traces(*spans).SerializeToString(), protocol)[0] == 200
    assert [(row["StartTimeUnixNano"], row["EndTimeUnixNano"]) for row in shared.spans(trace_id)] == times
