"""Hosts are read as browsers send them, and only loopback and names that were given are answered."""

from __future__ import annotations

import pytest

from otel_sessions.server.hosts import AllowedHosts, Authority, authority_of, is_loopback, origin_of

LOOPBACK = [
    "localhost",
    "LOCALHOST:4318",
    "localhost.",
    "localhost.:80",
    "127.0.0.1",
    "127.9.8.7:1",
    "[::1]",
    "[::1]:4318",
]
OTHERS = [
    "evil.example",
    "localhost.evil.example",
    "127.0.0.1.nip.io",
    "127.0.0.1@evil.example",
    "169.254.169.254",
    "0.0.0.0:4318",
    "[::]:4318",
    "[::ffff:192.0.2.1]",
    "127.1",
    "2130706433",
    "::1",
    "localhost:80:80",
    "localhost:http",
    "http://localhost",
    "localhost/path",
    "localhost evil.example",
    "",
]


def answered(hosts: AllowedHosts, header: str) -> bool:
    """Whether a `Host` header is one that the server answers to."""
    authority = authority_of(header)
    return authority is not None and hosts.has(authority.host)


@pytest.mark.parametrize("header", LOOPBACK)
def test_loopback_is_always_allowed(header: str) -> None:
    """Names and addresses of this machine are allowed, with any port, in any case, with the dot of a full name."""
    assert answered(AllowedHosts(), header)


@pytest.mark.parametrize("header", OTHERS)
def test_all_else_is_not(header: str) -> None:
    """Other names, other spellings of addresses, and what is no host are not allowed."""
    assert not answered(AllowedHosts(), header)


def test_names_that_are_given() -> None:
    """Given names and addresses are allowed besides loopback, but not what is below them."""
    hosts = AllowedHosts(["Sessions.Example.org.", "[2001:DB8::1]", "192.0.2.1"])
    for header in ("sessions.example.org:8443", "SESSIONS.example.org.", "[2001:db8::1]", "192.0.2.1", "localhost"):
        assert answered(hosts, header)
    for header in ("a.sessions.example.org", "example.org", "192.0.2.2"):
        assert not answered(hosts, header)
    assert (hosts.names("sessions.example.org"), hosts.names("localhost")) == (True, False)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("http://localhost:4318", Authority("localhost", "4318")),
        ("HTTP://LOCALHOST:80", Authority("localhost", "")),
        ("https://[::1]:443", Authority("::1", "")),
        ("https://localhost:80", Authority("localhost", "80")),
        ("null", None),
        ("", None),
        ("file://", None),
        ("chrome-extension://abc", None),
        ("http://", None),
        ("http://a b", None),
        ("http://localhost:4318/path", None),
    ],
)
def test_origins(header: str, expected: Authority | None) -> None:
    """An origin is the host and port of a page; the port of its scheme is left out."""
    assert origin_of(header) == expected


def test_loopback_names() -> None:
    """A zone is no part of an address, and only `localhost` is a name of this machine for sure."""
    assert is_loopback("::1%lo")
    assert not is_loopback("localhost.example.org")
