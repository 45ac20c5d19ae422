"""`Client`: questions to a running server, over its REST API.

The standard library's client is enough for one question after another, and nothing else has to be installed or imported.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPException, IncompleteRead
from typing import IO, Any, Final
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlencode, urlsplit
from urllib.request import HTTPRedirectHandler, ProxyHandler, Request, build_opener

from otel_sessions.cli.errors import FAILED, NOT_FOUND, UNREACHABLE, WRONG_USAGE, CommandError
from otel_sessions.environment_variables import API_KEY, URL
from otel_sessions.server.hosts import is_loopback

DEFAULT_URL: Final = "http://127.0.0.1:4318"
SECONDS: Final = 30.0
"""How long one answer may take."""

PAGE: Final = 1_000
"""The largest page that the API gives."""

# No character of it has a meaning in a shell or in a text between quotes, where `connect` puts it.
_URL: Final = re.compile(r"https?://([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?(/[A-Za-z0-9._~%/-]*)?")
_STATUSES: Final = {400: WRONG_USAGE, 404: NOT_FOUND}


class UnreachableError(CommandError):
    """Nothing answers at the address, or it stopped answering."""


class RefusedError(CommandError):
    """The server answers with an error.

    Attributes:
        code: the HTTP status.
        retry_after: seconds after which to send again, if it says so.
    """

    def __init__(self, message: str, *, status: int, code: int, retry_after: float | None = None) -> None:
        super().__init__(message, status=status)
        self.code = code
        self.retry_after = retry_after


class NotFoundError(RefusedError):
    """The server has nothing under this path."""


class UnauthorizedError(RefusedError):
    """The server wants its API key."""


class _NoRedirects(HTTPRedirectHandler):
    """Takes a redirect as an answer: followed, it would take the API key to another host."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        """The request to follow a redirect with; none."""


class Client:
    """A server at an address.

    Attributes:
        url: the address, without a slash at its end.
        api_key: the key that the server wants, `None` for none.
    """

    def __init__(self, url: str, *, api_key: str | None = None, seconds: float = SECONDS) -> None:
        """Name a server; nothing is sent yet.

        Raises:
            CommandError: the address, or the key, cannot be used.
        """
        self.url = checked_url(url)
        if api_key is not None and not api_key.isprintable():
            raise CommandError(f"{API_KEY} has characters that no HTTP header can have", status=WRONG_USAGE)
        self.api_key = api_key
        self._seconds = seconds
        # A proxy cannot reach a server on this machine; for any other, the proxy of the environment applies.
        direct = [ProxyHandler({})] if is_loopback(urlsplit(self.url).hostname or "") else []
        self._opener = build_opener(_NoRedirects, *direct)

    def get(self, path: str, parameters: Mapping[str, str] | None = None) -> Any:
        """The JSON of an answer.

        Raises:
            NotFoundError: the server answers 404.
            CommandError: no server can be reached, or it answers with another error.
        """
        return self._answer("GET", path, parameters)

    def post(self, path: str, body: Any, parameters: Mapping[str, str] | None = None) -> Any:
        """The JSON of the answer to a body that is sent as JSON; raises as `get`."""
        return self._answer("POST", path, parameters, body)

    def put(self, path: str, body: Any, parameters: Mapping[str, str] | None = None) -> Any:
        """The JSON of the answer to something that is stored under the path, sent as JSON; raises as `get`."""
        return self._answer("PUT", path, parameters, body)

    def patch(self, path: str, body: Any, parameters: Mapping[str, str] | None = None) -> Any:
        """The JSON of the answer to a change that is sent as JSON; raises as `get`."""
        return self._answer("PATCH", path, parameters, body)

    def delete(self, path: str, parameters: Mapping[str, str] | None = None) -> Any:
        """The JSON of the answer to a deletion; raises as `get`."""
        return self._answer("DELETE", path, parameters)

    def lines(self, path: str, parameters: Mapping[str, str] | None = None) -> Iterator[str]:
        """The lines of an answer that goes on, as they come; raises as `get`, also while they are read."""
        with self._open("GET", path, parameters, headers={"Accept": "text/event-stream"}) as answer:
            for line in answer:
                yield line.decode(errors="replace").rstrip("\r\n")

    def send(
        self, path: str, body: bytes, *, kind: str, headers: Mapping[str, str] | None = None, seconds: float = SECONDS
    ) -> bytes:
        """The answer to a body of bytes.

        Raises:
            RefusedError: the server answers with an error.
            CommandError: no server can be reached.
        """
        with self.streaming(
            path, body=body, headers={"Content-Type": kind, **(headers or {})}, seconds=seconds
        ) as answer:
            return answer.read()

    @contextmanager
    def streaming(
        self,
        path: str,
        parameters: Mapping[str, str] | None = None,
        *,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        seconds: float = SECONDS,
    ) -> Iterator[IO[bytes]]:
        """An answer whose bytes are read while the block runs.

        Args:
            path: of the request.
            parameters: its query.
            body: its body; `None` asks with GET.
            headers: its headers.
            seconds: how long each part of the answer may take.

        Raises:
            RefusedError: the server answers with an error.
            CommandError: no server can be reached, or it ends the answer early.
        """
        method = "GET" if body is None else "POST"
        with self._open(method, path, parameters, body=body, headers=headers or {}, seconds=seconds) as answer:
            yield answer

    def ended_early(self) -> CommandError:
        """The error for an answer that has no end."""
        return UnreachableError(
            f"the server at {self.url} ended its answer early, so that something is missing; if it is still running, its log says why",
            status=UNREACHABLE,
        )

    def items(self, path: str, parameters: Mapping[str, str], *, most: int | None = None) -> Iterator[dict[str, Any]]:
        """The items of a list, page by page, and at most the given number of them."""
        cursor: dict[str, str] = {}
        while most is None or most > 0:
            size = PAGE if most is None else min(most, PAGE)
            page = self.get(path, {**parameters, **cursor, "limit": str(size)})
            data = page.get("data") if isinstance(page, dict) else None
            if not isinstance(data, list):
                raise self._no_server()
            yield from data
            most = None if most is None else most - len(data)
            after = page.get("pagination", {}).get("next")
            if not after:
                return
            cursor = {"cursor": after}

    def _answer(self, method: str, path: str, parameters: Mapping[str, str] | None, body: Any = None) -> Any:
        headers = {"Accept": "application/json"}
        sent = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            sent = json.dumps(body).encode()
        with self._open(method, path, parameters, body=sent, headers=headers) as answer:
            return self._json(answer)

    @contextmanager
    def _open(
        self,
        method: str,
        path: str,
        parameters: Mapping[str, str] | None,
        *,
        headers: Mapping[str, str],
        body: bytes | None = None,
        seconds: float | None = None,
    ) -> Iterator[IO[bytes]]:
        query = f"?{urlencode(parameters)}" if parameters else ""
        given = dict(headers)
        if self.api_key is not None:
            # Headers are written as Latin-1, and the server compares bytes of UTF-8.
            given["Authorization"] = f"Bearer {self.api_key}".encode().decode("latin-1")
        # `checked_url` allows only http(s).
        request = Request(f"{self.url}{path}{query}", body, given, method=method)  # noqa: S310
        try:
            with self._opener.open(request, timeout=self._seconds if seconds is None else seconds) as answer:
                yield answer
        except HTTPError as error:
            with error:
                raise self._refused(error) from None
        except URLError as error:
            raise self._unreachable(error.reason) from None
        except IncompleteRead:
            raise self.ended_early() from None
        except BrokenPipeError:
            # Of what the caller writes to while it reads.
            raise
        except (ConnectionError, TimeoutError, HTTPException) as error:
            raise self._unreachable(error) from None

    def _json(self, answer: IO[bytes]) -> Any:
        try:
            return json.load(answer)
        except ValueError:
            raise self._no_server() from None

    def _refused(self, error: HTTPError) -> CommandError:
        after = error.headers.get("Retry-After") or ""
        retry_after = float(after) if after.isascii() and after.isdecimal() else None
        status, kind = _STATUSES.get(error.code, FAILED), NotFoundError if error.code == 404 else RefusedError
        if error.code == 401:
            return UnauthorizedError(
                f"the server at {self.url} wants its API key; set {API_KEY}", status=status, code=error.code
            )
        try:
            message = str(json.load(error)["error"]["message"])
        except (ValueError, LookupError, TypeError, OSError, HTTPException):
            if error.code < 500:
                return self._no_server()
            message = f"{self.url} answers with {error.code}"
        return kind(message, status=status, code=error.code, retry_after=retry_after)

    def _unreachable(self, reason: object) -> CommandError:
        return UnreachableError(
            f"no server can be reached at {self.url} ({_shown(reason)}); start one with: otel-sessions serve, or name "
            f"another address with --url or {URL}",
            status=UNREACHABLE,
        )

    def _no_server(self) -> CommandError:
        return CommandError(
            f"what answers at {self.url} is no otel-sessions server; name its address with --url or {URL}",
            status=UNREACHABLE,
        )


def checked_url(text: str) -> str:
    """The address of a server, without a slash at its end.

    Raises:
        CommandError: it is no HTTP address.
    """
    url = text.strip().rstrip("/")
    try:
        good = bool(_URL.fullmatch(url)) and urlsplit(url).port != 0
    except ValueError:
        good = False
    if not good:
        raise CommandError(
            f"the address of --url or {URL} is not valid; write it like {DEFAULT_URL}, without a user and a query",
            status=WRONG_USAGE,
        )
    return url


def session_path(session_id: str, part: str = "") -> str:
    """The path of a session, or of a part of it such as `calls`."""
    return f"/v1/sessions/{quote(session_id, safe='')}{part and f'/{part}'}"


def _shown(reason: object) -> str:
    return str(getattr(reason, "strerror", None) or reason or type(reason).__name__)
