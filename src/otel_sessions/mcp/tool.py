"""`Tool`: a tool as a pure function over answers of the REST API."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from otel_sessions.mcp.answers import Answer
from otel_sessions.mcp.asking import Ask
from otel_sessions.mcp.parameters import Parameter
from otel_sessions.mcp.rooms import Room

Made = Callable[[Room], Answer]
"""Makes an answer that shows as much as a room holds; everything that it needs has been asked already."""


@dataclass(frozen=True)
class Tool:
    """A tool.

    Attributes:
        name: by which it is called.
        title: for people.
        about: what it answers, for a model that chooses a tool.
        parameters: its arguments.
        run: asks, and makes the answer; gets the arguments, checked, and the time in nanoseconds UTC.
    """

    name: str
    title: str
    about: str
    parameters: Sequence[Parameter]
    run: Callable[[Ask, Mapping[str, Any], int], Made]
