"""`WaitingCalls`: gRPC calls whose message has not come, which end late.

grpcio gives a call its thread before its message has come, and waits for the message without end. What has come of a message
is not known meanwhile, so a limit of its rate is not possible; its time is limited, and the number of calls that take long.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from itertools import islice
from typing import Any, Final, NamedTuple

import grpc  # type: ignore[import-untyped]

from otel_sessions.server.otlp.errors import DEADLINE_EXCEEDED, MalformedError, RequestError


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
    """The message of a call did not come in time; the client gets the status CANCELLED."""

    http_status = 408
    grpc_status = DEADLINE_EXCEEDED


class WaitingCalls:
    """The calls whose message has not come. A thread ends them late; it runs while there are any."""

    def __init__(self, limits: MessageLimits = DEFAULT_MESSAGE_LIMITS) -> None:
        """Wait within these limits."""
        self._limits = limits
        self._lock = threading.Lock()
        self._begins: dict[Any, float] = {}
        self._late: set[Any] = set()
        self._is_watching = False

    def message(self, messages: Iterator[bytes], context: Any) -> bytes:
        """The message of a call.

        Raises:
            MalformedError: the call has none.
            SlowCallError: it did not come in time, and the call is cancelled.
            grpc.RpcError: the client ended the call.
        """
        with self._lock:
            self._begins[context] = time.monotonic()
            if not self._is_watching:
                self._is_watching = True
                threading.Thread(target=self._watch, name="otel-sessions-grpc-calls", daemon=True).start()
        try:
            return next(messages)
        except StopIteration:
            raise MalformedError("the call has no message; send one request in each call") from None
        except grpc.RpcError:
            if context in self._late:
                raise SlowCallError("the message did not come in time; send it again") from None
            raise
        finally:
            with self._lock:
                del self._begins[context]
                self._late.discard(context)

    def _watch(self) -> None:
        while True:
            time.sleep(self._limits.slow_seconds)
            with self._lock:
                if not self._begins:
                    self._is_watching = False
                    return
                late = self._late_calls(time.monotonic())
                self._late.update(late)
            for context in late:
                context.cancel()

    def _late_calls(self, now: float) -> list[Any]:
        """The calls that have waited for too long, and the oldest of those that are too many."""
        seconds, slow_seconds, slow_calls = self._limits
        slow = sum(now - begin >= slow_seconds for begin in self._begins.values())
        # They are in the order in which they began.
        surplus = set(islice(self._begins, max(0, slow - slow_calls)))
        return [context for context, begin in self._begins.items() if now - begin >= seconds or context in surplus]
