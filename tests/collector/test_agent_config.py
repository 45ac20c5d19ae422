"""agent.yaml in the real Collector: one name for session ids, nothing else changed, and a queue that outlives a crash."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
import yaml  # type: ignore[import-untyped]
from examples.otlp_receiver import OTLPReceiver
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from tests import processes
from tests.collector.running import AGENT_CONFIG, DEADLINE, Collector, as_sent, attributes, free_ports, received

from otel_sessions.dialects.names import SESSION_ID

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from opentelemetry.sdk.trace import ReadableSpan

NAMES = [
    statement.split('"')[3]
    for group in yaml.safe_load(AGENT_CONFIG.read_text())["processors"]["transform"]["trace_statements"]
    for statement in group["statements"]
]
VALID = ["conv_1", "a", "x" * 200, "with space", "~!/?#%"]
INVALID: list[Any] = ["", " ", "   ", "x" * 201, "tab\there", "line\n", "ümlaut", "\x7f", 7, True, 1.5, ["a"]]


def spans_with(*each: dict[str, Any]) -> tuple[ReadableSpan, ...]:
    """One ended span for each set of attributes."""
    memory = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(memory))
    for number, given in enumerate(each):
        provider.get_tracer("tests").start_span(f"span {number}", attributes=given).end()
    return memory.get_finished_spans()


def send(collector: Collector, spans: tuple[ReadableSpan, ...]) -> None:
    """Hand spans to the agent; returns when it has accepted them."""
    exporter = OTLPSpanExporter(endpoint=collector.grpc_endpoint)
    assert exporter.export(spans).name == "SUCCESS"
    exporter.shutdown()


@pytest.fixture(scope="module")
def backend() -> Iterator[OTLPReceiver]:
    """Where the agent sends to."""
    with OTLPReceiver() as receiver:
        yield receiver


@pytest.fixture(scope="module")
def agent(
    collector_binary: Path, backend: OTLPReceiver, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Collector]:
    """The Collector with agent.yaml in front of that backend."""
    folder = tmp_path_factory.mktemp("agent")
    with Collector(collector_binary, AGENT_CONFIG, folder, endpoint=f"127.0.0.1:{backend.port}") as collector:
        yield collector


def through(agent: Collector, backend: OTLPReceiver, *each: dict[str, Any]) -> list[dict[str, Any]]:
    """The attributes of one span for each set, in the order given, after the agent; nothing else of a span may change."""
    spans = spans_with(*each)
    sent = as_sent(spans)
    before = len(backend.spans())
    send(agent, spans)
    backend.wait_for(before + len(each), DEADLINE)
    wanted = {span["spanId"] for span in sent}
    arrived = [span for span in received(backend.resource_spans()) if span["spanId"] in wanted]
    without = [[{**span, "attributes": None} for span in spans] for spans in (sent, arrived)]
    assert without[0] == without[1]
    return [attributes(span) for span in sorted(arrived, key=lambda span: int(span["name"].split()[1]))]


def test_the_agent_knows_the_names_that_the_library_knows() -> None:
    """The agent reads the library's names in the same order, without those that agent.yaml says do not matter for an agent."""
    unsure = {"session.id", "thread_id", "thread.id", "conversation.id", "mlflow.trace.session"}

    assert [name for name in SESSION_ID if name not in unsure and "#" not in name] == NAMES


def test_every_name_becomes_session_id(agent: Collector, backend: OTLPReceiver) -> None:
    """Each name that agent.yaml lists gives `session.id`, and the attribute stays as it was."""
    given = [{name: value, "other": 1} for name in NAMES for value in VALID]
    expected = [{**each, "session.id": next(iter(each.values()))} for each in given]

    assert through(agent, backend, *given) == expected


def test_values_that_break_the_rule_are_left_alone(agent: Collector, backend: OTLPReceiver) -> None:
    """A value that is blank, too long, not printable ASCII or not a string gives no `session.id` and stays as it was."""
    given: list[dict[str, Any]] = [{"gen_ai.conversation.id": value} for value in INVALID]
    arrived = through(agent, backend, *given)

    assert [set(each) for each in arrived] == [{"gen_ai.conversation.id"}] * len(INVALID)
    assert arrived[7] == {"gen_ai.conversation.id": "\x7f"}


def test_a_session_that_is_there_stays(agent: Collector, backend: OTLPReceiver) -> None:
    """A span's own `session.id` wins over every other name, even one that breaks the rule, and so does `session.cut`."""
    others = dict.fromkeys(NAMES, "other")
    given: list[dict[str, Any]] = [
        {**others, "session.id": "mine"},
        {**others, "session.id": "x" * 300},
        {**others, "session.id": ""},
        {**others, "session.cut": ["*"]},
    ]
    arrived = through(agent, backend, *given)

    assert [each.get("session.id") for each in arrived] == ["mine", "x" * 300, "", None]


def test_the_first_valid_name_wins(agent: Collector, backend: OTLPReceiver) -> None:
    """Of several names the agent takes the first with a valid value, in the order of agent.yaml."""
    given: list[dict[str, Any]] = []
    expected = []
    for first, second in pairwise(NAMES):
        given += [{second: "second", first: "first"}, {second: "second", first: " "}]
        expected += ["first", "second"]

    assert [each["session.id"] for each in through(agent, backend, *given)] == expected


def test_a_span_without_any_session_is_not_touched(agent: Collector, backend: OTLPReceiver) -> None:
    """A span without a session name does not change; a LangSmith project is not a session."""
    given: list[dict[str, Any]] = [{}, {"n": 1}, {"langsmith.trace.session_id": "project", "thread.id": 12}]

    assert through(agent, backend, *given) == given


@pytest.mark.parametrize("end", [Collector.kill, Collector.stop])
def test_spans_survive_a_restart_while_the_backend_is_away(
    collector_binary: Path, tmp_path: Path, end: Callable[[Collector], None]
) -> None:
    """Every span that the agent accepted arrives once the backend is there, after the agent was killed or stopped."""
    (port,) = free_ports(1)
    endpoint = f"127.0.0.1:{port}"
    spans = spans_with(*({"gen_ai.conversation.id": f"c{number}"} for number in range(300)))
    collector = Collector(collector_binary, AGENT_CONFIG, tmp_path, endpoint=endpoint)
    with collector:
        send(collector, spans)
        end(collector)
    with collector, OTLPReceiver(port) as receiver:
        arrived = receiver.wait_for(len(spans), DEADLINE)

    assert sorted(span.span_id.hex() for span in arrived) == sorted(span["spanId"] for span in as_sent(spans))


def test_without_a_backend_it_says_what_is_missing(collector_binary: Path, tmp_path: Path) -> None:
    """An agent without an endpoint does not start, and its error names the setting."""
    environment = Collector(collector_binary, AGENT_CONFIG, tmp_path).environment
    del environment["OTEL_SESSIONS_AGENT_ENDPOINT"]
    result = processes.run(collector_binary, "validate", "--config", AGENT_CONFIG, env=environment)

    assert result.returncode != 0
    assert "endpoint" in result.stderr
