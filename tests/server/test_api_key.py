"""Requests with the API key are let in, and no others."""

from __future__ import annotations

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from otel_sessions.server.api_key import allows


@pytest.mark.parametrize("header", [None, "", "Bearer x", "anything"])
def test_without_a_key_every_request_is_let_in(header: str | None) -> None:
    """A server without a key lets every request in."""
    assert allows(None, header)


@pytest.mark.parametrize(
    "header", ["secret", "Bearer secret", "bearer secret", "BEARER secret", "Bearer   secret ", " secret "]
)
def test_the_key_is_enough(header: str) -> None:
    """The key is accepted alone and after `Bearer` in any case."""
    assert allows("secret", header)


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "secre",
        "secrets",
        "Secret",
        "Basic secret",
        "Bearersecret",
        "Bearer Bearer secret",
    ],
)
def test_anything_else_is_refused(header: str | None) -> None:
    """A part of the key, more than the key, or another scheme is refused."""
    assert not allows("secret", header)


@pytest.mark.parametrize("header", [None, "", "Bearer ", "x"])
def test_an_empty_key_lets_no_request_in(header: str | None) -> None:
    """An empty key lets no request in, not even one with an empty header."""
    assert not allows("", header)


def test_a_key_that_begins_like_a_scheme() -> None:
    """A key may itself begin with `Bearer`."""
    assert allows("Bearer x", "Bearer x")
    assert allows("Bearer x", "bearer Bearer x")


@example("à")
@given(st.text(st.characters(exclude_categories=["Cs", "Cc", "Z"]), min_size=1))
def test_any_key_is_found_in_either_spelling(key: str) -> None:
    """A key outside ASCII is found in a header as text, and as bytes of UTF-8 that a server read as Latin-1."""
    assert allows(key, f"Bearer {key}")
    assert allows(key, key.encode().decode("latin-1"))


@given(st.text(min_size=1), st.text())
def test_no_header_raises(key: str, header: str) -> None:
    """No header raises an error, not even half of a surrogate pair, and one without the key is refused."""
    as_servers_give_it = key.encode("utf-8", "surrogatepass").decode("latin-1")
    assume(key.strip() not in header and as_servers_give_it.strip() not in header)
    assert not allows(key, header)
