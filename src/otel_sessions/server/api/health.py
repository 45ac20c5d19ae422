"""How the server is: `/healthz` for people and probes, `/readyz` for load balancers, `/metrics` for Prometheus."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated, Any, Final

import anyio
from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Depends, Request
from prometheus_client import CollectorRegistry, Counter, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.metrics_core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector
from pydantic import BaseModel, Field
from starlette.responses import Response

from otel_sessions.drops import dropped_values
from otel_sessions.server.api.endpoints import Endpoint, answer
from otel_sessions.server.api.errors import RETRY_SECONDS, ApiError, documented
from otel_sessions.server.api.parameters import AnyBackend
from otel_sessions.server.api_key import allows
from otel_sessions.server.backend import Backend
from otel_sessions.server.clickhouse.errors import StoreError
from otel_sessions.server.signals import SIGNALS
from otel_sessions.server.telemetry import PREFIX

READY_SECONDS: Final = 5.0

OPEN_PATHS: Final = frozenset({"/healthz", "/readyz"})
"""What is answered without an API key."""

_OPEN: Final[dict[str, Any]] = {"security": []}


class Health(BaseModel):
    """That the server runs, which is all that is said without the API key."""

    status: str = Field(description="`ok`, or `degraded` if requests had to be set aside.", examples=["ok"])


class BySignal(BaseModel):
    """A number for each kind of record."""

    traces: int
    logs: int


class Refusals(BaseModel):
    """How much was not taken, and why."""

    signal: str
    reason: str
    count: int


class DroppedValues(BaseModel):
    """How many values the rules refused."""

    field: str
    reason: str
    count: int


class UnpricedCalls(BaseModel):
    """Model calls without a known cost."""

    model: str
    count: int


class HealthDetails(Health):
    """What the server counted since it started."""

    backlog_bytes: int = Field(description="Acknowledged and not committed.")
    received: BySignal = Field(description="Records in requests that were taken; repetitions included.")
    stored: BySignal = Field(description="Records that were committed.")
    duplicate_spans: int = Field(description="Spans that were stored before.")
    rejected: list[Refusals] = Field(description="Records left out of requests that were taken.")
    refused: list[Refusals] = Field(description="Whole requests that were not taken.")
    commit_retries: int = Field(description="Commits tried again because the store was away.")
    requests_set_aside: int = Field(description="Requests that cannot be stored, kept in files.")
    dropped_values: list[DroppedValues]
    unpriced_calls: list[UnpricedCalls]


router: Final = APIRouter(route_class=Endpoint, tags=["health"], responses=documented(400))


async def _knows_key(request: Request) -> bool:
    return allows(request.app.state.api_key, request.headers.get("authorization"))


async def _limiter(request: Request) -> CapacityLimiter:
    limiter: CapacityLimiter = request.app.state.probes
    return limiter


@router.get(
    "/healthz",
    operation_id="getHealth",
    summary="See how the server is",
    response_model=HealthDetails | Health,
    openapi_extra=_OPEN,
)
async def health(backend: AnyBackend, knows_key: Annotated[bool, Depends(_knows_key)]) -> Response:
    """Whether the server runs, and what it counted since it started; without the API key only the former."""
    details = health_of(backend)
    return answer(details if knows_key else Health(status=details.status))


@router.get(
    "/readyz",
    operation_id="getReadiness",
    summary="See whether the server can answer",
    response_model=Health,
    responses=documented(503),
    openapi_extra=_OPEN,
)
async def readiness(backend: AnyBackend, limiter: Annotated[CapacityLimiter, Depends(_limiter)]) -> Response:
    """200 if the store answers, else 503."""

    def ask() -> None:
        with backend.store.reading() as client:
            client.command("SELECT 1")

    try:
        with anyio.fail_after(READY_SECONDS):
            await to_thread.run_sync(ask, limiter=limiter, abandon_on_cancel=True)
    except (StoreError, TimeoutError):
        raise ApiError(
            503, "not_ready", "the store does not answer", headers={"Retry-After": str(RETRY_SECONDS)}
        ) from None
    return answer(Health(status="ok"))


@router.get(
    "/metrics",
    operation_id="getMetrics",
    summary="Read metrics",
    response_class=Response,
    responses={
        200: {
            "description": "Metrics as Prometheus reads them.",
            "content": {"text/plain": {"schema": {"type": "string"}}},
        },
        **documented(401),
    },
)
async def metrics(backend: AnyBackend) -> Response:
    """What the server counted since it started, for Prometheus."""
    own = CollectorRegistry()
    own.register(_Dropped())
    text = generate_latest(backend.telemetry.registry) + generate_latest(own)
    return Response(text, headers={"Content-Type": CONTENT_TYPE_PLAIN_0_0_4})


def health_of(backend: Backend) -> HealthDetails:
    """What a backend counted."""
    telemetry = backend.telemetry
    set_aside = _value(backend, "requests_set_aside")
    return HealthDetails(
        status="degraded" if set_aside else "ok",
        backlog_bytes=backend.backlog_bytes,
        received=_by_signal(telemetry.received),
        stored=_by_signal(telemetry.stored),
        duplicate_spans=_value(backend, "duplicate_spans_total"),
        rejected=[Refusals(count=count, **labels) for labels, count in _counts(telemetry.rejected)],
        refused=[Refusals(count=count, **labels) for labels, count in _counts(telemetry.refused)],
        commit_retries=_value(backend, "commit_retries"),
        requests_set_aside=set_aside,
        dropped_values=[
            DroppedValues(field=field, reason=reason, count=count)
            for (field, reason), count in sorted(dropped_values().items())
        ],
        unpriced_calls=[UnpricedCalls(count=count, **labels) for labels, count in _counts(telemetry.unpriced)],
    )


class _Dropped(Collector):
    def collect(self) -> Iterable[Metric]:
        """The values that the rules refused, as a metric."""
        family = CounterMetricFamily(
            f"{PREFIX}dropped_values", "Values that the rules refused", labels=["field", "reason"]
        )
        for labels, count in sorted(dropped_values().items()):
            family.add_metric(labels, count)
        yield family


def _value(backend: Backend, name: str) -> int:
    return int(backend.telemetry.registry.get_sample_value(PREFIX + name) or 0)


def _by_signal(counter: Counter) -> BySignal:
    counts = {labels["signal"]: count for labels, count in _counts(counter)}
    return BySignal(**{signal: counts.get(signal, 0) for signal in SIGNALS})


def _counts(counter: Counter) -> Iterator[tuple[dict[str, str], int]]:
    for metric in counter.collect():
        for sample in metric.samples:
            if sample.name.endswith("_total"):
                yield sample.labels, int(sample.value)
