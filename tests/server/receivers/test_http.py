"""OTLP over HTTP: requests, responses and their formats, and limits."""

from __future__ import annotations

import gzip
import logging
import socket
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import pytest
from backports import zstd
from google.protobuf.json_format import Parse  # type: ignore[import-untyped]
from google.rpc import code_pb2, status_pb2  # type: ignore[import-untyped]
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest, ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from tests.server.otlp.building import any_value, as_json, traces
from tests.server.receivers.serving import DEADLINE, JSON, PROTOBUF, Server

from otel_sessions.server.backend import Backend
from otel_sessions.server.otlp.encodings import SizeLimits
from otel_sessions.server.receivers.bodies import Pace
from otel_sessions.server.receivers.large_requests import LARGE_REQUEST

_COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "zstd": zstd.compress,
    "deflate": zlib.compress,
}


def status_of(answer: Any) -> Any:
    """The `google.rpc.Status` of a response, in whichever format it is."""
    if answer.headers["content-type"] == JSON:
        return Parse(answer.content, status_pb2.Status())
    assert answer.headers["content-type"] == PROTOBUF
    return status_pb2.Status.FromString(answer.content)


def message_of(answer: Any, response: Any) -> Any:
    """The official message in a response, in whichever format it is."""
    assert answer.status_code == 200
    is_json = answer.headers["content-type"] == JSON
    return Parse(answer.content, response()) if is_json else response.FromString(answer.content)


def request_of(trace_id: bytes, *, count: int = 1) -> Any:
    """A request of some spans."""
    return traces(*[{"trace_id": trace_id} for _ in range(count)])


@pytest.mark.parametrize("encoding", [None, "identity", "gzip", "deflate", "zstd"])
@pytest.mark.parametrize("content_type", [PROTOBUF, JSON, "application/json; charset=utf-8"])
def test_spans_are_taken(shared: Server, content_type: str, encoding: str | None) -> None:
    """Spans are taken in each format and encoding, with an empty response in the same format."""
    trace_id = hash((content_type, encoding)).to_bytes(16, signed=True)
    request = request_of(trace_id)
    body = request.SerializeToString() if content_type == PROTOBUF else as_json(request)
    headers = {} if encoding is None else {"content_encoding": encoding}
    answer = shared.post("/v1/traces", _COMPRESS.get(encoding or "", bytes)(body), content_type, **headers)
    assert message_of(answer, ExportTraceServiceResponse) == ExportTraceServiceResponse()
    assert answer.headers["content-type"] == content_type.partition(";")[0]
    assert len(shared.spans(trace_id)) == 1


def test_log_records_are_taken(shared: Server) -> None:
    """Log records are taken on a path of their own."""
    request = ExportLogsServiceRequest()
    record = request.resource_logs.add().scope_logs.add().log_records.add(trace_id=b"l" * 16)
    record.body.CopyFrom(any_value({"n": 1}))
    answer = shared.post("/v1/logs", request.SerializeToString())
    assert message_of(answer, ExportLogsServiceResponse) == ExportLogsServiceResponse()
    (row,) = shared.rows("otel_logs", f"TraceId = '{(b'l' * 16).hex()}'")
    assert (row["Body"], row["BodyType"]) == ('{"n":1}', "m")


@pytest.mark.parametrize("content_type", [PROTOBUF, JSON])
def test_metrics_are_not_kept(shared: Server, content_type: str) -> None:
    """Metrics get an empty response and are not kept, so that an SDK that sends all signals reports no errors."""
    answer = shared.post("/v1/metrics", b"whatever", content_type)
    assert message_of(answer, ExportMetricsServiceResponse) == ExportMetricsServiceResponse()
    assert answer.headers["content-type"] == content_type


@pytest.mark.parametrize("path", ["/v1/traces", "/v1/logs", "/v1/metrics"])
@pytest.mark.parametrize("content_type", [None, "", "text/plain", "application/grpc", "application/x-protobuff"])
def test_other_content_types_are_refused(shared: Server, path: str, content_type: str | None) -> None:
    """Another content type is refused with 415 and the expected ones, in JSON, which a person can read."""
    answer = shared.post(path, b"", content_type)
    assert answer.status_code == 415
    assert "application/x-protobuf or application/json expected" in status_of(answer).message


