"""Large answers are sent in parts, and together take a bounded memory."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from starlette.responses import Response, StreamingResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from otel_sessions.server.api.large_answers import PART_BYTES, AnswersInParts

SCOPE = {"type": "http", "method": "GET", "path": "/", "headers": []}
LARGE = bytes(range(256)) * 1_000


class Client:
    """Asks an app, and reads its answer when it is told to."""

    def __init__(self, *, reads: bool = True) -> None:
        self.messages: list[Message] = []
        self.may_read = asyncio.Event()
        self.began = asyncio.Event()
        if reads:
            self.may_read.set()

    async def ask(self, app: ASGIApp) -> None:
        """Ask once."""

        async def receive() -> Message:
            await asyncio.Event().wait()
            raise AssertionError

        async def send(message: Message) -> None:
            self.messages.append(message)
            self.began.set()
            await self.may_read.wait()

        await app({**SCOPE}, receive, send)

    @property
    def status(self) -> int:
        """The status of the answer."""
        return int(self.messages[0]["status"])

    @property
    def body(self) -> bytes:
        """The body of the answer."""
        return b"".join(message["body"] for message in self.messages[1:])


async def large(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with a large body."""
    await Response(LARGE)(scope, receive, send)


async def streamed(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with a stream whose parts are large."""

    async def parts() -> Any:
        for _ in range(3):
            yield LARGE

    await StreamingResponse(parts())(scope, receive, send)


async def small(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with a small body."""
    await Response(b"small")(scope, receive, send)


def test_an_answer_is_sent_in_parts() -> None:
    """The parts are small, and make up the answer, also an empty one and a stream."""

    async def run() -> None:
        for app, body in ((large, LARGE), (streamed, LARGE * 3), (small, b"small"), (Response(b""), b"")):
            client = Client()
            await client.ask(AnswersInParts(app))
            assert (client.status, client.body) == (200, body)
            assert all(len(message["body"]) <= PART_BYTES for message in client.messages[1:])
            assert [message.get("more_body") for message in client.messages[1:]].count(False) == 1

    asyncio.run(run())


def test_too_many_large_answers() -> None:
    """While large answers wait for their clients, another one is refused with a 503, but a small one is sent."""

    async def run() -> None:
        apps = {app: AnswersInParts(app, sending_bytes=len(LARGE) * 3 // 2, large_bytes=1_000) for app in (large,)}
        server = apps[large]
        slow, refused, late = Client(reads=False), Client(), Client()
        waiting = asyncio.create_task(slow.ask(server))
        await slow.began.wait()
        await refused.ask(server)
        assert refused.status == 503
        assert json.loads(refused.body)["error"]["code"] == "too_many_large_answers"
        assert (b"retry-after", b"5") in refused.messages[0]["headers"]
        slow.may_read.set()
        await waiting
        assert slow.body == LARGE
        await late.ask(server)
        assert late.status == 200

    asyncio.run(run())


def test_a_stream_that_is_refused_sends_no_more() -> None:
    """What a stream still has to say after it was replaced by a 503 is left out; a small answer is not refused."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await {"/": large, "/streamed": streamed, "/small": small}[scope["path"]](scope, receive, send)

    async def run() -> None:
        server = AnswersInParts(app, sending_bytes=1, large_bytes=1_000)
        slow, stream, little = Client(reads=False), Client(), Client()
        waiting = asyncio.create_task(slow.ask(server))
        await slow.began.wait()

        async def at(path: str) -> ASGIApp:
            async def asked(scope: Scope, receive: Receive, send: Send) -> None:
                await server({**scope, "path": path}, receive, send)

            return asked

        await stream.ask(await at("/streamed"))
        assert (stream.status, len(stream.messages)) == (503, 2)
        await little.ask(await at("/small"))
        assert (little.status, little.body) == (200, b"small")
        slow.may_read.set()
        await waiting

    asyncio.run(run())


def test_other_protocols_are_passed_on() -> None:
    """What is no HTTP is left alone."""
    seen: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope["type"])

    async def nothing(*_: Any) -> Any:
        raise AssertionError

    asyncio.run(AnswersInParts(app)({"type": "lifespan"}, nothing, nothing))
    assert seen == ["lifespan"]
