"""The ledger of the local OpenAI server: the bill that every printed total is checked against."""

from __future__ import annotations

import threading
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Handed:
    """One answered request, in the provider's own counting.

    `prompt_tokens` includes `cached_tokens`, `completion_tokens` includes `reasoning_tokens`. A request that
    failed has its HTTP status and no tokens.
    """

    session: str | None
    operation: str
    model: str
    response_id: str
    status: int
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    reasoning_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Bill:
    """Sums over answered requests; `calls` is the number of those with tokens, `failures` that of the others."""

    calls: int = 0
    failures: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    reasoning_tokens: int = 0

    def plus(self, handed: Handed) -> Bill:
        """The bill with one more request."""
        failed = handed.status != 200
        return Bill(
            calls=self.calls + (not failed),
            failures=self.failures + failed,
            prompt_tokens=self.prompt_tokens + handed.prompt_tokens,
            completion_tokens=self.completion_tokens + handed.completion_tokens,
            cached_tokens=self.cached_tokens + handed.cached_tokens,
            reasoning_tokens=self.reasoning_tokens + handed.reasoning_tokens,
        )


class Ledger:
    """Every request in the order of the answers; the threads of the server write it, any thread can read it."""

    def __init__(self) -> None:
        self._entries: list[Handed] = []
        self._lock = threading.Lock()

    def add(self, handed: Handed) -> None:
        """Add one request; called before its answer is sent, so that a client never has an answer that is not in the ledger."""
        with self._lock:
            self._entries.append(handed)

    def entries(self, session: str | None = None) -> list[Handed]:
        """All requests, or those of one session."""
        with self._lock:
            return [entry for entry in self._entries if session is None or entry.session == session]

    def sessions(self) -> list[str]:
        """The sessions that requests named, in order of their first request."""
        return list(dict.fromkeys(entry.session for entry in self.entries() if entry.session is not None))

    def bill(self, session: str | None = None, model: str | None = None) -> Bill:
        """The sums for everything, one session, one model, or one model within one session."""
        total = Bill()
        for entry in self.entries(session):
            if model is None or entry.model == model:
                total = total.plus(entry)
        return total

    def by_model(self, session: str | None = None) -> dict[str, Bill]:
        """The sums for each model that answered at least once."""
        models = dict.fromkeys(entry.model for entry in self.entries(session))
        bills = {model: self.bill(session, model) for model in models}
        return {model: bill for model, bill in bills.items() if bill.calls}
