"""agent.yaml passes log records on and gives their sessions the same name as those of spans."""

from __future__ import annotations

import queue
from concurrent import futures
from contextlib import closing
from typing import TYPE_CHECKING, Any

import grpc  # type: ignore[import-untyped]
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2, logs_service_pb2_grpc
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, ResourceLogs, ScopeLogs
from tests.collector.running import AGENT_CONFIG, DEADLINE, Collector

if TYPE_CHECKING:
    from pathlib import Path


class LogReceiver(logs_service_pb2_grpc.LogsServiceServicer):
    """Puts every request in a queue."""

    def __init__(self) -> None:
        self.requests: queue.Queue[logs_service_pb2.ExportLogsServiceRequest] = queue.Queue()

    def Export(  # noqa: N802 - the name of the gRPC method
        self, request: Any, context: object
    ) -> logs_service_pb2.ExportLogsServiceResponse:
        """Called by gRPC."""
        self.requests.put(request)
        return logs_service_pb2.ExportLogsServiceResponse()


def record(**attributes: str) -> LogRecord:
    """A log record with these attributes, dots written as two underscores."""
    pairs = [
        KeyValue(key=key.replace("__", "."), value=AnyValue(string_value=value)) for key, value in attributes.items()
    ]
    body = AnyValue(string_value="good")
    return LogRecord(event_name="gen_ai.evaluation.result", body=body, attributes=pairs, time_unix_nano=1)


def test_log_records_get_their_session_too(collector_binary: Path, tmp_path: Path) -> None:
    """Another SDK's name on a log record becomes `session.id`, and nothing else about the record changes."""
    records = [
        record(gen_ai__conversation__id="c1"),
        record(gen_ai__conversation__id="c1", session__id="mine"),
        record(gen_ai__conversation__id=" "),
    ]
    resource_logs = ResourceLogs(scope_logs=[ScopeLogs(log_records=records)])
    request = logs_service_pb2.ExportLogsServiceRequest(resource_logs=[resource_logs])
    receiver = LogReceiver()
    server = grpc.server(futures.ThreadPoolExecutor(2))
    logs_service_pb2_grpc.add_LogsServiceServicer_to_server(receiver, server)  # type: ignore[no-untyped-call]
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        with Collector(collector_binary, AGENT_CONFIG, tmp_path, endpoint=f"127.0.0.1:{port}") as agent:
            with closing(grpc.insecure_channel(f"127.0.0.1:{agent.grpc_port}")) as channel:
                logs_service_pb2_grpc.LogsServiceStub(channel).Export(request, timeout=DEADLINE)  # type: ignore[no-untyped-call]
            arrived = receiver.requests.get(timeout=DEADLINE)
    finally:
        server.stop(grace=None).wait()

    (resource,) = arrived.resource_logs
    (scope,) = resource.scope_logs
    given = request.resource_logs[0].scope_logs[0].log_records
    given[0].attributes.add(key="session.id", value=AnyValue(string_value="c1"))
    assert list(scope.log_records) == list(given)
