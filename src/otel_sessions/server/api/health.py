"""The state of the server: `/healthz` for people and probes, `/readyz` for load balancers, `/metrics` for Prometheus."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from importlib.metadata import version
from typing import Annotated, Any, Final, NamedTuple

import anyio
from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Depends, Request
from prometheus_client import Counter, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from pydantic import BaseModel, Field
from starlette.responses import Response

from otel_sessions.counting.fold import OTHER_MODELS
from otel_sessions.drops import dropped_values
from otel_sessions.server.api.dependencies import BackendDep
from otel_sessions.server.api.endpoints import Endpoint, answer
from otel_sessions.server.api.errors import error_responses, unavailable
from otel_sessions.server.api.models import Time
from otel_sessions.server.api.unassigned import UnassignedRecords
from otel_sessions.server.api_key import allows
from otel_sessions.server.backend import Backend
from otel_sessions.server.clickhouse.broken_parts import advice
from otel_sessions.server.clickhouse.errors import StoreError
from otel_sessions.server.problems import Problem
from otel_sessions.server.signals import SIGNALS
from otel_sessions.server.telemetry import MODELS_KEPT, SERVICES_KEPT
from otel_sessions.timestamps import format_time

READY_SECONDS: Final = 5.0
UNASSIGNED_SECONDS: Final = 1.0
"""A busy store leaves the question how much has no session open, since a probe must not wait for it."""

MAX_PROBES: Final = 2
"""How many readiness probes ask the store at once. They have threads of their own, so that no other request delays them."""

OPEN_PATHS: Final = frozenset({"/healthz", "/readyz"})
"""The paths that need no API key."""

_OPEN: Final[dict[str, Any]] = {"security": []}


class Health(BaseModel):
    """The state of the server, as far as it is shown without the API key."""

    status: str = Field(
        description="`ok`, or `degraded` if something is wrong; with the API key, `problems` says what.",
        examples=["ok"],
    )


class BySignal(BaseModel):
    """A number for each kind of record."""

    traces: int = Field(description="The number of spans.")
    logs: int = Field(description="The number of log records.")


class Refusals(BaseModel):
    """How often something was refused for one reason."""

    signal: str = Field(description="The kind of records, `traces` or `logs`.", examples=["traces"])
    reason: str = Field(description="Why it was refused.", examples=["invalid_trace_id"])
    count: int = Field(description="How often it was refused.")


class DroppedValues(BaseModel):
    """How many values of one field were dropped for one reason, because they break the rules for session attributes."""

    field: str = Field(description="The field, such as `session_id` or `tags`.", examples=["tags"])
    reason: str = Field(description="Why its values were dropped.", examples=["too_long"])
    count: int = Field(description="How many values were dropped.")


class UnpricedCalls(BaseModel):
    """How many calls of one model have no known cost."""

    model: str = Field(
        description=f"The name of the model, empty if a call names none; `{OTHER_MODELS}` after {MODELS_KEPT} names.",
        examples=["gpt-4o"],
    )
    count: int = Field(description="How many of its calls have no known cost.")


class ShownProblem(BaseModel):
    """Something that is wrong with the server now."""

    name: str = Field(description="The kind of problem, for alerts.", examples=["requests_set_aside"])
    message: str = Field(description="What is wrong, and the next step.")
    blocks: bool = Field(description="True if nothing can be committed now, so that `/readyz` says 503.")


class BrokenParts(BaseModel):
    """The parts of one table that could not be read when the server started."""

    table: str = Field(description="The table.", examples=["otel_traces"])
    count: int = Field(description="How many of its parts could not be read.")
    advice: str = Field(description="What is missing, and what mends it.")


class MetricsRequests(BaseModel):
    """How many requests with metrics a service sent."""

    service: str = Field(description="The name of the service; empty if it is not known.", examples=["claude-code"])
    count: int = Field(description="How many requests with metrics it sent.")


class StoreState(BaseModel):
    """How large the store is."""

    bytes: int = Field(description="Bytes of its tables on disk.")
    free_bytes: int | None = Field(description="Bytes that are free there; null if it is on another machine.")


class HealthDetails(Health):
    """The state of the server, and its counts since it started."""

    version: str = Field(description="The version of otel-sessions that the server runs.", examples=["0.1.0"])
    time: Time = Field(description="The time by the server's clock.")
    started: Time = Field(description="When the server started, since when it counts.")
    problems: list[ShownProblem] = Field(description="What is wrong now; empty if the status is `ok`.")
    backlog_bytes: int = Field(description="Bytes of acknowledged requests that are not committed to the store yet.")
    received: BySignal = Field(description="Records in requests that were accepted, including repeated ones.")
    stored: BySignal = Field(description="Records that were committed to the store.")
    duplicate_spans: int = Field(description="Spans that were already stored.")
    rejected: list[Refusals] = Field(description="Records left out of requests that were accepted otherwise.")
    refused: list[Refusals] = Field(description="Whole requests that were not accepted.")
    commit_retries: int = Field(description="How often a commit was tried again because the store was unavailable.")
    requests_set_aside: int = Field(
        description="Acknowledged requests that could not be stored. They are kept in files in the requests folder."
    )
    segments_damaged: int = Field(
        description="Damaged segments of the log of requests. Their files are kept in the requests folder."
    )
    broken_parts: list[BrokenParts] = Field(
        description="Parts of tables that could not be read when the server started, for example after a power failure."
    )
    retention_waits: str | None = Field(
        description="Why retention deletes nothing by age at the moment: the clock seems to have jumped."
    )
    dropped_values: list[DroppedValues] = Field(
        description="Values that were dropped because they break the rules for session attributes."
    )
    metrics_requests: list[MetricsRequests] = Field(
        description=f"Requests with metrics, which are not kept, by service, at most {SERVICES_KEPT}."
    )
    store: StoreState | None = Field(description="How large the store is; null while it cannot answer.")
    retention: str | None = Field(description="How much is kept; null for everything.", examples=["30d,20000000000B"])
    unpriced_calls: list[UnpricedCalls] = Field(description="Model calls without a known cost, by model.")
    unassigned: list[UnassignedRecords] | None = Field(
        description=(
            f"Stored spans and log records that are in no session, by service, at most {SERVICES_KEPT}; "
            "`/v1/unassigned` has them all. Null while the store cannot answer."
        )
    )


class Readiness:
    """Checks that a commit would succeed, in time."""

    def __init__(
        self, ping: Callable[[], object], *, timeout: float = READY_SECONDS, max_probes: int = MAX_PROBES
    ) -> None:
        """Ask with `ping`.

        Args:
            ping: returns if a commit would succeed, else raises `StoreError`; it may block.
            timeout: how many seconds it may take.
            max_probes: how many threads call it at once.
        """
        self._ping = ping
        self._timeout = timeout
        self._limiter = CapacityLimiter(max_probes)

    async def check(self) -> None:
        """Return if a commit would succeed, and that is known in time.

        Raises:
            ApiError: it would not.
        """
        try:
            with anyio.fail_after(self._timeout):
                await to_thread.run_sync(self._ping, limiter=self._limiter, abandon_on_cancel=True)
        except (StoreError, OSError, RuntimeError, MemoryError):
            raise unavailable("not_ready", "nothing can be committed now; /healthz says why") from None


router: Final = APIRouter(route_class=Endpoint, tags=["health"], responses=error_responses(400, 421))


async def _has_key(request: Request) -> bool:
    return allows(request.app.state.api_key, request.headers.get("authorization"))


async def _readiness(request: Request) -> Readiness:
    readiness: Readiness = request.app.state.readiness
    return readiness


@router.get(
    "/healthz",
    operation_id="getHealth",
    summary="Get the server's health",
    response_model=HealthDetails | Health,
    response_description="The server runs. The counts are left out without the API key.",
    openapi_extra=_OPEN,
)
async def health(backend: BackendDep, has_key: Annotated[bool, Depends(_has_key)]) -> Response:
    """Get the server's state and its counts since it started. Without the API key only the state is shown."""
    if not has_key:
        return answer(Health(status=_status(backend.problems.current())))
    stored = _Stored(None, None)
    with anyio.move_on_after(UNASSIGNED_SECONDS):
        stored = await to_thread.run_sync(_stored, backend, abandon_on_cancel=True)
    return answer(health_of(backend, stored))


