"""Servers of the tests as the tools ask them, without a client between."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

from starlette.testclient import TestClient

from otel_sessions.mcp.asking import AskError, MissingError
from otel_sessions.mcp.catalog import answer

NOW = 1_795_003_600 * 10**9
"""An hour after the records of tests."""

PAGES = "http://127.0.0.1:4318"


class AppAsk:
    """Asks an app in this process."""

    def __init__(self, client: TestClient, pages: str | None = PAGES) -> None:
        self._client = client
        self.pages = pages
        self.asked: list[str] = []

    def get(self, path: str, parameters: Mapping[str, str] | None = None) -> Any:
        """The JSON of an answer."""
        asked = f"{path}?{urlencode(parameters or {})}"
        self.asked.append(asked)
        answer = self._client.get(asked)
        if answer.status_code == 200:
            return answer.json()
        error = MissingError if answer.status_code == 404 else AskError
        raise error(answer.json()["error"]["message"])


class Double:
    """Answers as a test says."""

    def __init__(self, answers: Callable[[str, Mapping[str, str]], Any], pages: str | None = PAGES) -> None:
        self._answers = answers
        self.pages = pages

    def get(self, path: str, parameters: Mapping[str, str] | None = None) -> Any:
        """What the test says; `None` stands for 404."""
        answer = self._answers(path, parameters or {})
        if answer is None:
            raise MissingError("there is nothing")
        return answer


def text_of(ask: Any, tool: str, arguments: Mapping[str, Any] | None = None, **more: Any) -> str:
    """The text of an answer that is no error."""
    told = answer(ask, tool, {**(arguments or {}), **more}, now=NOW)
    assert not told.is_error, told.text
    return told.text


def told_of(ask: Any, tool: str, arguments: Mapping[str, Any] | None = None, **more: Any) -> Any:
    """An answer that is no error, read as JSON."""
    return json.loads(text_of(ask, tool, arguments, **more))


def error_of(ask: Any, tool: str, arguments: Mapping[str, Any] | None = None, **more: Any) -> Any:
    """An error, read as JSON."""
    told = answer(ask, tool, {**(arguments or {}), **more}, now=NOW)
    assert told.is_error, told.text
    return json.loads(told.text)