@pytest.mark.parametrize("path", ["/v1/traces", "/v1/logs", "/v1/metrics"])
def test_other_encodings_are_refused(shared: Server, path: str) -> None:
    """Another encoding is refused with 415 and the known ones, in the format of the request."""
    answer = shared.post(path, b"x", content_encoding="br")
    assert answer.status_code == 415
    assert answer.headers["content-type"] == PROTOBUF
    assert "gzip, deflate, zstd" in status_of(answer).message


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
@pytest.mark.parametrize("path", ["/v1/traces", "/v1/logs", "/v1/metrics"])
def test_other_methods_are_refused(shared: Server, path: str, method: str) -> None:
    """Another method is refused with 405 and the one that is allowed."""
    answer = httpx.request(method, shared.url + path)
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


def test_spans_that_are_left_out_are_counted(shared: Server) -> None:
    """The response tells how many spans were left out, and why; the others are taken."""
    good = b"p" * 16
    request = traces({"trace_id": good}, {"trace_id": bytes(16)}, {"trace_id": b"x" * 15}, {"span_id": bytes(8)})
    answer = shared.post("/v1/traces", request.SerializeToString())
    partial = message_of(answer, ExportTraceServiceResponse).partial_success
    assert partial.rejected_spans == 3
    assert "2 rejected: the trace id" in partial.error_message
    assert "1 rejected: the span id" in partial.error_message
    assert len(shared.spans(good)) == 1


@pytest.mark.parametrize(("content_type", "body"), [(PROTOBUF, b"\x07"), (JSON, b"{"), (JSON, b"[]"), (JSON, b"")])
def test_broken_bodies_are_refused(shared: Server, content_type: str, body: bytes) -> None:
    """A broken body is refused with 400 and a reason, in the format of the request."""
    answer = shared.post("/v1/traces", body, content_type)
    assert answer.status_code == 400
    assert status_of(answer).code == code_pb2.INVALID_ARGUMENT
    assert status_of(answer).message
    assert ("traces", "Malformed") in shared.refused()


@pytest.fixture
def tight(backend: Backend) -> Iterator[Server]:
    """A server with low limits."""
    with Server(backend, limits=SizeLimits(1000, 2000)) as server:
        yield server


@pytest.mark.parametrize("path", ["/v1/traces", "/v1/logs", "/v1/metrics"])
def test_bodies_over_the_limit_are_refused(tight: Server, path: str) -> None:
    """A body over the limit is refused with 413, without a delay for a retry, with and without a declared size."""
    for content in (b"x" * 1001, iter([b"x" * 600] * 2)):
        answer = tight.post(path, content)
        assert answer.status_code == 413
        assert "1000" in status_of(answer).message
        assert "retry-after" not in answer.headers
    assert (path.removeprefix("/v1/"), "TooLarge") in tight.refused()


@pytest.mark.parametrize("encoding", list(_COMPRESS))
def test_bodies_that_decompress_to_too_much_are_refused(tight: Server, encoding: str) -> None:
    """A body that decompresses to more than the limit is refused with 413."""
    answer = tight.post("/v1/traces", _COMPRESS[encoding](bytes(2001)), content_encoding=encoding)
    assert answer.status_code == 413
    assert "2000" in status_of(answer).message


def test_large_requests_are_taken(shared: Server) -> None:
    """A large body is taken, and so is one that is large only when decompressed."""
    text = "x" * (LARGE_REQUEST + 1)
    for number, encoding in enumerate(("identity", "gzip")):
        trace_id = bytes([number]) + b"large" * 3
        body = traces({"trace_id": trace_id, "attributes": {"large": text}}).SerializeToString()
        answer = shared.post("/v1/traces", _COMPRESS.get(encoding, bytes)(body), content_encoding=encoding)
        assert message_of(answer, ExportTraceServiceResponse) == ExportTraceServiceResponse()
        assert shared.spans(trace_id)[0]["SpanAttributes"] == {"large": text}


