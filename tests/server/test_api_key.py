"""Who knows the API key is let in, and nobody else."""

from __future__ import annotations

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from otel_sessions.server.api_key import allows


@pytest.mark.parametrize("header", [None, "", "Bearer x", "anything"])
def test_without_a_key_all_are_let_in(header: str | None) -> None:
    """A server that has no key asks for none."""
    assert allows(None, header)


@pytest.mark.parametrize(
    "header", ["secret", "Bearer secret", "bearer secret", "BEARER secret", "Bearer   secret ", " secret "]
)
def test_the_key_is_enough(header: str) -> None:
    """With `Bearer` in any case before it or without."""
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
def test_anything_else_is_not(header: str | None) -> None:
    """Nor is a part of it, more than it, or another scheme."""
    assert not allows("secret", header)


@pytest.mark.parametrize("header", [None, "", "Bearer ", "x"])
def test_an_empty_key_lets_nobody_in(header: str | None) -> None:
    """An empty header must not be the right one."""
    assert not allows("", header)


def test_a_key_that_begins_like_a_scheme() -> None:
    """`Bearer x` can be a key itself."""
    assert allows("Bearer x", "Bearer x")
    assert allows("Bearer x", "bearer Bearer x")


@example("à")
@given(st.text(st.characters(exclude_categories=["Cs", "Cc", "Z"]), min_size=1))
def test_any_key_is_found_in_either_spelling(key: str) -> None:
    """Servers give a header as the bytes of UTF-8 read as Latin-1; others give text."""
    assert allows(key, f"Bearer {key}")
    assert allows(key, key.encode().decode("latin-1"))


@given(st.text(min_size=1), st.text())
def test_no_header_raises(key: str, header: str) -> None:
    """Whatever is in it, half of a surrogate pair too; and what does not hold the key is refused."""
    as_servers_give_it = key.encode("utf-8", "surrogatepass").decode("latin-1")
    assume(key.strip() not in header and as_servers_give_it.strip() not in header)
    assert not allows(key, header)
