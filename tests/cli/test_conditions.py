"""`list` and `export` have an option for each filter of the API's lists."""

from __future__ import annotations

from typing import Any

import pytest
from tests.cli.answering import Answering, Asked, page
from tests.cli.terminal import in_pipe

from otel_sessions.server.api.openapi import document

NO_FILTERS = {"key", "sort", "order", "limit", "offset", "cursor", "userId"}
GIVEN = {
    "q": ("--q", "x"),
    "name": ("--name", "x"),
    "user_id": ("--user", "x"),
    "environment": ("--environment", "x"),
    "service": ("--service", "x"),
    "model": ("--model", "x"),
    "tag": ("--tag", "x"),
    "metadata.plan": ("--metadata", "plan=x"),
    "status": ("--status", "x"),
    "failed": ("--not-failed",),
    "unpriced": ("--unpriced",),
    "since": ("--since", "2026-11-20"),
    "until": ("--until", "2026-11-20"),
    "min_cost": ("--min-cost", "1"),
    "min_score.plan": ("--min-score", "plan=1"),
    "max_score.plan": ("--max-score", "plan=1"),
    "label.plan": ("--label", "plan=x"),
}
VALUES: dict[str, Any] = {"failed": "false", "unpriced": "true", "since": "2026-11-20", "until": "2026-11-20"}


def filters_of(path: str) -> set[str]:
    """The filters that an operation of the API takes."""
    return {one["name"] for one in document()["paths"][path]["get"]["parameters"]} - NO_FILTERS


@pytest.mark.parametrize("command", [("list",), ("export",)], ids=["list", "export"])
def test_every_filter_has_an_option(command: tuple[str, ...]) -> None:
    """What they are given is what the API is asked."""
    written = [word for words in GIVEN.values() for word in words]
    with Answering(lambda _: page([])) as server:
        assert in_pipe(*command, "--url", server.url, *written).status == 0
    (asked,) = server.asked
    given = {name: asked.parameters[name] for name in GIVEN}
    assert given == {name: VALUES.get(name, words[-1].rpartition("=")[2]) for name, words in GIVEN.items()}


def test_the_api_has_no_more_filters() -> None:
    """Lists and exports take the same; a measure with a least value has an option too, as far as it is a cost."""
    assert filters_of("/v1/sessions") == filters_of("/v1/export") - {"format", "what", "ids"}
    described = {name.partition(".")[0] for name in filters_of("/v1/sessions")}
    assert {name for name in described if not name.startswith("min_")} == {
        name.partition(".")[0] for name in GIVEN if not name.startswith("min_")
    }


@pytest.mark.parametrize("command", ["list", "export"])
def test_pairs_are_checked(command: str) -> None:
    """One that is no pair, or is given twice, is named; nothing is asked."""

    def never(_: Asked) -> Any:
        raise AssertionError

    with Answering(never) as server:
        ran = in_pipe(command, "--url", server.url, "--metadata", "plan")
        assert (ran.status, ran.error) == (2, "--metadata 'plan' is no pair; write it like --metadata name=value")
        ran = in_pipe(command, "--url", server.url, "--min-score", "a=1", "--min-score", "a=2")
        assert (ran.status, ran.error) == (2, "--min-score names 'a' twice; give it once")
