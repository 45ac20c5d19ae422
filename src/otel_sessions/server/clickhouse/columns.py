"""The columns of the tables that the server inserts into: name and type. `schema/` creates the same columns, which a test checks."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain
from types import MappingProxyType
from typing import Final

from otel_sessions.counting.columns import Column
from otel_sessions.counting.facets import FACETS, METADATA_COLUMNS
from otel_sessions.counting.measures import AMOUNT, COST_INEXACT, MEASURES
from otel_sessions.counting.status import LAST_STATE, UNPRICED_CALLS

_TEXT: Final = "String"
_NAME: Final = "LowCardinality(String)"
_TIME: Final = "DateTime64(9)"
_ATTRIBUTES: Final = "Map(LowCardinality(String), String)"
_TYPES: Final = "Map(LowCardinality(String), LowCardinality(String))"

_SPANS_OF_THE_EXPORTER: Final = {
    "Timestamp": _TIME,
    "TraceId": _TEXT,
    "SpanId": _TEXT,
    "ParentSpanId": _TEXT,
    "TraceState": _TEXT,
    "SpanName": _NAME,
    "SpanKind": _NAME,
    "ServiceName": _NAME,
    "ResourceAttributes": _ATTRIBUTES,
    "ScopeName": _TEXT,
    "ScopeVersion": _TEXT,
    "SpanAttributes": _ATTRIBUTES,
    "Duration": "UInt64",
    "StatusCode": _NAME,
    "StatusMessage": _TEXT,
    "Events.Timestamp": f"Array({_TIME})",
    "Events.Name": f"Array({_NAME})",
    "Events.Attributes": f"Array({_ATTRIBUTES})",
    "Links.TraceId": f"Array({_TEXT})",
    "Links.SpanId": f"Array({_TEXT})",
    "Links.TraceState": f"Array({_TEXT})",
    "Links.Attributes": f"Array({_ATTRIBUTES})",
}
_SPANS_OF_OURS: Final = {
    "EndTimeUnixNano": "UInt64",
    "StartTimeUnixNano": "UInt64",
    "Flags": "UInt32",
    "DroppedAttributesCount": "UInt32",
    "DroppedEventsCount": "UInt32",
    "DroppedLinksCount": "UInt32",
    "ResourceSchemaUrl": _NAME,
    "ScopeSchemaUrl": _NAME,
    "ScopeAttributes": _ATTRIBUTES,
    "ResourceDroppedAttributesCount": "UInt32",
    "ScopeDroppedAttributesCount": "UInt32",
    "Extras": _TEXT,
    "SpanAttributeTypes": _TYPES,
    "ResourceAttributeTypes": _TYPES,
    "ScopeAttributeTypes": _TYPES,
    "EventAttributeTypes": f"Array({_TYPES})",
    "LinkAttributeTypes": f"Array({_TYPES})",
}
_LOGS_OF_THE_EXPORTER: Final = {
    "Timestamp": _TIME,
    "TraceId": _TEXT,
    "SpanId": _TEXT,
    "TraceFlags": "UInt8",
    "SeverityText": _NAME,
    "SeverityNumber": "UInt8",
    "ServiceName": _NAME,
    "Body": _TEXT,
    "ResourceSchemaUrl": _NAME,
    "ResourceAttributes": _ATTRIBUTES,
    "ScopeSchemaUrl": _NAME,
    "ScopeName": _TEXT,
    "ScopeVersion": _NAME,
    "ScopeAttributes": _ATTRIBUTES,
    "LogAttributes": _ATTRIBUTES,
    "EventName": _TEXT,
}
_LOGS_OF_OURS: Final = {
    "ObservedTimestamp": "UInt64",
    "Flags": "UInt32",
    "DroppedAttributesCount": "UInt32",
    "BodyType": _NAME,
    "LogAttributeTypes": _TYPES,
    "ResourceAttributeTypes": _TYPES,
    "ScopeAttributeTypes": _TYPES,
    "Segment": "UInt64",
    "SegmentRow": "UInt32",
    "CountedIn": "UInt128",
    "CountedAs": "UInt64",
    "ContentRemoved": "UInt8",
    "TimeUnixNano": "UInt64",
    "ResourceDroppedAttributesCount": "UInt32",
    "ScopeDroppedAttributesCount": "UInt32",
}

TRACES: Final = "otel_traces"
LOGS: Final = "otel_logs"
FACTS: Final = "trace_facts"
GROUPS: Final = "session_traces"
SESSIONS: Final = "sessions"
DELETIONS: Final = "deletion_queue"
SCORES: Final = "scores"
SESSION_SCORES: Final = "session_scores"
ANNOTATIONS: Final = "annotations"
NAMES: Final = "session_names"
PRICES: Final = "prices"
CHAINS: Final = "message_chains"
MESSAGES: Final = "messages"
TIMES: Final = "otel_traces_trace_id_ts"
"""The time range of each trace, for dashboards. ClickHouse fills it."""

SESSION_COLUMNS: Final[tuple[Column, ...]] = tuple(
    dict.fromkeys(
        (
            *chain.from_iterable(measure.columns for measure in MEASURES.values()),
            *(facet.column for facet in FACETS.values()),
            *METADATA_COLUMNS,
            COST_INEXACT,
            LAST_STATE,
            UNPRICED_CALLS,
            COST_INEXACT,
        )
    )
)
"""The columns of `sessions` behind those that identify a row: all that measures, facets, metadata, conditions and sums of costs need."""

COLUMNS: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {
        TRACES: {**_SPANS_OF_THE_EXPORTER, **_SPANS_OF_OURS},
        LOGS: {**_LOGS_OF_THE_EXPORTER, **_LOGS_OF_OURS},
        FACTS: {
            "TraceId": "UInt128",
            "Version": "UInt64",
            "Start": "UInt64",
            "End": "UInt64",
            "Facts": _TEXT,
            "IsCell": "UInt8",
        },
        GROUPS: {
            "Key": _NAME,
            "Id": _TEXT,
            "TraceId": "UInt128",
            "Version": "UInt64",
            "Deleted": "UInt8",
            "Start": "UInt64",
            "End": "UInt64",
            "SpanCount": "UInt64",
            "Failed": "UInt8",
            "Name": "Nullable(String)",
            "NameAfter": "UInt64",
            "TotalTokens": "Nullable(UInt64)",
            "TotalCost": f"Nullable({AMOUNT})",
            "UserIds": f"Array({_TEXT})",
            "Services": f"Array({_NAME})",
            "Environments": f"Array({_NAME})",
            "Tags": f"Array({_NAME})",
            "Models": f"Array({_NAME})",
            "MetadataKeys": f"Array({_NAME})",
            "MetadataAfter": "Array(UInt64)",
            "MetadataValues": f"Array({_TEXT})",
            "Content": _TEXT,
            "IsCell": "UInt8",
            "Turns": "Array(UInt64)",
            "TurnStates": "Array(UInt64)",
            "Listed": "Nullable(UInt64)",
            "Unpriced": "UInt64",
            "CostInexact": "UInt8",
        },
        SESSIONS: {
            "Key": _NAME,
            "Id": _TEXT,
            "IdHash": "UInt128",
            "Version": "UInt64",
            "FirstVersion": "UInt64",
            **{column.name: column.type for column in SESSION_COLUMNS},
        },
        CHAINS: {
            "Key": _NAME,
            "Owner": "UInt128",
            "Unit": "UInt128",
            "Record": "UInt64",
            "Parent": "UInt64",
            "Timestamp": _TIME,
            "State": "UInt128",
            "Input": _TEXT,
            "InputLikenesses": _TEXT,
            "InputRoles": _TEXT,
            "Output": _TEXT,
            "OutputLikenesses": _TEXT,
            "OutputRoles": _TEXT,
            "IsNew": "UInt8",
            "Compacted": "UInt8",
            "IsCounted": "UInt8",
        },
        MESSAGES: {
            "Key": _NAME,
            "Owner": "UInt128",
            "Digest": "UInt64",
            "Timestamp": _TIME,
            "Message": _TEXT,
            "Text": _TEXT,
        },
        DELETIONS: {"Version": "UInt64", "TraceId": _TEXT, "SpanId": _TEXT},
        SCORES: {
            "Id": "UInt128",
            "TraceId": "UInt128",
            "SpanId": "UInt64",
            "Time": "UInt64",
            "Name": _NAME,
            "Value": "Nullable(Float64)",
            "Label": "Nullable(String)",
            "Comment": "Nullable(String)",
            "Source": _NAME,
            "Author": "Nullable(String)",
            "Posted": "UInt8",
            "GivenKeys": f"Array({_NAME})",
            "GivenIds": f"Array({_TEXT})",
            "GivenByResource": "UInt8",
            "Keys": f"Array({_NAME})",
            "Ids": f"Array({_TEXT})",
            "Levels": "Array(UInt8)",
            "Version": "UInt64",
        },
        SESSION_SCORES: {
            "Key": _NAME,
            "IdHash": "UInt128",
            "ScoreId": "UInt128",
            "TraceId": "UInt128",
            "Level": "UInt8",
            "Time": "UInt64",
            "Name": _NAME,
            "Value": "Nullable(Float64)",
            "Label": "Nullable(String)",
            "Version": "UInt64",
            "Deleted": "UInt8",
        },
        ANNOTATIONS: {
            "Key": _NAME,
            "IdHash": "UInt128",
            "AnnotationId": "UInt128",
            "Time": "UInt64",
            "Text": _TEXT,
            "Author": "Nullable(String)",
            "TraceId": "UInt128",
            "SpanId": "UInt64",
            "Version": "UInt64",
        },
        NAMES: {"Key": _NAME, "IdHash": "UInt128", "Name": "Nullable(String)", "Version": "UInt64"},
        PRICES: {
            "Model": _TEXT,
            "Provider": "Nullable(String)",
            "Input": "Nullable(String)",
            "Output": "Nullable(String)",
            "CacheRead": "Nullable(String)",
            "CacheWrite": "Nullable(String)",
            "ValidFrom": "Nullable(String)",
            "ValidUntil": "Nullable(String)",
            "Time": "UInt64",
            "Removed": "UInt8",
            "Version": "UInt64",
        },
    }
)
"""By table, the columns that an insert has, in the order of the table."""
