"""`Telemetry`: the metrics of a server about itself, for Prometheus."""

from __future__ import annotations

import time
from collections import Counter as Counts
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from otel_sessions.counting.fold import OTHER_MODELS
from otel_sessions.drops import dropped_values

PREFIX: Final = "otel_sessions_"
MODELS_KEPT: Final = 200
SERVICES_KEPT: Final = 200
OTHER_SERVICES: Final = "(other services)"

_BYTES: Final = tuple(float(4**power) for power in range(5, 15))
_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class DroppedValues(Collector):
    """The values that the rules refused in this process, as a metric."""

    def collect(self) -> Iterable[Metric]:
        """Called by the registry."""
        family = CounterMetricFamily(
            f"{PREFIX}dropped_values", "Values that the rules refused", labels=["field", "reason"]
        )
        for labels, count in sorted(dropped_values().items()):
            family.add_metric(labels, count)
        yield family


class UnassignedRecords(Collector):
    """The spans and log records without a session, as a metric; left out while the store cannot answer."""

    def __init__(self, read: Callable[[], Iterable[tuple[str, Mapping[str, int]]] | None]) -> None:
        """Read the numbers by service and signal, the service with the most records first; `None` if they are not known."""
        self._read = read

    def describe(self) -> Iterable[Metric]:
        """The metric without its values: to register it, the store is not asked."""
        yield self._family()

    def collect(self) -> Iterable[Metric]:
        """Called by the registry."""
        family = self._family()
        others: Counts[str] = Counts()
        for place, (service, counts) in enumerate(self._read() or ()):
            for signal, count in counts.items():
                if place < SERVICES_KEPT:
                    family.add_metric((service, signal), count)
                else:
                    others[signal] += count
        for signal, count in others.items():
            family.add_metric((OTHER_SERVICES, signal), count)
        yield family

    def _family(self) -> GaugeMetricFamily:
        return GaugeMetricFamily(
            f"{PREFIX}unassigned_records", "Stored records without a session", labels=["service", "signal"]
        )


class Telemetry:
    """Metrics of one server, in a registry of their own. Any thread may use them.

    Attributes:
        registry: all of them.
        received: records in requests that were taken, by signal; repetitions included.
        stored: records that were committed, by signal.
        duplicates: spans that were stored before.
        rejected: records left out of requests that were taken, by signal and reason.
        refused: whole requests that were not taken, by signal and the name of the error.
        unpriced: model calls without a known cost, by model; those of a trace count again when it is recomputed.
        metrics: requests with metrics, which are not kept, by service.
        started: when this was made, nanoseconds UTC.
        segment_bytes: bytes of requests that were committed at once.
        commit_seconds: how long commits took.
    """

    def __init__(self) -> None:
        registry = self.registry = CollectorRegistry()

        def counter(name: str, about: str, *labels: str) -> Counter:
            return Counter(PREFIX + name, about, labels, registry=registry)

        self.received = counter("received_records", "Records in requests that were taken", "signal")
        self.stored = counter("stored_records", "Records that were committed", "signal")
        self.duplicates = counter("duplicate_spans", "Spans that were stored before")
        self.rejected = counter("rejected_records", "Records left out of requests that were taken", "signal", "reason")
        self.refused = counter("refused_requests", "Requests that were not taken", "signal", "reason")
        self.unpriced = counter("unpriced_calls", "Model calls without a known cost", "model")
        self.metrics = counter("metrics_requests", "Requests with metrics, which are not kept", "service")
        self.segment_bytes = Histogram(
            PREFIX + "segment_bytes", "Bytes of requests committed at once", buckets=_BYTES, registry=registry
        )
        self.commit_seconds = Histogram(
            PREFIX + "commit_seconds", "How long commits took", buckets=_SECONDS, registry=registry
        )
        registry.register(DroppedValues())
        self._models: set[str] = set()
        self._services: set[str] = set()
        self.started = time.time_ns()

    def gauge(self, name: str, about: str, value: Callable[[], float]) -> None:
        """Add a metric whose value is computed when it is read."""
        Gauge(PREFIX + name, about, registry=self.registry).set_function(value)

    def count_unpriced(self, model: str, calls: int) -> None:
        """Count calls of a model without a known cost; after `MODELS_KEPT` models, others are counted together."""
        if model not in self._models:
            if len(self._models) >= MODELS_KEPT:
                model = OTHER_MODELS
            self._models.add(model)
        self.unpriced.labels(model).inc(calls)

    def count_metrics(self, service: str) -> None:
        """Count a request with metrics; after `SERVICES_KEPT` services, others are counted together."""
        if service not in self._services:
            if len(self._services) >= SERVICES_KEPT:
                service = OTHER_SERVICES
            self._services.add(service)
        self.metrics.labels(service).inc()
