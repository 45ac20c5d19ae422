"""Checks of what a server says of itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from otel_sessions.cli.checks.check import Check, Seen, Told, counted
from otel_sessions.cli.shown import number
from otel_sessions.timestamps import SECOND_NS, parse_time

CLOCK_SECONDS: Final = 60
"""How far two clocks may be apart."""

FREE_BYTES: Final = 1 << 30

_REFUSED: Final = {
    "Malformed": "check that the exporter sends OTLP: protobuf or JSON to /v1/traces and /v1/logs, or gRPC to the other port",
    "TooLarge": "send smaller batches: export OTEL_BSP_MAX_EXPORT_BATCH_SIZE=128",
    "UnsupportedContentType": "export OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf",
    "UnsupportedEncoding": "export OTEL_EXPORTER_OTLP_COMPRESSION=gzip",
    "Unauthenticated": "export OTEL_EXPORTER_OTLP_HEADERS='Authorization=Bearer%20YOUR_KEY'",
    "Busy": "nothing if it was rare, senders try again; else give room with: otel-sessions serve --backlog 256MiB",
    "Unavailable": "see the log of the server; senders try again",
    "TooSlow": "check the network between the sender and the server",
    "SlowCall": "check the network between the sender and the server",
}
_REJECTED: Final = {
    "invalid_trace_id": "have the sender write ids of 16 bytes that are not all zero; in JSON 32 hexadecimal digits",
    "invalid_span_id": "have the sender write ids of 8 bytes that are not all zero; in JSON 16 hexadecimal digits",
}
_DROPPED: Final = {
    "type": "give ids as str, int or UUID, and names and tags as str",
    "empty": "give a value that is not blank, or none",
    "too_long": "give shorter values: ids, names and tags up to 200 characters, values of session keys up to 512",
    "characters": "give ids and values of session keys in printable ASCII, other texts without control characters",
    "not_utf8": "give texts that can be written as UTF-8, without lone surrogates",
    "not_finite": "give finite numbers",
    "out_of_range": "give integers of 64 bits",
}
_ANY_DROPPED: Final = "see the rules for session attributes; OTEL_SESSIONS_STRICT=true makes them raise in test suites"
_PROBLEMS: Final = {
    "requests_set_aside": "stop the server, and run: otel-sessions retry-refused",
    "broken_parts": "stop the server, and run: otel-sessions rebuild",
    "replaying": "wait until it is done",
    "commits_fail": "do what the log of the server says; what was acknowledged is kept and stored later",
    "committer_gone": "start the server again",
    "retention_waits": "sudo timedatectl set-ntp true",
}


def problems(seen: Seen) -> Iterator[Told]:
    """What the server itself says is wrong."""
    for problem in seen.counts("problems"):
        fix = _PROBLEMS.get(str(problem["name"]), "see the log of the server")
        yield Told(str(problem["message"]), fix)


def refused(seen: Seen) -> Iterator[Told]:
    """Whole requests that were not taken since the start."""
    for one in seen.counts("refused"):
        if one["count"]:
            yield Told(
                f"{counted(one['count'], 'request')} with {one['signal']} refused: {one['reason']}",
                _REFUSED.get(str(one["reason"]), "see the log of the sender, which has the answer of the server"),
            )


def rejected(seen: Seen) -> Iterator[Told]:
    """Records that were left out of requests since the start."""
    for one in seen.counts("rejected"):
        if one["count"]:
            yield Told(
                f"{counted(one['count'], 'record')} of {one['signal']} left out: {one['reason']}",
                _REJECTED.get(str(one["reason"]), "see the log of the sender, which has the answer of the server"),
            )


def dropped(seen: Seen) -> Iterator[Told]:
    """Values that the rules for session attributes refused since the start."""
    for one in seen.counts("dropped_values"):
        yield Told(
            f"{counted(one['count'], 'value')} of {one['field']} dropped: {one['reason']}",
            _DROPPED.get(str(one["reason"]), _ANY_DROPPED),
        )


def clocks(seen: Seen) -> Iterator[Told]:
    """The clock of the server beside that of this machine."""
    at = parse_time(str((seen.health or {}).get("time")))
    apart = 0 if at is None else abs(seen.now - at) // SECOND_NS
    if apart > CLOCK_SECONDS:
        yield Told(
            f"the clocks of the server and of this machine are {number(apart)} seconds apart, so --since finds other sessions than you mean",
            "sudo timedatectl set-ntp true",
        )


def versions(seen: Seen) -> Iterator[Told]:
    """The version of the server beside that of the command."""
    if seen.health is None or not seen.url:
        return
    theirs = seen.health.get("version")
    if theirs != seen.version:
        shown = "an older version" if theirs is None else f"version {theirs}"
        yield Told(
            f"the server runs {shown}, this command is {seen.version}",
            f"stop the server, run: pip install 'otel-sessions[server]=={seen.version}', and start it again",
        )


def room(seen: Seen) -> Iterator[Told]:
    """The room on the disk of the store."""
    free = ((seen.health or {}).get("store") or {}).get("free_bytes")
    if free is not None and free < FREE_BYTES:
        yield Told(
            f"{number(free)} bytes are free on the disk of the store; when it is full, nothing is stored",
            "keep less: otel-sessions serve --retention 30d,5GB",
        )


SERVER_CHECKS: Final = (
    Check("problems", "Does the server name a problem?", problems),
    Check("refused", "Were requests refused?", refused),
    Check("rejected", "Were records left out of requests?", rejected),
    Check("dropped", "Were values of session attributes dropped?", dropped),
    Check("clocks", "Do the clocks of the server and of this machine agree?", clocks),
    Check("versions", "Are the server and this command of one version?", versions),
    Check("room", "Is there room on the disk of the store?", room),
)
