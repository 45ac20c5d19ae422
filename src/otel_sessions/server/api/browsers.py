"""`HostGuard` and `OriginGuard`: refuse what a web page of another site can make a browser send.

A browser lets any page send requests to this machine. It hides the answers from pages of other origins, unless their name
resolves to this machine (DNS rebinding): against that, `HostGuard` looks at the `Host`. It tells with `Origin` and
`Sec-Fetch-Site` which page a request is from: `OriginGuard` refuses those of other pages that would change something, or hold
a stream open. Programs send neither header.
"""

from __future__ import annotations

from typing import Final

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from otel_sessions.server.api.refusals import refuse
from otel_sessions.server.api.session_paths import route_path
from otel_sessions.server.hosts import AllowedHosts, Authority, authority_of, origin_of, without_port
from otel_sessions.server.otlp.errors import PERMISSION_DENIED, RequestError

READING: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
"""Methods that change nothing."""

STREAMS: Final = frozenset({"/v1/live"})
"""Paths whose answer does not end, so that a page could use up all streams."""

_OWN_SITE: Final = frozenset({"same-origin", "none"})
"""`none` is what a person opened, as from the address bar."""

_SHOWN: Final = 100


class BadHostError(RequestError):
    """The request has no `Host`, several, or one that names no host."""


class MisdirectedError(RequestError):
    """The request is for another host than those that the server answers to."""

    http_status = 421
    grpc_status = PERMISSION_DENIED


class ForeignOriginError(RequestError):
    """The request comes from a page of another site."""

    http_status = 403
    grpc_status = PERMISSION_DENIED


class HostGuard:
    """Middleware that answers requests for allowed hosts only, at every path."""

    def __init__(self, app: ASGIApp, *, allowed: AllowedHosts | None) -> None:
        """Guard an app.

        Args:
            app: where requests for allowed hosts go.
            allowed: `None` answers every host, but still refuses a request with several.
        """
        self._app = app
        self._allowed = allowed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        fault = None if scope["type"] == "lifespan" else self._fault(Headers(scope=scope).getlist("host"))
        if fault is None:
            await self._app(scope, receive, send)
        else:
            code = "misdirected" if isinstance(fault, MisdirectedError) else "invalid_host"
            await refuse(scope, receive, send, code=code, error=fault)

    def _fault(self, hosts: list[str]) -> RequestError | None:
        if len(hosts) > 1:
            return BadHostError(f"the request has {len(hosts)} Host headers; send one")
        if self._allowed is None:
            return None
        if not hosts:
            return BadHostError("the request has no Host header; send one, such as 'Host: localhost'")
        authority = authority_of(hosts[0])
        if authority is not None and self._allowed.has(authority.host):
            return None
        return MisdirectedError(
            f"this server does not answer to the host {hosts[0][:_SHOWN]!r}; use localhost or 127.0.0.1, or start it with "
            "--allowed-host and the name (OTEL_SESSIONS_ALLOWED_HOST)"
        )


class OriginGuard:
    """Middleware that refuses requests of foreign pages, if they change something or hold a stream open."""

    def __init__(self, app: ASGIApp, *, allowed: AllowedHosts | None) -> None:
        """Guard an app.

        Args:
            app: where other requests go.
            allowed: pages of the hosts that it names may send everything, since a reverse proxy may replace the `Host`.
        """
        self._app = app
        self._allowed = allowed or AllowedHosts()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if not _is_guarded(scope) or self._is_own(Headers(scope=scope)):
            await self._app(scope, receive, send)
        else:
            error = ForeignOriginError(
                "a web page of another origin may not do this; if it is yours, serve it under the host of this server, or "
                "start the server with --allowed-host and the page's host (OTEL_SESSIONS_ALLOWED_HOST)"
            )
            await refuse(scope, receive, send, code="foreign_origin", error=error)

    def _is_own(self, headers: Headers) -> bool:
        origins = headers.getlist("origin")
        if not origins:
            return all(site in _OWN_SITE for site in headers.getlist("sec-fetch-site"))
        origin = origin_of(origins[0])
        if len(origins) > 1 or origin is None:
            return False
        return self._allowed.names(origin.host) or origin == _own(headers, origins[0])


def _is_guarded(scope: Scope) -> bool:
    if scope["type"] == "lifespan":
        return False
    return scope["type"] != "http" or scope["method"] not in READING or route_path(scope) in STREAMS


def _own(headers: Headers, origin: str) -> Authority | None:
    """The authority that the request is for, written as that of the origin; proxies with TLS keep the host, not the scheme."""
    authority = authority_of(headers.get("host", ""))
    default = "443" if origin.strip().lower().startswith("https:") else "80"
    return None if authority is None else without_port(authority, default)
