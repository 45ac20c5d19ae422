"""`SessionCounter`: what the exporters of spans and of log records share: the rollups, and the faults that were met."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from opentelemetry.sdk.resources import Resource

from otel_sessions.counting.facts import SpanFacts
from otel_sessions.drops import DropCounter
from otel_sessions.resource import ResourceFacts, read_resource
from otel_sessions.rollups import Rollups

_RESOURCES_KEPT: Final = 64

Facts = tuple[int, SpanFacts]
"""The id of a trace or cell, and the facts of a span or record of it."""


class SessionCounter:
    """Adds what spans and log records tell of to sessions.

    Attributes:
        rollups: the sessions.
    """

    def __init__(self, rollups: Rollups, drops: DropCounter) -> None:
        """Count into these rollups, and faults into these drops."""
        self.rollups: Final = rollups
        self._drops = drops
        self._resources: dict[int, tuple[Resource, ResourceFacts]] = {}

    def add(self, facts: Iterable[Facts | None]) -> None:
        """Add facts; `None` stands for what could not be read."""
        self.rollups.add(one for one in facts if one is not None)

    def fault(self, reason: str, what: str, error: Exception) -> None:
        """Count an error, and log the first one of a kind."""
        self._drops.count("exporter", reason, f"{what} {type(error).__name__}: {error}")

    def resource(self, resource: Resource) -> ResourceFacts:
        """What is read of a resource; of one object only once."""
        known = self._resources.get(id(resource))
        if known is not None and known[0] is resource:
            return known[1]
        if len(self._resources) >= _RESOURCES_KEPT:
            self._resources.clear()
        read = read_resource(resource.attributes)
        self._resources[id(resource)] = (resource, read)
        return read
