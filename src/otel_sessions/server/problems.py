"""`Problems`: what is wrong with a server now, for `/healthz`, `/readyz` and `/metrics`.

A part of the server adds a function that looks at its own state. The functions are called for every probe, so they must
neither block nor raise.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple


class Problem(NamedTuple):
    """Something that a person has to know.

    Attributes:
        name: what kind of problem, always the same, for alerts.
        message: what is wrong, and the next step.
        blocks: True if a commit would not succeed now, so that the server is not ready.
    """

    name: str
    message: str
    blocks: bool = False


Check = Callable[[], Problem | None]
"""Looks at a part of the server; `None` if nothing is wrong with it."""


class Problems:
    """The checks of a server. All are added before the first probe."""

    def __init__(self) -> None:
        self._checks: list[Check] = []

    def add(self, check: Check) -> None:
        """Ask this function as well."""
        self._checks.append(check)

    def current(self) -> list[Problem]:
        """What is wrong now, in the order in which the checks were added."""
        return [problem for check in self._checks if (problem := check()) is not None]
