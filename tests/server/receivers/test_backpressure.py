"""A request that cannot be kept now is refused so that clients send it again, and then everything arrives once."""

from __future__ import annotations

import errno
import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc  # type: ignore[import-untyped]
import pytest
from google.protobuf.json_format import Parse  # type: ignore[import-untyped]
from google.rpc import code_pb2, error_details_pb2, status_pb2  # type: ignore[import-untyped]
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpExporter
from opentelemetry.sdk.trace.export import SpanExportResult
from tests.server.otlp.building import as_json, traces
from tests.server.receivers.python_spans import conversation
from tests.server.receivers.serving import DEADLINE, JSON, Server, opened, retry_milliseconds

from otel_sessions.server.backend import Backend
from otel_sessions.server.otlp.errors import RequestError
from otel_sessions.server.wal.segments import Segment


@pytest.fixture(scope="module")
def backend(engine: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    """A backend that lets one request at a time wait for its commit."""
    with opened(engine, "receive", tmp_path_factory.mktemp("requests"), backlog_bytes=1) as backend:
        yield backend


@pytest.fixture
def held(backend: Backend) -> Iterator[Callable[[], object]]:
    """Lets no commit end until this is called."""
    backend.settle(DEADLINE)
    release = threading.Event()
    # A commit tells listeners of its sessions before it ends.
    stop = backend.listen(lambda _: release.wait(DEADLINE))
    yield release.set
    release.set()
    stop()


def request_of(trace_id: bytes) -> Any:
    """A request of one span in a session."""
    return traces({"trace_id": trace_id, "attributes": {"session.id": "s"}})


def status_of(answer: Any) -> Any:
    """The `google.rpc.Status` of an answer over HTTP."""
    is_json = answer.headers["content-type"] == JSON
    return Parse(answer.content, status_pb2.Status()) if is_json else status_pb2.Status.FromString(answer.content)


def test_over_http(shared: Server, held: Callable[[], object]) -> None:
    """A busy server responds with 429 and a delay, in the header and in the body, in the format of the request."""
    request = request_of(b"h" * 16)
    body = request.SerializeToString()
    assert shared.post("/v1/traces", body).status_code == 200
    for answer in (shared.post("/v1/traces", body), shared.post("/v1/traces", as_json(request), JSON)):
        assert (answer.status_code, answer.headers["retry-after"]) == (429, "1")
        status = status_of(answer)
        retry = error_details_pb2.RetryInfo()
        assert status.details[0].Unpack(retry)
        assert (status.code, retry.retry_delay.ToMilliseconds()) == (code_pb2.RESOURCE_EXHAUSTED, 1000)
    assert json.loads(answer.content)["details"][0]["retryDelay"] == "1s"
    assert ("traces", "Busy") in shared.refused()
    held()
    assert len(shared.spans(b"h" * 16)) == 1
    assert shared.post("/v1/traces", body).status_code == 200


def test_over_grpc(shared: Server, held: Callable[[], object]) -> None:
    """A busy server responds with RESOURCE_EXHAUSTED and the delay after which clients send again."""
    body = request_of(b"g" * 16).SerializeToString()
    shared.call(body)
    error = shared.refusal(body)
    assert error.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert retry_milliseconds(error) == {1000}
    held()
    assert len(shared.spans(b"g" * 16)) == 1


@pytest.mark.allow_opentelemetry_logs
@pytest.mark.parametrize("protocol", ["grpc", "http"])
def test_the_official_exporters_send_again(
    shared: Server, held: Callable[[], object], monkeypatch: pytest.MonkeyPatch, protocol: str
) -> None:
    """The official exporters wait for the delay and send again, and each span is stored once."""
    session = f"again-{protocol}"
    first, second = conversation(session), conversation(session)
    before = len(shared.rows())
    exporter: Any = (
        GrpcExporter(endpoint=shared.target, insecure=True)
        if protocol == "grpc"
        else HttpExporter(endpoint=f"{shared.url}/v1/traces")
    )
    refused, count_refused = threading.Event(), shared.backend.count_refused

    def count(signal: str, error: RequestError) -> None:
        count_refused(signal, error)
        refused.set()

    monkeypatch.setattr(shared.backend, "count_refused", count)
    with ThreadPoolExecutor(1) as thread:
        assert exporter.export(first) is SpanExportResult.SUCCESS
        exported = thread.submit(exporter.export, second)
        assert refused.wait(DEADLINE)
        assert not exported.done()
        held()
        assert exported.result(DEADLINE) is SpanExportResult.SUCCESS
    exporter.shutdown()
    assert len(shared.rows()) == before + len(first) + len(second)


def test_a_full_disk(shared: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """A request that cannot be written is not taken, and may be sent again after a delay: 503 and UNAVAILABLE."""

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    body = request_of(b"d" * 16).SerializeToString()
    with monkeypatch.context() as patched:
        patched.setattr(Segment, "append", full)
        answer = shared.post("/v1/traces", body)
        error = shared.refusal(body)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert status_of(answer).code == code_pb2.UNAVAILABLE
    assert "No space left" in status_of(answer).message
    assert error.code() == grpc.StatusCode.UNAVAILABLE
    assert retry_milliseconds(error) == {5000}
    assert shared.post("/v1/traces", body).status_code == 200
    assert len(shared.spans(b"d" * 16)) == 1
