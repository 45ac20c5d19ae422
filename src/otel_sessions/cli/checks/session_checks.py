"""Checks of what a server has stored."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import Any, Final

from otel_sessions.cli.checks.check import Check, Seen, Told, counted
from otel_sessions.cli.shown import number
from otel_sessions.timestamps import SECOND_NS, parse_time

AHEAD_SECONDS: Final = 300
BEHIND_SECONDS: Final = 3_600
"""How far a record may be ahead of the server's clock, and how far behind the start of the server all records."""

_MOST: Final = 20
"""How many findings of one kind are told."""

_TARGETS: Final = (
    ("claude-code", "claude-code"),
    ("codex", "codex"),
    ("gemini", "gemini"),
    ("qwen", "qwen"),
    ("copilot", "copilot"),
    ("github-copilot", "copilot"),
)
"""Beginnings of names of services, and what `connect` calls them."""


def nothing(seen: Seen) -> Iterator[Told]:
    """Nothing is stored, and nothing has come."""
    received = (seen.health or {}).get("received") or {}
    if not seen.keys and not seen.unassigned and not any(received.values()):
        yield Told(
            "the server has no record, and none has come since it started",
            "otel-sessions connect python, or another of: otel-sessions connect --help; then: otel-sessions connect python --check",
        )


def metrics_only(seen: Seen) -> Iterator[Told]:
    """Services that send metrics, and neither spans nor log records."""
    known = seen.services | {str(one["service"]) for one in seen.unassigned}
    for one in seen.counts("metrics_requests"):
        service = str(one["service"])
        if service in known or (not service and known):
            continue
        target = next((target for start, target in _TARGETS if service.startswith(start)), None)
        fix = (
            "export OTEL_TRACES_EXPORTER=otlp OTEL_LOGS_EXPORTER=otlp"
            if target is None
            else f"otel-sessions connect {target}"
        )
        yield Told(f"{service or 'a service without a name'} sends metrics only, which hold no session", fix)


def unassigned(seen: Seen) -> Iterator[Told]:
    """Spans and log records that are in no session."""
    for one in seen.unassigned[:_MOST]:
        counts = ((one["span_count"], "span"), (one["log_record_count"], "log record"))
        shown = " and ".join(counted(count, what) for count, what in counts if count)
        yield Told(f"{shown} of {one['service'] or 'a service without a name'} in no session", str(one["hint"]))


def other_keys(seen: Seen) -> Iterator[Told]:
    """Sessions under other keys than the one that lists show."""
    others = [str(one["key"]) for one in seen.keys if one["key"] != seen.key]
    if others and all(one["key"] != seen.key for one in seen.keys):
        yield Told(
            f"no session has the key {seen.key}; sessions have: {', '.join(others[:_MOST])}",
            f"otel-sessions list --key {shlex.quote(others[0])}",
        )


def future(seen: Seen) -> Iterator[Told]:
    """Records that are ahead of the server's clock, which stand before all others in lists."""
    now = parse_time(str((seen.health or {}).get("time"))) or seen.now
    for session in seen.sessions[:_MOST]:
        end = parse_time(str(session["end"])) or 0
        if end > now + AHEAD_SECONDS * SECOND_NS:
            services = ", ".join(session.get("services") or ()) or "a service without a name"
            yield Told(
                f"session {session['id']} of {services} ends {_age((end - now) // SECOND_NS)} after the server's time",
                f"set the clock where {services} runs: sudo timedatectl set-ntp true",
            )


def past(seen: Seen) -> Iterator[Told]:
    """Records that came since the start of the server, and are all far older."""
    health = seen.health or {}
    started = parse_time(str(health.get("started")))
    came = sum((health.get("stored") or {}).values()) - (health.get("duplicate_spans") or 0)
    times = [str(one["end"]) for one in seen.sessions] + [str(one["last_seen"]) for one in seen.unassigned]
    newest = max((parse_time(text) or 0 for text in times), default=None)
    if started is None or newest is None or came <= 0:
        return
    behind = (started - newest) // SECOND_NS
    if behind > BEHIND_SECONDS:
        yield Told(
            f"records came since the server started, and the newest one is {_age(behind)} older, so --since may leave all of them out",
            "sudo timedatectl set-ntp true, where the records come from; nothing if they were imported",
        )


def uncaptured(seen: Seen) -> Iterator[Told]:
    """Sessions whose words were not sent."""
    switches = dict.fromkeys(one.switch for one in seen.uncaptured)
    for switch in switches:
        sessions = [one.session for one in seen.uncaptured if one.switch == switch]
        yield Told(
            f"the words of {', '.join(sessions)} were not captured, so there are no messages and no titles from them",
            switch or "see docs/messages.md for the switch of the instrumentation",
        )


def unpriced(seen: Seen) -> Iterator[Told]:
    """Models without a known price."""
    for one in [one for one in seen.models if one["unpriced_call_count"]][:_MOST]:
        calls = counted(one["unpriced_call_count"], "call")
        if one["model"] is None:
            yield Told(
                f"{calls} without a known cost and without a model", "have the instrumentation set gen_ai.request.model"
            )
        elif one["input"] is not None or one["output"] is not None:
            yield Told(
                f"{calls} of {_named(one)} without a known cost, though the model has a price now",
                "otel-sessions prices recompute, unless the calls report no tokens",
            )
        else:
            yield Told(f"{calls} of {_named(one)} without a known cost, since no price is known", _prices_set(one))


def at_least(seen: Seen) -> Iterator[Told]:
    """Costs that are a lower bound, or an estimate."""
    for one in seen.models[:_MOST]:
        for source in one["cost_sources"]:
            _, doubtful, why = source.partition(" (")
            if doubtful and (why.startswith(("at least:", "by input and output"))):
                yield Told(
                    f"costs of {_named(one)} are not exact: {why.rstrip(')')}",
                    f"have the emitter report its cost, or give one price for all: {_prices_set(one, cache=True)}",
                )


def _named(one: Any) -> str:
    return f"{one['model']}" + (f" of {one['provider']}" if one["provider"] else "")


def _prices_set(one: Any, *, cache: bool = False) -> str:
    provider = f" --provider {shlex.quote(str(one['provider']))}" if one["provider"] else ""
    more = " --cache-read USD --cache-write USD" if cache else ""
    model = shlex.quote(str(one["model"]))
    return f"otel-sessions prices set {model}{provider} --input USD --output USD{more}; then: otel-sessions prices recompute"


def _age(seconds: int) -> str:
    for size, unit in ((86_400, "days"), (3_600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{number(seconds // size)} {unit}"
    return f"{number(seconds)} seconds"


SESSION_CHECKS: Final = (
    Check("nothing", "Has anything come?", nothing),
    Check("metrics_only", "Does a service send metrics only?", metrics_only),
    Check("unassigned", "Are spans or log records in no session?", unassigned),
    Check("other_keys", "Are the sessions under another key?", other_keys),
    Check("future", "Are records ahead of the server's clock?", future),
    Check("past", "Are new records far behind the server's clock?", past),
    Check("uncaptured", "Are words of conversations not captured?", uncaptured),
    Check("unpriced", "Are calls without a known cost?", unpriced),
    Check("at_least", "Are costs lower bounds?", at_least),
)
