"""What cannot be kept now is refused so that clients send it again, and then everything arrives once."""

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
from otel_sessions.server.wal.segments import Segment


@pytest.fixture(scope="module")
def backend(engine: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    """A backend that has room for one request at a time."""
    with opened(engine, "receive", tmp_path_factory.mktemp("requests"), backlog_bytes=1) as backend:
        yield backend


@pytest.fixture
def held(backend: Backend) -> Iterator[Callable[[], object]]:
    """Keeps the backend from committing, until this is called."""
    backend.settle(DEADLINE)
    holding, release = threading.Event(), threading.Event()

    def hold() -> None:
        with backend._committer.exclusive():
            holding.set()
            release.wait(DEADLINE)

    thread = threading.Thread(target=hold)
    thread.start()
    assert holding.wait(DEADLINE)
    yield release.set
    release.set()
    thread.join()


def request_of(trace_id: bytes) -> Any:
    """A request of one span."""
    return traces({"trace_id": trace_id})


def status_of(answer: Any) -> Any:
    """The `google.rpc.Status` of an answer over HTTP."""
    is_json = answer.headers["content-type"] == JSON
    return Parse(answer.content, status_pb2.Status()) if is_json else status_pb2.Status.FromString(answer.content)


def test_over_http(shared: Server, held: Callable[[], object]) -> None:
    """429 with a delay in the header and in the body, in the format of the request."""
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
    """RESOURCE_EXHAUSTED with the delay that tells clients to come again."""
    body = request_of(b"g" * 16).SerializeToString()
    shared.call(body)
    error = shared.refusal(body)
    assert error.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert retry_milliseconds(error) == {1000}
    held()
    assert len(shared.spans(b"g" * 16)) == 1


@pytest.mark.allow_opentelemetry_logs
@pytest.mark.parametrize("protocol", ["grpc", "http"])
def test_the_official_exporters_come_again(shared: Server, held: Callable[[], object], protocol: str) -> None:
    """They wait as they are told, and what was refused arrives, once."""
    session = f"again-{protocol}"
    first, second = conversation(session), conversation(session)
    before = len(shared.rows())
    exporter: Any = (
        GrpcExporter(endpoint=shared.target, insecure=True)
        if protocol == "grpc"
        else HttpExporter(endpoint=f"{shared.url}/v1/traces")
    )
    refused = shared.backend.telemetry.refused.labels("traces", "Busy")._value.get
    so_far = refused()
    with ThreadPoolExecutor(1) as thread:
        assert exporter.export(first) is SpanExportResult.SUCCESS
        exported = thread.submit(exporter.export, second)
        while refused() == so_far:
            assert not exported.done()
        held()
        assert exported.result(DEADLINE) is SpanExportResult.SUCCESS
    exporter.shutdown()
    assert len(shared.rows()) == before + len(first) + len(second)


def test_a_full_disk(shared: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """503 and UNAVAILABLE with a delay: what cannot be written was not taken, and may be sent again."""

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
