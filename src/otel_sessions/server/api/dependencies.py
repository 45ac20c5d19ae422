"""What an endpoint works with: the backend of the app, and its reader."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, Request

from otel_sessions.server.backend import Backend
from otel_sessions.server.reader import Reader


async def _backend(request: Request) -> Backend:
    backend: Backend = request.app.state.backend
    return backend


BackendDep = Annotated[Backend, Depends(_backend)]


async def _reader(backend: BackendDep) -> AsyncIterator[Reader]:
    with backend.reader.answering():
        yield backend.reader


ReaderDep = Annotated[Reader, Depends(_reader, scope="function")]
"""The reader. Commits make way until the endpoint has returned, which serializes its answer, but not while it is sent."""
