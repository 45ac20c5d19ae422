"""One wrong member of OTLP/JSON costs its own record and no other, and nothing is left out in silence."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.server.otlp.building import row
from tests.server.otlp.decoding import decode_logs, decode_spans

from otel_sessions.server.otlp.batch import SpanBatch
from otel_sessions.server.otlp.decode import read_payload, read_request
from otel_sessions.server.otlp.encodings import Format
from otel_sessions.server.otlp.partial_success import Rejected
from otel_sessions.server.signals import LOGS, TRACES

SPAN: dict[str, Any] = {"traceId": "ab" * 16, "spanId": "cd" * 8, "name": "op"}
SERVICE = {"key": "service.name", "value": {"stringValue": "shop"}}
SCOPE = {"name": "lib", "version": "1"}


def spans_of(said: Any) -> tuple[SpanBatch, Rejected]:
    """The spans that are taken, which are the same when the request is read again, and what is left out."""
    payload, batch, rejected = read_request(TRACES, json.dumps(said).encode(), Format.JSON)
    assert read_payload(TRACES, payload).rows == batch.rows
    return batch, rejected


def test_a_wrong_member_costs_its_own_span_mule_opentelemetry_module_322() -> None:
    """A span whose end is beyond 64 bits is left out, and the message names the member and its problem."""
    bad = {**SPAN, "endTimeUnixNano": "20235619325677550000"}
    batch, rejected = spans_of(
        {"resourceSpans": [{"scopeSpans": [{"spans": [SPAN, bad, {**SPAN, "spanId": "ef" * 8}]}]}]}
    )
    assert (len(batch), rejected.total) == (2, 1)
    assert rejected.message == (
        "1 rejected: a member does not fit its field; resourceSpans[0].scopeSpans[0].spans[1].endTimeUnixNano: "
        "an integer from 0 to 18446744073709551615 expected"
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {"body": {"intValue": "x"}},
        {"timeUnixNano": {}},
        {"severityNumber": "SEVERITY_NUMBER_LOUD"},
        {"attributes": [{"key": "k", "value": {"bytesValue": "?"}}]},
        {"attributes": [5]},
        {"traceId": 5},
    ],
)
def test_a_wrong_member_costs_its_own_log_record(wrong: Any) -> None:
    """A log record with a wrong member is left out, and no other."""
    said = {"resourceLogs": [{"scopeLogs": [{"logRecords": [{"body": {"stringValue": "a"}}, wrong, {}]}]}]}
    batch, rejected = decode_logs(json.dumps(said).encode(), Format.JSON)
    assert (len(batch), dict(rejected.counts)) == (2, {"wrong_member": 1})


def test_only_some_wrong_members_are_told() -> None:
    """However many spans are left out, the message stays short and says how many there are."""
    _, rejected = spans_of({"resourceSpans": [{"scopeSpans": [{"spans": [{"name": number} for number in range(50)]}]}]})
    assert rejected.message.startswith("50 rejected: a member does not fit its field; ")
    assert rejected.message.endswith("; 47 more wrong members")
    assert len(rejected.message) < 500


@pytest.mark.parametrize(
    ("group", "warning"),
    [
        (
            {"resource": {"attributes": [{"key": "a", "value": {"intValue": "x"}}, SERVICE]}},
            "resourceSpans[0].resource.attributes[0].value.intValue: an integer expected, not this string; it is left out",
        ),
        (
            {"resource": {"attributes": [SERVICE, {"key": 5}], "droppedAttributesCount": "many"}},
            (
                "resourceSpans[0].resource.attributes[1].key: a string expected, not a number; it is left out; "
                "resourceSpans[0].resource.droppedAttributesCount: an integer expected, not this string; it is left out"
            ),
        ),
        (
            {"resource": {"attributes": [SERVICE]}, "schemaUrl": []},
            "resourceSpans[0].schemaUrl: a string expected, not an array; it is left out",
        ),
    ],
)
def test_a_wrong_member_of_a_resource_is_left_out_alone(group: dict[str, Any], warning: str) -> None:
    """The spans of a resource are taken, with what fits of the resource."""
    batch, rejected = spans_of({"resourceSpans": [{**group, "scopeSpans": [{"scope": SCOPE, "spans": [SPAN]}]}]})
    assert (row(batch)["ServiceName"], row(batch)["ScopeName"]) == ("shop", "lib")
    assert (rejected.total, rejected.message) == (0, warning)


@pytest.mark.parametrize(
    ("scope_group", "warning"),
    [
        ({"scope": 5}, "scope: an object expected, not a number; it is left out"),
        ({"scope": {"name": 5}}, "scope.name: a string expected, not a number; it is left out"),
        ({"scope": {"attributes": {}}}, "scope.attributes: an array expected, not an object; it is left out"),
    ],
)
def test_a_wrong_member_of_a_scope_is_left_out_alone(scope_group: dict[str, Any], warning: str) -> None:
    """The spans of a scope are taken, with what fits of the scope."""
    batch, rejected = spans_of({"resourceSpans": [{"scopeSpans": [{**scope_group, "spans": [SPAN]}]}]})
    assert len(batch) == 1
    assert (rejected.total, rejected.message) == (0, f"resourceSpans[0].scopeSpans[0].{warning}")


@pytest.mark.parametrize(
    ("wrong", "warning"),
    [
        (5, "resourceSpans[1]: an object expected, not a number; it is left out"),
        ({"scopeSpans": {}}, "resourceSpans[1].scopeSpans: an array expected, not an object; it is left out"),
        ({"scopeSpans": [None]}, "resourceSpans[1].scopeSpans[0]: an object expected, not null; it is left out"),
        (
            {"scopeSpans": [{"spans": "x"}]},
            "resourceSpans[1].scopeSpans[0].spans: an array expected, not this string; it is left out",
        ),
        (
            {"spans": [SPAN]},
            "resourceSpans[1]: nothing is read of it; it has 'spans', where scopeSpans is expected",
        ),
    ],
)
def test_a_wrong_group_costs_no_other(wrong: Any, warning: str) -> None:
    """A group in which no spans can be found is left out with a warning, and its neighbours are taken."""
    good = {"scopeSpans": [{"spans": [SPAN]}]}
    batch, rejected = spans_of({"resourceSpans": [good, wrong, good]})
    assert (len(batch), rejected.total, rejected.message) == (2, 0, warning)


OLD_TRACES: list[Any] = [
    {"resource_spans": [{"resource": {}, "scope_spans": [{"scope": SCOPE, "spans": [SPAN]}]}]},
    {"batches": [{"scopeSpans": [{"scope": SCOPE, "spans": [SPAN]}]}]},
    {"batches": [{"instrumentationLibrarySpans": [{"instrumentationLibrary": SCOPE, "spans": [SPAN]}]}]},
    {"resourceSpans": [{"instrumentationLibrarySpans": [{"instrumentationLibrary": SCOPE, "spans": [SPAN]}]}]},
    {"resource_spans": [{"instrumentation_library_spans": [{"instrumentation_library": SCOPE, "spans": [SPAN]}]}]},
    {
        "resource_spans": [
            {
                "scope_spans": [
                    {
                        "scope": SCOPE,
                        "spans": [{"trace_id": SPAN["traceId"], "span_id": SPAN["spanId"], "name": "op"}],
                        "schema_url": "",
                    }
                ]
            }
        ]
    },
]


@pytest.mark.parametrize("said", OLD_TRACES)
def test_other_names_of_the_same_members(said: Any) -> None:
    """The names of the protobuf fields, of earlier versions of OTLP and of Tempo mean the same."""
    batch, rejected = spans_of(said)
    expected, _ = spans_of({"resourceSpans": [{"scopeSpans": [{"scope": SCOPE, "spans": [SPAN]}]}]})
    assert batch.rows == expected.rows
    assert rejected.message == ""


@pytest.mark.parametrize(
    "said",
    [
        {"resource_logs": [{"scope_logs": [{"scope": SCOPE, "log_records": [{"severity_text": "INFO"}]}]}]},
        {
            "resourceLogs": [
                {
                    "instrumentationLibraryLogs": [
                        {"instrumentationLibrary": SCOPE, "logRecords": [{"severityText": "INFO"}]}
                    ]
                }
            ]
        },
        {
            "resourceLogs": [
                {"instrumentationLibraryLogs": [{"instrumentationLibrary": SCOPE, "logs": [{"severityText": "INFO"}]}]}
            ]
        },
    ],
)
def test_other_names_of_the_same_members_of_logs(said: Any) -> None:
    """Log records are read under the same kinds of names."""
    batch, rejected = decode_logs(json.dumps(said).encode(), Format.JSON)
    assert (batch.columns["SeverityText"], batch.columns["ScopeName"]) == (["INFO"], ["lib"])
    assert rejected.message == ""


def test_the_right_name_wins() -> None:
    """Of two names of one member the one of OTLP/JSON counts."""
    span = {**SPAN, "trace_id": "ef" * 16, "start_time_unix_nano": 5}
    batch, _ = spans_of({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}], "resource_spans": []})
    assert (row(batch)["TraceId"], row(batch)["StartTimeUnixNano"]) == ("ab" * 16, 5)


@pytest.mark.parametrize(
    ("said", "warning"),
    [
        ({}, ""),
        ({"resourceSpans": []}, ""),
        ({"resourceSpans": None}, ""),
        ({"resourceSpans": [{"resource": {}, "scopeSpans": []}, {}]}, ""),
        (
            {"data": [], "x" * 99: 1, "total": 0, "limit": 0},
            f"the body: nothing is read of it; it has 'data', '{'x' * 40}', 'total' and 1 more, where resourceSpans is expected",
        ),
        (
            {"resourceLogs": []},
            "the body: nothing is read of it; it has 'resourceLogs', where resourceSpans is expected",
        ),
    ],
)
def test_a_body_without_spans(said: Any, warning: str) -> None:
    """An empty request is fine; one with nothing but unknown members is answered with a warning that names them."""
    batch, rejected = spans_of(said)
    assert (len(batch), rejected.total, rejected.message) == (0, 0, warning)


def test_warnings_are_bounded() -> None:
    """However many groups are wrong, the message stays short."""
    _, rejected = spans_of({"resourceSpans": [5] * 1_000})
    assert rejected.message.endswith("; 997 more warnings")
    assert len(rejected.message) < 400


def test_a_number_of_thousands_of_digits() -> None:
    """A number that Python refuses to read costs its own span."""
    body = json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [SPAN, {**SPAN, "flags": 77}]}]}]})
    batch, rejected = decode_spans(body.replace("77", "7" * 5_000).encode(), Format.JSON)
    assert (len(batch), rejected.total) == (1, 1)


_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
)
_MEMBERS = [
    "name",
    "kind",
    "flags",
    "traceState",
    "startTimeUnixNano",
    "attributes",
    "events",
    "links",
    "status",
    "other",
]


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(_MEMBERS), _values), st.sampled_from(["span", "resource", "scope"]))
def test_any_member_costs_at_most_its_own_span(members: dict[str, Any], place: str) -> None:
    """Whatever the members of a span, a resource or a scope are, the other spans are taken."""

    def others(spans: list[Any]) -> dict[str, Any]:
        return {"scopeSpans": [{"spans": spans}]}

    groups = {
        "span": [others([SPAN, {**SPAN, **members}, SPAN])],
        "resource": [{"resource": members, **others([SPAN, SPAN])}],
        "scope": [{"scopeSpans": [{"scope": members, "spans": [SPAN, SPAN]}]}],
    }
    batch, rejected = spans_of({"resourceSpans": groups[place]})
    assert len(batch) + rejected.total == (3 if place == "span" else 2)
    assert len(batch) >= 2


@pytest.mark.parametrize("signal", [TRACES, LOGS])
def test_what_is_left_out_is_not_kept(signal: str) -> None:
    """The bytes that are kept until a request is stored hold only what is taken."""
    said = {
        "resourceSpans": [{"scopeSpans": [{"spans": [{"name": 5}]}]}],
        "resourceLogs": [{"scopeLogs": [{"logRecords": [{"severityText": 5}]}]}],
    }
    payload, batch, _ = read_request(signal, json.dumps(said).encode(), Format.JSON)
    assert (len(batch), len(read_payload(signal, payload))) == (0, 0)
    assert len(payload) < 10