@router.get(
    "/readyz",
    operation_id="getReadiness",
    summary="Check that the server can commit",
    response_model=Health,
    response_description="A commit would succeed now.",
    responses=error_responses(503),
    openapi_extra=_OPEN,
)
async def readiness(readiness: Annotated[Readiness, Depends(_readiness)]) -> Response:
    """Check that what is sent now would be committed: 200 if it would, 503 if not. `/healthz` says why not."""
    await readiness.check()
    return answer(Health(status="ok"))


@router.get(
    "/metrics",
    operation_id="getMetrics",
    summary="Get metrics for Prometheus",
    response_class=Response,
    responses={
        200: {
            "description": "The metrics in the text format of Prometheus.",
            "content": {"text/plain": {"schema": {"type": "string"}}},
        },
        **error_responses(401),
    },
)
def metrics(backend: BackendDep) -> Response:
    """Get the server's counts since it started, as metrics for Prometheus."""
    return Response(generate_latest(backend.telemetry.registry), headers={"Content-Type": CONTENT_TYPE_PLAIN_0_0_4})


class _Stored(NamedTuple):
    """What the store tells: what is in no session, and how large it is; `None` if it does not answer."""

    unassigned: list[UnassignedRecords] | None
    state: StoreState | None


def _stored(backend: Backend) -> _Stored:
    try:
        found = backend.reader.unassigned_now()[:SERVICES_KEPT]
        sizes = backend.reader.sizes_now()
    except (StoreError, OSError):
        return _Stored(None, None)
    return _Stored(
        [UnassignedRecords(service=one.service, span_count=one.spans, log_record_count=one.logs) for one in found],
        StoreState(bytes=sizes.used, free_bytes=sizes.free),
    )


