"""`AnswersInParts`: sends large answers in parts, and bounds the bytes of all that are being sent."""

from __future__ import annotations

from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from otel_sessions.server.api.errors import RETRY_SECONDS, error_response

PART_BYTES: Final = 64 << 10
"""An answer is handed to the connection in parts of this size; the next one waits until the client has read the last."""

LARGE_BYTES: Final = 1 << 20
"""A larger answer counts against `SENDING_BYTES`."""

SENDING_BYTES: Final = 128 << 20
"""Bytes of large answers that are being sent at the same time. While none is, one may be larger."""

_START: Final = "http.response.start"
_BODY: Final = "http.response.body"


class AnswersInParts:
    """Middleware that keeps clients that do not read their answers from filling the memory.

    If too many large answers wait for their clients, further ones are replaced by a 503.
    """

    def __init__(self, app: ASGIApp, *, sending_bytes: int = SENDING_BYTES, large_bytes: int = LARGE_BYTES) -> None:
        """Send the answers of an app.

        Args:
            app: makes the answers.
            sending_bytes: of large answers at the same time.
            large_bytes: what counts as large.
        """
        self._app = app
        self._most = sending_bytes
        self._large = large_bytes
        self._sending = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and send its answer in parts."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        starts: list[Message] = []
        is_replaced = False

        async def in_parts(message: Message) -> None:
            nonlocal is_replaced
            if message["type"] == _START:
                # It is sent with the body, since a large answer may be replaced.
                starts.append(message)
                return
            size = len(message.get("body", b""))
            counted = size if size > self._large else 0
            if starts and counted and self._sending and self._sending + counted > self._most:
                is_replaced = True
                starts.clear()
                await _busy(scope, receive, send)
            if is_replaced:
                return
            self._sending += counted
            try:
                if starts:
                    await send(starts.pop())
                await _send_parts(message, send)
            finally:
                self._sending -= counted

        await self._app(scope, receive, in_parts)


async def _send_parts(message: Message, send: Send) -> None:
    body = memoryview(message.get("body", b""))
    more = message.get("more_body", False)
    for place in range(0, max(len(body), 1), PART_BYTES):
        part = body[place : place + PART_BYTES]
        await send({**message, "body": bytes(part), "more_body": more or place + PART_BYTES < len(body)})


async def _busy(scope: Scope, receive: Receive, send: Send) -> None:
    answer = error_response(
        503,
        "too_many_large_answers",
        "other large answers are still being sent; try again later, or with a smaller limit",
        headers={"Retry-After": str(RETRY_SECONDS)},
    )
    await answer(scope, receive, send)
