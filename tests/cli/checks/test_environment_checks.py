"""What the variables of a shell would do to apps that are started in it."""

from __future__ import annotations

import pytest

from otel_sessions.cli.checks.check import Seen, findings
from otel_sessions.cli.checks.environment_checks import ENVIRONMENT_CHECKS

URL = "http://127.0.0.1:4318"
ENDPOINT, PROTOCOL = "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_PROTOCOL"
TRACES, TRACES_PROTOCOL = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"
HTTP = {PROTOCOL: "http/protobuf"}
GRPC = {PROTOCOL: "grpc"}


def found(environment: dict[str, str], *, url: str | None = URL, **more: object) -> list[tuple[str, str]]:
    """The checks that find something, each with the fix."""
    seen = Seen(url, 0, "1", environment=environment, **more)  # type: ignore[arg-type]
    return [(one.check, one.fix) for one in findings(ENVIRONMENT_CHECKS, seen)]


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {ENDPOINT: URL, **HTTP},
        {ENDPOINT: "http://localhost:4318/", **HTTP},
        {ENDPOINT: "http://[::1]:4318", PROTOCOL: "http/json"},
        {ENDPOINT: "http://localhost:4317", **GRPC},
        {ENDPOINT: "localhost:4317", **GRPC},
        {ENDPOINT: "http://localhost:4317"},
        {TRACES: f"{URL}/v1/traces", TRACES_PROTOCOL: "http/protobuf"},
        {"OTEL_TRACES_EXPORTER": "console,otlp", "OTEL_LOGS_EXPORTER": "otlp", "OTEL_SDK_DISABLED": "false"},
        {"OTEL_TRACES_EXPORTER": "sessions"},
        {"OTEL_TRACES_SAMPLER": "parentbased_always_on"},
        {"OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": "1.0"},
        {"CLAUDE_CODE_ENABLE_TELEMETRY": "1", "OTEL_LOGS_EXPORTER": "otlp"},
    ],
)
def test_variables_that_are_right(environment: dict[str, str]) -> None:
    """Variables that have an app send to the server are no finding."""
    assert found(environment) == []


@pytest.mark.parametrize(
    ("environment", "check", "fix"),
    [
        ({"OTEL_SDK_DISABLED": "TRUE"}, "disabled", "unset OTEL_SDK_DISABLED"),
        ({"OTEL_TRACES_EXPORTER": "none"}, "disabled", "export OTEL_TRACES_EXPORTER=otlp"),
        ({"OTEL_LOGS_EXPORTER": "console"}, "disabled", "export OTEL_LOGS_EXPORTER=otlp"),
        ({"CLAUDE_CODE_ENABLE_TELEMETRY": "1"}, "disabled", "export OTEL_LOGS_EXPORTER=otlp"),
        ({"OTEL_TRACES_SAMPLER": "always_off"}, "sampled", "unset OTEL_TRACES_SAMPLER"),
        (
            {"OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0.0"},
            "sampled",
            "unset OTEL_TRACES_SAMPLER",
        ),
        (
            {"OTEL_TRACES_SAMPLER": "parentbased_traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0.1"},
            "sampled",
            "unset OTEL_TRACES_SAMPLER, or keep whole sessions with SessionRatioSampler",
        ),
        (
            {"OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": "some"},
            "sampled",
            "unset OTEL_TRACES_SAMPLER, or keep whole sessions with SessionRatioSampler",
        ),
        ({TRACES: URL, TRACES_PROTOCOL: "http/protobuf"}, "endpoints", f"export {TRACES}={URL}/v1/traces"),
        ({ENDPOINT: f"{URL}/v1/traces", **HTTP}, "endpoints", f"export {ENDPOINT}={URL}"),
        ({ENDPOINT: "127.0.0.1:4318", **HTTP}, "endpoints", f"export {ENDPOINT}={URL}"),
        ({ENDPOINT: "http://[::1:4318", **HTTP}, "endpoints", f"export {ENDPOINT}={URL}"),
        ({ENDPOINT: "http://localhost:port", **HTTP}, "endpoints", f"export {ENDPOINT}={URL}"),
        ({ENDPOINT: URL, PROTOCOL: "http"}, "protocols", f"export {PROTOCOL}=http/protobuf"),
        ({ENDPOINT: URL, **GRPC}, "protocols", f"export {PROTOCOL}=http/protobuf"),
        ({ENDPOINT: URL, TRACES_PROTOCOL: "grpc", **HTTP}, "protocols", f"export {TRACES_PROTOCOL}=http/protobuf"),
        ({ENDPOINT: URL}, "protocols", f"export {PROTOCOL}=http/protobuf"),
        ({ENDPOINT: "http://127.0.0.1:4317", **HTTP}, "protocols", f"export {ENDPOINT}={URL}"),
        ({TRACES: "http://[::1]:4317", **HTTP}, "protocols", f"export {TRACES}=http://[::1]:4318/v1/traces"),
        (
            {ENDPOINT: "https://127.0.0.1:4318", **HTTP},
            "elsewhere",
            f"export {ENDPOINT}={URL}",
        ),
        (
            {ENDPOINT: "https://me:secret@collector.example", **HTTP},
            "elsewhere",
            f"export {ENDPOINT}={URL} {PROTOCOL}=http/protobuf; nothing if a Collector there passes them on",
        ),
        (
            {TRACES: "http://127.0.0.1:9999/v1/traces", **HTTP},
            "elsewhere",
            f"export {TRACES}={URL}/v1/traces {PROTOCOL}=http/protobuf; nothing if a Collector there passes them on",
        ),
    ],
)
def test_variables_that_are_wrong(environment: dict[str, str], check: str, fix: str) -> None:
    """Exactly one check finds them, and its fix can be copied."""
    assert found(environment) == [(check, fix)]


def test_a_secret_in_an_address_is_not_shown() -> None:
    """User and password of a URL stay out of findings and fixes."""
    seen = Seen(URL, 0, "1", environment={ENDPOINT: "https://me:secret@collector.example", **HTTP})
    assert "secret" not in str(findings(ENVIRONMENT_CHECKS, seen))


def test_nothing_listens() -> None:
    """An address of this machine at which nothing listens."""
    closed = frozenset({"127.0.0.1:4318"})
    fix = f"start what is to take them, or: export {ENDPOINT}={URL} {PROTOCOL}=http/protobuf"
    assert found({ENDPOINT: URL, **HTTP}, closed=closed) == [("closed", fix)]


def test_a_server_that_wants_its_key() -> None:
    """The headers of the exporter have to send it; of one signal or of all."""
    headers = "OTEL_EXPORTER_OTLP_HEADERS"
    environment = {ENDPOINT: URL, **HTTP}
    assert found(environment) == []
    fix = f'export {headers}="Authorization=Bearer%20$OTEL_SESSIONS_API_KEY"'
    assert found(environment, wants_key=True) == [("keyless", fix)]
    assert found({**environment, headers: "a=b,authorization=Bearer%20k"}, wants_key=True) == []
    assert found({}, wants_key=True) == []


def test_a_package_that_is_missing() -> None:
    """The exporter `sessions` needs the exporters of OTLP."""
    missing = frozenset({"opentelemetry-exporter-otlp-proto-grpc"})
    assert found({}, missing=missing) == [("installed", "pip install 'otel-sessions[otlp]'")]


def test_a_folder_is_no_destination() -> None:
    """Where a folder was asked, no address is another than that of the server."""
    assert found({ENDPOINT: "http://collector.example:4318", **HTTP}, url=None) == []