@cache
def _version() -> str:
    return version("otel-sessions")


def health_of(backend: Backend, stored: _Stored) -> HealthDetails:
    """The state of a backend, and its counts; what the store tells is null if it is not known."""
    telemetry, problems = backend.telemetry, backend.problems.current()
    return HealthDetails(
        status=_status(problems),
        version=_version(),
        time=format_time(time.time_ns()),
        started=format_time(telemetry.started),
        problems=[ShownProblem(**problem._asdict()) for problem in problems],
        backlog_bytes=backend.backlog_bytes,
        received=_by_signal(telemetry.received),
        stored=_by_signal(telemetry.stored),
        duplicate_spans=sum(count for _, count in _counts(telemetry.duplicates)),
        rejected=[Refusals(count=count, **labels) for labels, count in _counts(telemetry.rejected)],
        refused=[Refusals(count=count, **labels) for labels, count in _counts(telemetry.refused)],
        commit_retries=backend.commit_retries,
        requests_set_aside=backend.requests_set_aside,
        segments_damaged=backend.segments_damaged,
        broken_parts=[
            BrokenParts(table=table, count=parts, advice=advice(table, parts))
            for table, parts in backend.broken_parts.items()
        ],
        retention_waits=backend.retention_waits,
        dropped_values=[
            DroppedValues(field=field, reason=reason, count=count)
            for (field, reason), count in sorted(dropped_values().items())
        ],
        unassigned=stored.unassigned,
        metrics_requests=[MetricsRequests(count=count, **labels) for labels, count in _counts(telemetry.metrics)],
        store=stored.state,
        retention=backend.retention,
        unpriced_calls=[UnpricedCalls(count=count, **labels) for labels, count in _counts(telemetry.unpriced)],
    )


def _status(problems: Sequence[Problem]) -> str:
    return "degraded" if problems else "ok"


def _by_signal(counter: Counter) -> BySignal:
    counts = {labels["signal"]: count for labels, count in _counts(counter)}
    return BySignal(**{signal: counts.get(signal, 0) for signal in SIGNALS})


def _counts(counter: Counter) -> Iterator[tuple[dict[str, str], int]]:
    for metric in counter.collect():
        for sample in metric.samples:
            if sample.name.endswith("_total"):
                yield sample.labels, int(sample.value)
