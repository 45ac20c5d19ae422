"""Rules that hold for every table of attribute names."""

from __future__ import annotations

import pytest
from opentelemetry.trace import Tracer
from tests.counting.building import read
from tests.recording import started

from otel_sessions import propagate_sessions
from otel_sessions.counting.facts import Labels
from otel_sessions.dialects import families, names

FIELDS = {
    name: getattr(names, name)
    for name in (
        *("SESSION_ID", "USER_ID", "SESSION_NAME", "TAGS", "METADATA", "ENVIRONMENT", "MODEL", "REQUEST_MODEL"),
        *(
            "PROVIDER",
            "RESPONSE_ID",
            "CALL_ID",
            "CACHE_HIT",
            "PENDING",
            "SERVICE_TIER",
            "REQUESTED_TIER",
            "SPEED",
            "BATCH",
            "SERVER_ADDRESS",
            "AGENT",
            "SECONDS_TO_FIRST_TOKEN",
            "MS_TO_FIRST_TOKEN",
            "FIRST_TOKEN_AT",
        ),
    )
}
SLOTS = {
    f"{family}.{slot}": getattr(table, slot)
    for family, table in {
        **families.FAMILIES,
        **{f"own {place}": family for place, family in enumerate(families.OWN)},
    }.items()
    for slot in table._fields
    if isinstance(getattr(table, slot), tuple)
}


@pytest.mark.parametrize("candidates", [*FIELDS.values(), *SLOTS.values()], ids=[*FIELDS, *SLOTS])
def test_candidates_are_distinct_names(candidates: tuple[str, ...]) -> None:
    """A field's candidates are a tuple of different names without blanks."""
    assert isinstance(candidates, tuple)
    assert len(set(candidates)) == len(candidates)
    assert all(name and name == name.strip() and " " not in name for name in candidates)


def test_our_own_names_come_first(tracer: Tracer) -> None:
    """The values of our own attributes are read, whatever a span has under all other names, before or after them."""
    fields = (names.SESSION_ID, names.USER_ID, names.SESSION_NAME, names.TAGS, names.METADATA)
    theirs = {name.replace("*", "plan"): "theirs" for candidates in fields for name in candidates}
    with propagate_sessions("a", user_id="u", session_name="Order", tags=["t"], metadata={"plan": "pro"}):
        ours = started(tracer)
    others = {name: value for name, value in theirs.items() if name not in ours}
    for attributes in ({**others, **ours}, {**ours, **others}):
        facts = read(attributes)
        assert facts.values == (("id", "a"),)
        assert facts.labels == Labels("Order", "u", ("t",), (("plan", "pro"),))


@pytest.mark.parametrize("name", ["langsmith.trace.session_id", "langsmith.trace.session_name", "event_loop.cycle_id"])
def test_what_only_looks_like_a_session_is_none(name: str) -> None:
    """LangSmith's session is a project, and a cycle of an agent's loop is not a session."""
    assert all(name not in candidates for candidates in FIELDS.values())


def test_no_name_counts_in_two_families() -> None:
    """Each name belongs to one dialect, so that none is chosen for another one's tokens."""
    owners: dict[str, str] = {}
    for slot, candidates in SLOTS.items():
        family = slot.partition(".")[0]
        # The bare names of single emitters are read only from their own spans and records.
        for name in () if family.startswith("own ") else candidates:
            assert owners.setdefault(name, family) == family


@pytest.mark.parametrize(
    "prefix", ["gen_ai.aggregated_usage", "gen_ai.usage.partial", "logfire.metrics", "gen_ai.usage.raw"]
)
def test_totals_of_runs_are_in_no_family(prefix: str) -> None:
    """Names of numbers that must never be counted are not candidates."""
    assert not [name for candidates in SLOTS.values() for name in candidates if name.startswith(prefix)]


def test_the_order_of_families() -> None:
    """Langfuse, which people set by hand, comes first, then OpenTelemetry, then OpenInference."""
    assert list(families.FAMILIES)[:3] == ["langfuse", "gen_ai", "openinference"]


def test_tables_cannot_be_changed() -> None:
    """Assigning to a table raises an error."""
    with pytest.raises(TypeError):
        families.FAMILIES["mine"] = families.Family()  # type: ignore[index]
