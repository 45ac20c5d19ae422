"""The benchmarks of the library and of the store run, and make the spans they say; no figure is asserted."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from itertools import islice

import pytest
from benchmarks.rounds import Rounds, interleaved
from benchmarks.spans import BATCH, SpanStream
from benchmarks.tables import Row, Table
from tests import processes

from otel_sessions import SessionExporter


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The command that `make bench` runs."""
    return processes.run(sys.executable, "-m", "benchmarks", *arguments)


def test_a_quick_run_prints_every_figure_with_its_target() -> None:
    """All four tables come out, with the targets beside them, whatever the figures are."""
    result = run("--quick")

    assert result.returncode == 0, result.stderr
    for shown in (
        "stamping (us of CPU per span)",
        "<= 1.15 x floor",
        "<= 1.30 x floor",
        "<= 1.3 us added",
        "scopes (us of CPU)",
        "< 6 us",
        "exporter (us of CPU per span)",
        "<= 15 us",
        "<= 8 us",
        "memory (MB, whole process)",
        "after 20,000 spans",
        "< 300 MB",
        "not counted: nothing",
    ):
        assert shown in result.stdout
    assert result.stderr == ""


def test_the_figures_of_the_store_are_printed() -> None:
    """Both tables of the store come out, each kind of list with its time, and the bytes of each table."""
    result = processes.run(sys.executable, "-m", "benchmarks.store", "--quick")

    assert result.returncode == 0, result.stderr
    for shown in ("page of 50 and total, ms", "last_active", "bytes a span on disk", "otel_traces", "session_traces"):
        assert shown in result.stdout


def test_the_figures_of_the_doors_are_printed() -> None:
    """Each kind of client has a row with the memory that it costs and the times of others, with its target beside it."""
    result = processes.run(sys.executable, "-m", "benchmarks.doors", "--quick", "--clients", "2", "--only", "silent")

    assert result.returncode == 0, result.stderr
    for shown in ("2 clients of a kind", "MB more", "http, silent connections", "grpc, silent connections", "< 50 MB"):
        assert shown in result.stdout


def test_the_figures_of_calls_are_printed() -> None:
    """A session's pages of calls and commits have a row for each shape, with the target beside it."""
    result = processes.run(sys.executable, "-m", "benchmarks.calls", "--quick", "--shape", "4 full cells")

    assert result.returncode == 0, result.stderr
    for shown in ("a page of 100 of 2,000 calls", "4 full cells, last page", "< 50", "a commit of one call", "bounded"):
        assert shown in result.stdout


def test_the_figures_of_conversations_are_printed() -> None:
    """Each kind of session has a row, with the target of a history that is repeated whole."""
    result = processes.run(sys.executable, "-m", "benchmarks.conversation", "--turns", "40", "--rounds", "1")

    assert result.returncode == 0, result.stderr
    for shown in ("a conversation of 40 turns", "whole history", "answers given twice", "ms of CPU", "< 50"):
        assert shown in result.stdout


def test_the_figures_of_log_records_are_printed() -> None:
    """All records that are sent are stored, and the figures come out with the target beside them."""
    result = processes.run(sys.executable, "-m", "benchmarks.logs", "--seconds", "1")

    assert result.returncode == 0, result.stderr
    for shown in ("log records over http", "512 records a request, 52 of them calls", "committed/s", ">= 40,000"):
        assert shown in result.stdout


def test_one_figure_can_be_asked_for() -> None:
    """Only the table of a named figure is printed."""
    result = run("--quick", "scopes")

    assert result.returncode == 0, result.stderr
    assert "scopes" in result.stdout
    assert "stamping" not in result.stdout


def test_an_unknown_figure_is_refused_with_the_known_ones() -> None:
    """An unknown figure is an error that lists the known ones."""
    result = run("speed")

    assert result.returncode == 2
    assert "stamping, scopes, exporter, memory" in result.stderr


