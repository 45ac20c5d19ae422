"""What a server has stored, as findings with a fix."""

from __future__ import annotations

from typing import Any

from tests.cli.sending import a_session

from otel_sessions.cli.checks.check import Seen, Uncaptured, findings
from otel_sessions.cli.checks.session_checks import SESSION_CHECKS, _age

NOW = 1_795_000_000 * 10**9
HEALTH: dict[str, Any] = {
    "time": "2026-11-18T11:06:40.000Z",
    "started": "2026-11-18T10:00:00.000Z",
    "received": {"traces": 1, "logs": 0},
    "stored": {"traces": 1, "logs": 0},
    "duplicate_spans": 0,
}
KEYS = ({"key": "id"},)
MODEL: dict[str, Any] = {
    "provider": None,
    "model": "our own",
    "unpriced_call_count": 0,
    "cost_sources": [],
    "input": None,
    "output": None,
}
SET = "otel-sessions prices set 'our own' --input USD --output USD; then: otel-sessions prices recompute"


def found(health: dict[str, Any] | None = None, **more: Any) -> list[tuple[str, str, str]]:
    """The checks that find something, with the finding and the fix."""
    seen = Seen("http://127.0.0.1:4318", NOW, "1", health={**HEALTH, **(health or {})}, **{"keys": KEYS, **more})
    return [(one.check, one.finding, one.fix) for one in findings(SESSION_CHECKS, seen)]


def test_a_store_that_is_well() -> None:
    """A store with a session that is counted and priced has no finding."""
    assert found(sessions=(a_session("s", end="2026-11-18T11:00:00.000Z"),), models=(MODEL,)) == []


def test_nothing_has_come() -> None:
    """An empty store, of a server that received nothing; records on their way are something."""
    ((check, finding, fix),) = found({"received": {"traces": 0, "logs": 0}}, keys=())
    assert (check, finding) == ("nothing", "the server has no record, and none has come since it started")
    assert fix.startswith("otel-sessions connect python")
    assert found(keys=()) == []


def test_services_that_send_metrics_only() -> None:
    """One that also sends something else is well; an agent is told how it is connected."""
    metrics = [{"service": name, "count": 1} for name in ("web", "shop", "claude-code", "codex_cli_rs", "own", "")]
    health = {"metrics_requests": metrics}
    unassigned = (
        {"service": "shop", "span_count": 0, "log_record_count": 0, "hint": "h", "last_seen": HEALTH["time"]},
    )
    told = [
        one for one in found(health, services=frozenset({"web"}), unassigned=unassigned) if one[0] == "metrics_only"
    ]
    assert [(finding.split(" ")[0], fix) for _, finding, fix in told] == [
        ("claude-code", "otel-sessions connect claude-code"),
        ("codex_cli_rs", "otel-sessions connect codex"),
        ("own", "export OTEL_TRACES_EXPORTER=otlp OTEL_LOGS_EXPORTER=otlp"),
    ]
    ((_, finding, _),) = found({"metrics_requests": metrics[-1:]})
    assert finding == "a service without a name sends metrics only, which hold no session"


def test_records_in_no_session() -> None:
    """Each service with its hint."""
    some = {
        "service": "shop",
        "span_count": 1,
        "log_record_count": 2_000,
        "hint": "do this",
        "last_seen": HEALTH["time"],
    }
    assert found(unassigned=(some, {**some, "service": "", "span_count": 0})) == [
        ("unassigned", "1 span and 2,000 log records of shop in no session", "do this"),
        ("unassigned", "2,000 log records of a service without a name in no session", "do this"),
    ]


def test_sessions_of_another_key() -> None:
    """Where no session has the key of the list; beside others of it, they are no finding."""
    assert found(keys=({"key": "ticket id"}, {"key": "b"})) == [
        ("other_keys", "no session has the key id; sessions have: ticket id, b", "otel-sessions list --key 'ticket id'")
    ]
    assert found(keys=({"key": "id"}, {"key": "b"})) == []


def test_records_of_the_future() -> None:
    """A session that ends after the server's time by more than five minutes."""
    sessions = (a_session("s", end="2026-11-18T11:12:00.000Z"), a_session("t", end="2026-11-18T11:11:00.000Z"))
    assert found(sessions=sessions) == [
        (
            "future",
            "session s of web ends 5 minutes after the server's time",
            "set the clock where web runs: sudo timedatectl set-ntp true",
        )
    ]


def test_records_of_the_past() -> None:
    """Records that came since the start and are all far older; what was there before is none of them."""
    old = (a_session("s", end="2026-11-11T10:00:00.000Z"),)
    ((check, finding, _),) = found(sessions=old)
    assert check == "past"
    assert "the newest one is 7 days older" in finding
    assert found({"stored": {"traces": 0, "logs": 0}}, sessions=old) == []
    assert found({"duplicate_spans": 1}, sessions=old) == []
    assert found({"started": None}, sessions=old) == []
    ((_, finding, _),) = found(sessions=(a_session("s", end="2026-11-18T07:59:00.000Z"),))
    assert "2 hours older" in finding


def test_words_that_were_not_captured() -> None:
    """One finding a switch."""
    some = (Uncaptured("a", "set X"), Uncaptured("b", "set X"), Uncaptured("c", None))
    assert [(finding.split(" were")[0], fix) for _, finding, fix in found(uncaptured=some)] == [
        ("the words of a, b", "set X"),
        ("the words of c", "see docs/messages.md for the switch of the instrumentation"),
    ]


def test_models_without_a_price() -> None:
    """The fix is the command that gives it, with the names quoted for a shell."""
    unpriced = {**MODEL, "unpriced_call_count": 1}
    assert found(models=(unpriced,)) == [
        ("unpriced", "1 call of our own without a known cost, since no price is known", SET)
    ]
    ((_, finding, fix),) = found(models=({**unpriced, "provider": "acme"},))
    assert "our own of acme" in finding
    assert " --provider acme " in fix
    ((_, _, fix),) = found(models=({**unpriced, "input": "1"},))
    assert fix == "otel-sessions prices recompute, unless the calls report no tokens"
    ((_, _, fix),) = found(models=({**unpriced, "model": None},))
    assert fix == "have the instrumentation set gen_ai.request.model"


def test_costs_that_are_not_exact() -> None:
    """The doubt is told; a source in brackets that is none is not."""
    sources = ["genai-prices 1 (at least: for how long)", "genai-prices 1", "reported:x (mine)"]
    ((check, finding, fix),) = found(models=({**MODEL, "cost_sources": sources},))
    assert (check, finding) == ("at_least", "costs of our own are not exact: at least: for how long")
    assert " --cache-read USD --cache-write USD" in fix


def test_a_clock_that_is_seconds_off() -> None:
    """Ages are told in the unit that fits."""
    ((_, finding, _),) = found({"time": None}, sessions=(a_session("s", end="2026-11-18T11:11:41.000Z"),))
    assert "5 minutes" in finding


def test_ages() -> None:
    """An age is told in the largest unit of which there are two."""
    assert [_age(seconds) for seconds in (0, 119, 120, 7_200, 172_800)] == [
        "0 seconds",
        "119 seconds",
        "2 minutes",
        "2 hours",
        "2 days",
    ]
