"""`AllowedHosts`: the names that a server answers to. `authority_of`: what a `Host` header or an origin names."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from typing import Final, NamedTuple

_AUTHORITY: Final = re.compile(r"(\[[0-9a-f:.]+\]|[^\s/?#@:\[\]\\]+)(?::([0-9]{0,5}))?", re.IGNORECASE)
_ORIGIN: Final = re.compile(r"(https?)://([^/?#]+)", re.IGNORECASE)
_DEFAULT_PORTS: Final = {"http": "80", "https": "443"}


class Authority(NamedTuple):
    """A host in lower case, without brackets and without the dot at the end of a full name, and its port, empty for none."""

    host: str
    port: str


def authority_of(text: str) -> Authority | None:
    """The host and the port of a `Host` header, such as `[::1]:4318`; `None` if it is not one."""
    found = _AUTHORITY.fullmatch(text.strip(" \t"))
    return None if found is None else Authority(plain_host(found[1]), found[2] or "")


def origin_of(text: str) -> Authority | None:
    """The host and the port of an `Origin` header, without the scheme's own port; `None` for `null` and all that is no page."""
    found = _ORIGIN.fullmatch(text.strip(" \t"))
    authority = None if found is None else authority_of(found[2])
    if found is None or authority is None:
        return None
    return without_port(authority, _DEFAULT_PORTS[found[1].lower()])


def without_port(authority: Authority, *ports: str) -> Authority:
    """The authority without its port, if that is one of these."""
    return Authority(authority.host, "") if authority.port in ports else authority


def plain_host(name: str) -> str:
    """A name or an address as `Authority` has it."""
    return name.removeprefix("[").removesuffix("]").lower().removesuffix(".")


def is_loopback(host: str) -> bool:
    """Return True if only this machine reaches the address; a name other than `localhost` may be any machine's."""
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return host.lower() == "localhost"


class AllowedHosts:
    """The loopback names and addresses, and some others.

    A page of another site can have its name resolve to 127.0.0.1 (DNS rebinding). Its requests then reach a server on this
    machine, and its scripts may read the answers, but their `Host` is still the name of that site.
    """

    def __init__(self, names: Iterable[str] = ()) -> None:
        """Allow names or addresses, without ports, besides loopback."""
        self._names = frozenset(map(plain_host, names))

    def has(self, host: str) -> bool:
        """Return True for a host, as `Authority` has it, that the server answers to."""
        return host in self._names or is_loopback(host)

    def names(self, host: str) -> bool:
        """Return True for a host that was named, and is not just loopback."""
        return host in self._names