def test_costs_are_per_unit_and_every_round_counts_once() -> None:
    """Each variant's cost is its own time over the units, in microseconds, and warming up is left out."""
    now = 0
    ran: Counter[str] = Counter()

    def task(name: str, nanoseconds: int) -> Callable[[], None]:
        def run() -> None:
            nonlocal now
            now += nanoseconds
            ran[name] += 1

        return run

    found = interleaved(
        {"one": task("one", 8_000), "two": task("two", 20_000)},
        rounds=5,
        units=4,
        before=task("before", 1_000_000),
        clock=lambda: now,
    )

    assert found.costs == {"one": [2.0] * 5, "two": [5.0] * 5}
    assert ran == {"one": 7, "two": 7, "before": 14}


def test_variants_are_compared_within_their_round() -> None:
    """A slow round moves neither what is added nor the ratio, though it moves every cost in it."""
    found = Rounds({"bare": [10.0, 30.0, 10.0], "floor": [14.0, 34.0, 14.0], "ours": [15.0, 35.0, 15.0]})

    assert found.median("bare") == 10.0
    assert found.added("ours", "bare") == 5.0
    assert found.ratio("ours", to="floor", base="bare") == 1.25


def test_a_round_in_which_the_other_variant_added_nothing_has_no_ratio() -> None:
    """Noise that makes the divisor zero or negative leaves the round out."""
    found = Rounds({"bare": [10.0, 10.0], "floor": [12.0, 10.0], "ours": [13.0, 20.0]})

    assert found.ratio("ours", to="floor", base="bare") == 1.5


def test_a_table_puts_targets_in_their_column() -> None:
    """Figures are aligned to the right, the target follows, and no line ends in blanks."""
    table = Table("speed (us)", ("span",), [Row("bare", ("9.10",)), Row("with us", ("12.05",), "<= 15 us")], ("noted",))

    assert str(table).splitlines() == [
        "speed (us)",
        "            span  target",
        "  bare      9.10",
        "  with us  12.05  <= 15 us",
        "  noted",
    ]


def test_spans_are_like_those_of_an_app() -> None:
    """A trace has eight spans, children first, about ten attributes each, one in three a model call, all in one session."""
    spans = [span for batch in islice(SpanStream().batches(3, sessions=48), 3) for span in batch]

    assert len(spans) == 3 * BATCH
    assert set(Counter(span.get_span_context().trace_id for span in spans).values()) == {8}  # type: ignore[union-attr]
    calls = [span for span in spans if (span.attributes or {}).get("gen_ai.operation.name") == "chat"]
    assert len(calls) == pytest.approx(len(spans) / 3, rel=0.01)
    assert {(span.attributes or {})["session.id"] for span in spans} == {f"ticket-{number}" for number in range(48)}
    assert 9 <= sum(len(span.attributes or {}) for span in spans) / len(spans) <= 11
    ended: set[int] = set()
    for span in spans:
        context = span.get_span_context()
        assert context is not None
        assert span.parent is None or span.parent.span_id not in ended
        ended.add(context.span_id)


def test_the_spans_are_counted_and_priced() -> None:
    """The spans of the exporter benchmark have usage, prices, sessions and failures."""
    exporter = SessionExporter()
    for batch in SpanStream().batches(3, sessions=4):
        exporter.export(batch)

    sessions = exporter.sessions()

    assert sum(session.span_count for session in sessions) == 3 * BATCH
    assert all(session.total_cost and not session.unpriced_call_count for session in sessions)
    assert any(session.failed_trace_count for session in sessions)
    assert exporter.dropped == {}


def test_the_figures_of_the_commands_are_printed() -> None:
    """Each command has its time, with its target beside it."""
    result = processes.run(sys.executable, "-m", "benchmarks.commands", "--rounds", "1")

    assert result.returncode == 0, result.stderr
    for shown in ("interpreter", "import otel_sessions", "help", "< 250 ms", "list", "< 400 ms"):
        assert shown in result.stdout
