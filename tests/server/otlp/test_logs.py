"""Log records to rows."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from tests.server.otlp.building import (
    AT,
    BROKEN,
    any_value,
    field,
    key_values,
    log_requests,
    nested,
    plain,
    plain_value,
    row,
)
from tests.server.otlp.decoding import decode_logs

from otel_sessions.server.otlp.batch import LogBatch
from otel_sessions.server.otlp.values import attributes_from_text, from_text

LAST = 2**63 - 1


def _request(*records: dict[str, Any]) -> Any:
    request = ExportLogsServiceRequest()
    scope_logs = request.resource_logs.add().scope_logs.add()
    for record in records:
        scope_logs.log_records.add(**record)
    return request


def _decoded(request: Any) -> LogBatch:
    batch, rejected = decode_logs(request.SerializeToString())
    assert rejected.total == 0
    return batch


@settings(deadline=None)
@given(log_requests())
def test_everything_reads_back(request: Any) -> None:
    """Everything that the official classes hold of a log record can be read from its row."""
    batch = _decoded(request)
    index = 0
    for resource_logs in request.resource_logs:
        for scope_logs in resource_logs.scope_logs:
            for record in scope_logs.log_records:
                _check(row(batch, index), resource_logs, scope_logs, record)
                index += 1
    assert len(batch) == index


def _check(found: dict[str, Any], resource_logs: Any, scope_logs: Any, record: Any) -> None:
    def attributes(texts: str, types: str) -> str:
        return repr(attributes_from_text(found[texts].items(), found[types]))

    assert found["Timestamp"] == min(record.time_unix_nano or record.observed_time_unix_nano, LAST)
    assert found["ObservedTimestamp"] == record.observed_time_unix_nano
    assert found["TraceId"] == (record.trace_id.hex() if any(record.trace_id) else "")
    assert found["SpanId"] == (record.span_id.hex() if any(record.span_id) else "")
    assert found["Flags"] == record.flags
    assert found["TraceFlags"] == record.flags % 256
    assert found["SeverityText"] == record.severity_text
    assert found["SeverityNumber"] == record.severity_number
    assert repr(from_text(found["Body"], found["BodyType"])) == repr(plain_value(record.body))
    assert found["EventName"] == record.event_name
    assert found["DroppedAttributesCount"] == record.dropped_attributes_count
    assert attributes("LogAttributes", "LogAttributeTypes") == repr(plain(record.attributes))
    resource = plain(resource_logs.resource.attributes)
    assert attributes("ResourceAttributes", "ResourceAttributeTypes") == repr(resource)
    assert attributes("ScopeAttributes", "ScopeAttributeTypes") == repr(plain(scope_logs.scope.attributes))
    assert found["ScopeName"] == scope_logs.scope.name
    assert found["ScopeVersion"] == scope_logs.scope.version
    assert found["ResourceSchemaUrl"] == resource_logs.schema_url
    assert found["ScopeSchemaUrl"] == scope_logs.schema_url


def test_service() -> None:
    """The service of a record is that of its resource."""
    request = _request({"time_unix_nano": AT})
    request.resource_logs[0].resource.attributes.extend(key_values({"service.name": "shop"}))
    assert _decoded(request).columns["ServiceName"] == ["shop"]


def test_severities() -> None:
    """A severity that the column cannot hold is stored as none."""
    batch = _decoded(_request({"severity_number": 256}, {"severity_number": -1}, {"severity_number": 255}))
    assert batch.columns["SeverityNumber"] == [0, 0, 255]


def test_broken_record() -> None:
    """A record that cannot be read is left out and counted; the others are taken."""
    records = (field(12, b"a"), BROKEN, field(5, nested(65)), field(12, b"b"))
    scope_logs = b"".join(field(2, record) for record in records)
    batch, rejected = decode_logs(field(1, field(2, scope_logs)))
    assert batch.columns["EventName"] == ["a", "b"]
    assert rejected.counts == {"malformed": 1, "too_deep": 1}
    assert rejected.message == "1 rejected: not a valid protobuf message; 1 rejected: an attribute is nested too deeply"


def test_invalid_utf8() -> None:
    """A body that is not UTF-8 is stored with U+FFFD."""
    body = _request({"body": any_value("zz")}).SerializeToString().replace(b"zz", b"z\xff")
    assert decode_logs(body)[0].columns["Body"] == ["z\ufffd"]