def test_a_client_that_goes_away_is_no_error(shared: Server, caplog: pytest.LogCaptureFixture) -> None:
    """A client that closes in the middle of a body causes no log message, and the next request is taken."""
    trace_id = b"gone" * 4
    head = f"POST /v1/{{}} HTTP/1.1\r\nhost: x\r\ncontent-type: {PROTOBUF}\r\ncontent-length: 1000\r\n\r\nhalf"
    with caplog.at_level(logging.WARNING):
        for signal in ("traces", "metrics"):
            with socket.create_connection(("127.0.0.1", shared.http_port)) as connection:
                connection.sendall(head.format(signal).encode())
        for _ in range(3):
            assert shared.post("/v1/traces", request_of(trace_id).SerializeToString()).status_code == 200
    assert caplog.records == []


@pytest.mark.parametrize("path", ["/v1/traces", "/v1/metrics"])
@pytest.mark.parametrize("framing", ["Content-Length: 1000", "Transfer-Encoding: chunked"])
def test_a_body_that_comes_too_slowly(backend: Backend, path: str, framing: str) -> None:
    """A body that comes too slowly is answered with 408 and the rate that is asked for, and the connection is closed."""
    head = f"POST {path} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n{framing}\r\n\r\n1\r\n"
    with Server(backend, pace=Pace(window_seconds=0.05)) as server:
        with socket.create_connection(("127.0.0.1", server.http_port), DEADLINE) as connection:
            connection.sendall(head.encode())
            answer = b""
            while more := connection.recv(65536):
                answer += more
        assert answer.startswith(b"HTTP/1.1 408 ")
        assert b"8000 bytes a second" in answer
        assert (path.rpartition("/")[2], "TooSlow") in server.refused()


def test_a_slow_client_that_keeps_the_pace(backend: Backend) -> None:
    """A client that sends a little again and again, and enough in each window, is taken; silent ones do not keep it out."""
    body = traces({"trace_id": b"k" * 16, "attributes": {"x": "x" * 20_000}}).SerializeToString()
    head = b"POST /v1/traces HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-protobuf\r\nContent-Length: "
    with ExitStack() as stack:
        server = stack.enter_context(Server(backend, pace=Pace(window_seconds=5.0, bytes_a_second=1000)))

        def connected() -> socket.socket:
            return stack.enter_context(socket.create_connection(("127.0.0.1", server.http_port), DEADLINE))

        for _ in range(8):
            connected().sendall(head + b"33554432\r\n\r\n\x0a")
        slow = connected()
        slow.sendall(head + str(len(body)).encode() + b"\r\n\r\n")
        for at in range(0, len(body), 500):
            slow.sendall(body[at : at + 500])
        assert slow.recv(65536).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("header", ["1", "a=1", "1=-1", "1=1;2=2"])
def test_a_wrong_header_of_copies_is_refused(shared: Server, header: str) -> None:
    """The message shows how it is written."""
    headers = {"Content-Type": JSON, "Otel-Sessions-Copies": header}
    answer = httpx.post(f"{shared.url}/v1/logs", content=b"{}", headers=headers)
    assert answer.status_code == 400
    assert "<place>=<number> with commas between expected" in answer.json()["message"]


def test_log_records_of_a_file_are_stored_once(shared: Server) -> None:
    """With the header, records that are stored already are left out; without it, none is."""
    body = {"resourceLogs": [{"scopeLogs": [{"logRecords": [{"body": {"stringValue": "of a file"}}] * 2}]}]}

    def stored() -> int:
        store = shared.backend.reader.settled()
        with store.reading() as client:
            return int(client.query("SELECT count() FROM otel_logs WHERE Body = 'of a file'").result_rows[0][0])

    numbers = []
    for header in ("", "", "0=1,", None, ""):
        headers = {} if header is None else {"Otel-Sessions-Copies": header}
        answer = httpx.post(f"{shared.url}/v1/logs", json=body, headers=headers)
        assert answer.status_code == 200
        numbers.append(stored())
    assert numbers == [2, 2, 3, 5, 5]
