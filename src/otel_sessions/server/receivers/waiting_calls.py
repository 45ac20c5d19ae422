"""`WaitingCalls`: gRPC calls whose message has not come, which end late.

grpcio gives a call its thread before its message has come, and waits for the message without end. What has come of a message
is not known meanwhile, so a limit of its rate is not possible; its time is limited, and the number of calls that take long.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any, Final, NamedTuple

from otel_sessions.server.otlp.errors import MalformedError, RequestError


class MessageLimits(NamedTuple):
    """How long a call may take to send its message.

    Attributes:
        seconds: at most; 64 kB/s are 5 MB in 80 s.
        slow_seconds: after which a call counts as slow.
        slow_calls: at the same time; the oldest end if there are more. Each may hold a part of a message.
    """

    seconds: float = 120.0
    slow_seconds: float = 1.0
    slow_calls: int = 32


DEFAULT_MESSAGE_LIMITS: Final = MessageLimits()


class SlowCallError(RequestError):
    """The message of a call did not come in time. It is only counted: grpcio gives the client the status CANCELLED."""


class _Waiting(NamedTuple):
    begin: float
    on_late: Callable[[], object]


class WaitingCalls:
    """The calls whose message has not come. A thread ends them late; it runs while there are any."""

    def __init__(self, limits: MessageLimits = DEFAULT_MESSAGE_LIMITS) -> None:
        """Wait within these limits."""
        self._limits = limits
        self._lock = threading.Lock()
        self._calls: dict[Any, _Waiting] = {}
        self._is_watching = False

    def message(self, messages: Iterator[bytes], context: Any, *, on_late: Callable[[], object]) -> bytes:
        """The message of a call.

        Args:
            messages: what grpcio gives a method of a stream.
            context: what grpcio gives a method.
            on_late: called before the call is cancelled because its message did not come in time.

        Raises:
            MalformedError: the call has none.
            grpc.RpcError: the call has ended, by the client or because it was late.
        """
        with self._lock:
            self._calls[context] = _Waiting(time.monotonic(), on_late)
            if not self._is_watching:
                self._is_watching = True
                threading.Thread(target=self._watch, name="otel-sessions-grpc-calls", daemon=True).start()
        try:
            return next(messages)
        except StopIteration:
            raise MalformedError("the call has no message; send one request in each call") from None
        finally:
            with self._lock:
                self._calls.pop(context, None)

    def _watch(self) -> None:
        while True:
            time.sleep(self._limits.slow_seconds)
            with self._lock:
                if not self._calls:
                    self._is_watching = False
                    return
                late = {context: self._calls.pop(context) for context in self._late_calls(time.monotonic())}
            for context, waiting in late.items():
                waiting.on_late()
                context.cancel()

    def _late_calls(self, now: float) -> list[Any]:
        """The calls that have waited for too long, and the oldest of those that are too many."""
        seconds, slow_seconds, slow_calls = self._limits
        slow = sum(now - waiting.begin >= slow_seconds for waiting in self._calls.values())
        # They are in the order in which they began.
        surplus = set(islice(self._calls, max(0, slow - slow_calls)))
        return [
            context for context, waiting in self._calls.items() if now - waiting.begin >= seconds or context in surplus
        ]
