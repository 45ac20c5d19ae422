"""A small HTTP server on a socket of its own, which answers as a test says, and remembers what it was asked."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

Answer = tuple[int, Any]
"""A status, and JSON, the bytes of a body, or a `Stream`."""


def page(items: list[Any], *, total: int | None = None, after: str | None = None) -> Answer:
    """The answer with a page of a list."""
    pagination = {"total": len(items) if total is None else total, "limit": 50, "offset": 0, "next": after}
    return 200, {"data": items, "pagination": pagination}


def error(status: int, message: str, code: str = "failed") -> Answer:
    """The answer with an error of the API."""
    return status, {"error": {"code": code, "message": message}}


@dataclass(frozen=True)
class Stream:
    """The body of an answer that is sent a text at a time, and ends the connection.

    Attributes:
        texts: are taken one after another, so that a generator may wait between them.
    """

    texts: Iterable[str]


@dataclass(frozen=True)
class Asked:
    """A request that came."""

    path: str
    parameters: Mapping[str, str]
    headers: Mapping[str, str]
    method: str = "GET"
    body: Any = None


@dataclass
class Answering:
    """The server; `with Answering(answer) as server:` runs it.

    Attributes:
        answer: gets a request, with its path as it was sent, and gives the answer to it.
        asked: the requests so far.
    """

    answer: Callable[[Asked], Answer]
    headers: Mapping[str, str] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)

    def __enter__(self) -> Self:
        double = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                sent = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                given = json.loads(sent) if sent else None
                asked = Asked(parts.path, dict(parse_qsl(parts.query)), dict(self.headers), self.command, given)
                double.asked.append(asked)
                status, body = double.answer(asked)
                if isinstance(body, Stream):
                    self._stream(body)
                    return
                sent = body if isinstance(body, bytes) else json.dumps(body).encode()
                self.send_response(status)
                for name, value in {"Content-Length": str(len(sent)), **double.headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(sent)

            do_POST = do_PUT = do_PATCH = do_DELETE = do_GET  # noqa: N815 - the names in http.server

            def _stream(self, stream: Stream) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "text/event-stream")
                self.end_headers()
                for text in stream.texts:
                    self.wfile.write(text.encode())
                    self.wfile.flush()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        """The address."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"
