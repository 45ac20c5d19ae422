"""One conversation comes out as the same messages, whichever dialect tells it."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.content.telling import DIALECTS, INPUT, OUTPUT, contents, fixture, plain

from otel_sessions.content.message import Message, Text


@pytest.mark.parametrize("path", DIALECTS, ids=lambda path: path.stem)
def test_every_dialect_tells_the_same_messages(path: Path) -> None:
    """System, user with an image, tool call, its answer, and the answer of the model are equal in all, ids included."""
    loaded = fixture(path)
    found = list(contents(loaded))
    expected = (
        INPUT if "image" not in loaded["without"] else (INPUT[0], Message("user", (Text("Weather?"),)), *INPUT[2:])
    )
    read = plain if "mime" in loaded["without"] else lambda message: message
    assert tuple(read(one) for content in found for one in content.input) == expected
    assert tuple(one for content in found for one in content.output) == OUTPUT
