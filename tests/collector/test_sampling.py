"""`SessionRatioSampler` and the Collector's tail sampling keep the same sessions, and keep them whole."""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import TYPE_CHECKING

import yaml  # type: ignore[import-untyped]
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from tests.collector.running import SAMPLING_CONFIG, Collector, attributes, poll

from otel_sessions import SessionRatioSampler, SessionSpanProcessor, propagate_sessions

if TYPE_CHECKING:
    from pathlib import Path

    from opentelemetry.sdk.trace.export import SpanExporter

RATIO = 0.3
SESSIONS = [f"ticket-{number}" for number in range(400)] + ["x" * 200, "a b", "~", "/?#%", "0", "\x20!\x7e"]
TRACES_EACH = 3


def kept_by_rule(session: str) -> bool:
    """The rule in plain Python: the first eight hex digits of SHA-256, as a number, against the ratio."""
    return int(hashlib.sha256(session.encode()).hexdigest()[:8], 16) < int(RATIO * 2**32)


# Sent when all that is to be kept has arrived. Traces are decided in the order in which they came, a second's worth at
# a time, so its arrival says that everything before it, the dropped included, is decided.
LAST = next(name for name in map("last-{}".format, range(100)) if kept_by_rule(name))


def run(provider: TracerProvider, exporter: SpanExporter, sessions: list[str]) -> None:
    """Three traces of two spans for each session, exported when this returns."""
    provider.add_span_processor(SessionSpanProcessor())
    provider.add_span_processor(BatchSpanProcessor(exporter, max_queue_size=10_000))
    tracer = provider.get_tracer("tests")
    for session in sessions * TRACES_EACH:
        with propagate_sessions(session), tracer.start_as_current_span("outer"):
            tracer.start_span("inner").end()
    provider.shutdown()


def sessions_of(collector: Collector) -> Counter[str]:
    """The number of spans of each session that came out so far."""
    return Counter(attributes(span)["session.id"] for span in collector.spans())


def test_the_policy_states_the_ratio() -> None:
    """The number in the policy is the sampler's threshold for a ratio of 0.3."""
    policies = yaml.safe_load(SAMPLING_CONFIG.read_text())["processors"]["tail_sampling"]["policies"]
    (condition,) = policies[0]["ottl_condition"]["span"]

    assert condition.endswith(f" < {int(RATIO * 2**32)}")


def test_the_sampler_and_the_collector_keep_the_same_sessions(collector_binary: Path, tmp_path: Path) -> None:
    """The sampler in the process and the Collector keep the same sessions, each with all its spans."""
    memory = InMemorySpanExporter()
    run(TracerProvider(sampler=SessionRatioSampler(RATIO)), memory, SESSIONS)
    by_sampler = Counter(str((span.attributes or {})["session.id"]) for span in memory.get_finished_spans())

    with Collector(collector_binary, SAMPLING_CONFIG, tmp_path) as collector:
        run(TracerProvider(), OTLPSpanExporter(endpoint=collector.grpc_endpoint), SESSIONS)
        poll(lambda: len(collector.spans()) >= by_sampler.total() or None, "sampled spans")
        run(TracerProvider(), OTLPSpanExporter(endpoint=collector.grpc_endpoint), [LAST])
        poll(lambda: LAST in sessions_of(collector) or None, "last session")
    by_collector = sessions_of(collector)
    del by_collector[LAST]

    assert by_collector == by_sampler
    assert set(by_sampler) == set(filter(kept_by_rule, SESSIONS))
    assert set(by_sampler.values()) == {2 * TRACES_EACH}
