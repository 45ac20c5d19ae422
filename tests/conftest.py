"""Fixtures for every test: a tracer whose spans are recorded, clean counters, and a silent `opentelemetry` logger."""

from __future__ import annotations

import logging
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from opentelemetry import context as otel_context
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Tracer
from tests.recording import Spans

from otel_sessions import SessionSpanProcessor, environment_variables
from otel_sessions.drops import drops

# In CI a change is judged by the same examples every time; new ones are looked for on developers' machines.
settings.register_profile("ci", derandomize=True, deadline=None)
if os.environ.get("CI"):
    settings.load_profile("ci")

NOISY = "allow_opentelemetry_logs"


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker of tests that write to the `opentelemetry` logger."""
    config.addinivalue_line("markers", f"{NOISY}: lines on the opentelemetry logger are expected in this test")


def pytest_collection_finish(session: pytest.Session) -> None:
    """Refuse tests that share a node id: pytest-xdist would run only one of them."""
    shared = [node_id for node_id, count in Counter(item.nodeid for item in session.items).items() if count > 1]
    if shared:
        raise pytest.UsageError(f"these tests share a node id; give each one parameters with ids of its own: {shared}")


@pytest.fixture(autouse=True)
def clean_counters(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Start each test with no dropped values and without strict mode."""
    monkeypatch.delenv(environment_variables.STRICT, raising=False)
    drops.reset()
    yield
    drops.reset()


@pytest.fixture
def own_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No setting comes from the environment of the test run, and data folders are in a temporary folder."""
    for name in [name for name in os.environ if name.upper().startswith(environment_variables.PREFIX)]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))


@pytest.fixture(autouse=True)
def clean_context() -> Iterator[None]:
    """Start each test with an empty OpenTelemetry context, and restore the one before it."""
    token = otel_context.attach(otel_context.Context())
    yield
    otel_context.detach(token)


class _Lines(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(f"{record.levelname} {record.name}: {record.getMessage()}")


@pytest.fixture(autouse=True)
def silent_opentelemetry(request: pytest.FixtureRequest) -> Iterator[list[str]]:
    """The lines on the `opentelemetry` logger and below; any line fails a test without the marker."""
    handler = _Lines()
    logger = logging.getLogger("opentelemetry")
    logger.addHandler(handler)
    yield handler.lines
    logger.removeHandler(handler)
    if request.node.get_closest_marker(NOISY) is None:
        assert handler.lines == []


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    """The exporter that gets the provider's spans."""
    return InMemorySpanExporter()


@pytest.fixture
def provider(exporter: InMemorySpanExporter) -> Iterator[TracerProvider]:
    """A provider with a default `SessionSpanProcessor`, exporting at once; not the global one."""
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SessionSpanProcessor())
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    yield provider
    provider.shutdown()


@pytest.fixture
def tracer(provider: TracerProvider) -> Tracer:
    """A tracer of the provider."""
    return provider.get_tracer("tests")


@pytest.fixture
def spans(exporter: InMemorySpanExporter, provider: TracerProvider) -> Spans:
    """The spans that ended so far."""
    return Spans(exporter)
