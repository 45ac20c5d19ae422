"""`hint`: what would give the records of a service a session."""

from __future__ import annotations

import pytest

from otel_sessions.server.queries.assigning import ANY_LOG, ANY_SPAN, hint


@pytest.mark.parametrize(
    ("scopes", "part"),
    [
        (["openinference.instrumentation.openai"], "using_session"),
        (["app", "opentelemetry.instrumentation.fastapi"], "SessionSpanProcessor"),
        (["ai"], "experimental_telemetry"),
        (["langfuse.sdk"], "propagate_attributes"),
        (["go.opentelemetry.io/contrib"], "baggage"),
    ],
)
def test_a_hint_for_known_scopes(scopes: list[str], part: str) -> None:
    """The instrumentation that made the records decides."""
    assert part in hint(scopes, has_spans=True)


@pytest.mark.parametrize(("has_spans", "text"), [(True, ANY_SPAN), (False, ANY_LOG)])
@pytest.mark.parametrize("scopes", [[], ["app"], ["airline"]])
def test_a_hint_for_anything_else(scopes: list[str], has_spans: bool, text: str) -> None:
    """Spans and log records of unknown scopes have a hint of their own."""
    assert hint(scopes, has_spans=has_spans) == text
