"""Zero-code: the real `opentelemetry-instrument`, declarative configuration, and what they load."""

from __future__ import annotations

import sys
import sysconfig
from pathlib import Path

import pytest
from examples.otlp_receiver import OTLPReceiver
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcSpanExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from tests import processes

from otel_sessions import default_exporter, dropped_values, environment_variables, propagate_sessions, zero_code

INSTRUMENT = Path(sysconfig.get_path("scripts")) / "opentelemetry-instrument"

APP = """
from opentelemetry import trace
from otel_sessions import default_exporter, propagate_sessions

with propagate_sessions("ticket-2611", user_id="user-a"):
    with trace.get_tracer("app").start_as_current_span("answer"):
        pass
trace.get_tracer_provider().force_flush()
exporter = default_exporter()
session = None if exporter is None else exporter.session("ticket-2611")
print("traces", None if session is None else session.trace_count)
trace.get_tracer_provider().shutdown()
"""

CONFIGURATION = """
file_format: "1.0"
tracer_provider:
  processors:
    - batch:
        exporter:
          sessions: {}
"""


def run_app(tmp_path: Path, **environment: str) -> str:
    """Run the app under `opentelemetry-instrument` and return what it printed, errors included."""
    app = tmp_path / "app.py"
    app.write_text(APP)
    variables = {
        "OTEL_METRICS_EXPORTER": "none",
        "OTEL_LOGS_EXPORTER": "none",
        "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "*",
        **environment,
    }
    process = processes.run(INSTRUMENT, sys.executable, app, env=processes.environment(**variables))
    assert process.returncode == 0, process.stderr
    return process.stdout + process.stderr


def session_ids(receiver: OTLPReceiver) -> list[str]:
    """`session.id` of the one span that arrived."""
    return [
        attribute.value.string_value
        for span in receiver.wait_for(1, timeout=10)
        for attribute in span.attributes
        if attribute.key == "session.id"
    ]


def test_the_processor_is_added_by_instrument(tmp_path: Path) -> None:
    """With the package installed, `opentelemetry-instrument` alone stamps sessions on what the OTLP exporter sends."""
    with OTLPReceiver() as receiver:
        output = run_app(tmp_path, OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint, OTEL_TRACES_EXPORTER="otlp")
        assert ["ticket-2611"] == session_ids(receiver)
    assert "traces None" in output


@pytest.mark.parametrize("protocol", ["", "grpc"])
def test_the_exporter_named_sessions_forwards_and_counts(tmp_path: Path, protocol: str) -> None:
    """`OTEL_TRACES_EXPORTER=sessions` forwards over OTLP, and `default_exporter` answers."""
    with OTLPReceiver() as receiver:
        output = run_app(
            tmp_path,
            OTEL_TRACES_EXPORTER="sessions",
            OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint,
            OTEL_EXPORTER_OTLP_TRACES_PROTOCOL=protocol,
        )
        assert ["ticket-2611"] == session_ids(receiver)
    assert "traces 1" in output


def test_declarative_configuration_names_the_exporter(tmp_path: Path) -> None:
    """`sessions: {}` in the file of `OTEL_CONFIG_FILE` is the same exporter."""
    file = tmp_path / "otel.yaml"
    file.write_text(CONFIGURATION)
    with OTLPReceiver() as receiver:
        output = run_app(tmp_path, OTEL_CONFIG_FILE=str(file), OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint)
        assert ["ticket-2611"] == session_ids(receiver)
    assert "traces 1" in output


@pytest.mark.parametrize(("protocol", "kind"), [("", GrpcSpanExporter), ("http/protobuf", HttpSpanExporter)])
def test_the_protocol_is_the_one_that_the_variables_name(
    monkeypatch: pytest.MonkeyPatch, protocol: str, kind: type[SpanExporter]
) -> None:
    """The variables name the protocol, which is gRPC by default."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", protocol)
    exporter = zero_code.ConfiguredSessionExporter()
    assert isinstance(exporter.inner, kind)
    assert default_exporter() is exporter
    exporter.shutdown()


def test_an_unknown_protocol_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message names the variable, the value and the choice."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json")
    with pytest.raises(ValueError, match=r"^OTEL_EXPORTER_OTLP_PROTOCOL='http/json' .* 'grpc' or 'http/protobuf'"):
        zero_code.ConfiguredSessionExporter()
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "json")
    with pytest.raises(ValueError, match=r"^OTEL_EXPORTER_OTLP_TRACES_PROTOCOL='json' is not supported"):
        zero_code.ConfiguredSessionExporter()


@pytest.mark.parametrize("protocol", ["grpc", "http/protobuf"])
def test_a_missing_otlp_exporter_names_the_extra(monkeypatch: pytest.MonkeyPatch, protocol: str) -> None:
    """The error says which extra to install."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", protocol)
    package = "http" if protocol.startswith("http") else "grpc"
    monkeypatch.setitem(sys.modules, f"opentelemetry.exporter.otlp.proto.{package}.trace_exporter", None)
    with pytest.raises(ImportError, match=r"otel-sessions\[otlp\]"):
        zero_code.ConfiguredSessionExporter()


def test_without_an_sdk_provider_it_does_nothing_and_says_so(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A proxy provider without processors is counted, and logged once with the next step."""
    monkeypatch.setattr(trace, "get_tracer_provider", trace.ProxyTracerProvider)
    zero_code.add_processor()
    assert {("zero_code", "no_provider"): 1} == dropped_values()
    assert "ProxyTracerProvider" in caplog.text


def test_the_processor_takes_its_arguments_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Dialects and accepted baggage can be named without code."""
    spans = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: provider)
    monkeypatch.setenv(environment_variables.DIALECTS, "langfuse, traceloop")
    monkeypatch.setenv(environment_variables.ACCEPT_BAGGAGE, "")
    zero_code.add_processor()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    with propagate_sessions("ticket-2611"):
        provider.get_tracer("tests").start_span("one").end()
    (span,) = spans.get_finished_spans()
    assert {
        "session.id": "ticket-2611",
        "langfuse.session.id": "ticket-2611",
        "traceloop.association.properties.session_id": "ticket-2611",
    } == dict(span.attributes or {})


def test_a_wrong_dialect_is_told_and_costs_no_app(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """An unknown dialect in the environment is logged and counted, and does not stop the app."""
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: TracerProvider(shutdown_on_exit=False))
    monkeypatch.setenv(environment_variables.DIALECTS, "langfuze")
    zero_code.add_processor()
    assert {("zero_code", "configuration"): 1} == dropped_values()
    assert "'langfuze' is not known" in caplog.text
