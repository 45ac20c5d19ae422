"""The score of a session as a measure: what lists sort by as `score.<name>`, and what filters on scores compare."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from otel_sessions.counting.measures import FLOAT, MEASURES
from otel_sessions.server.queries.statements import statement

SCORE: Final = "score."
"""Before the name of a score, where a measure could stand."""

SORTED: Final = "sorted_score"
"""The parameter with the name of the score that a list is sorted by."""


def score_of_sort(sort: str) -> str | None:
    """The name of the score that a list is sorted by; `None` if it is sorted by a measure."""
    return sort.removeprefix(SCORE) if sort.startswith(SCORE) and sort != SCORE else None


def type_of_sort(sort: str) -> str:
    """The ClickHouse type of what a list is sorted by.

    Raises:
        KeyError: it is neither a score nor a measure.
    """
    return FLOAT if score_of_sort(sort) is not None else MEASURES[sort].type


def score_of_sessions(parameter: str | None = None) -> str:
    """`ScoredHash`, `ScoreName` and `Score` of the sessions of a key that have a score, as SQL.

    The name of the score is in a parameter; without one they are those of all names.
    """
    return statement(
        "score_of_sessions",
        which="1" if parameter is None else f"Name = {{{parameter}:String}}",
        mean_of_traces=statement("mean_of_scores", level="1"),
        mean_of_spans=statement("mean_of_scores", level="2"),
    )


def score_conditions(
    minimums: Mapping[str, float], maximums: Mapping[str, float], labels: Mapping[str, str]
) -> tuple[list[str], dict[str, Any]]:
    """Conditions on the scores of a row of `sessions` as SQL, and their parameters."""
    found: list[str] = []
    parameters: dict[str, Any] = {}
    for kind, compared, bounds in (("least", ">=", minimums), ("most", "<=", maximums)):
        for number, (name, bound) in enumerate(sorted(bounds.items())):
            of_name, of_bound = f"score_{kind}_{number}", f"{kind}_{number}"
            parameters |= {of_name: name, of_bound: bound}
            compared_to = f"{compared} {{{of_bound}:Float64}}"
            scored = statement("sessions_of_score", scores=score_of_sessions(of_name), compared=compared_to)
            found.append(f"IdHash IN ({scored})")
    for number, (name, label) in enumerate(sorted(labels.items())):
        of_name, of_label = f"labelled_{number}", f"label_{number}"
        parameters |= {of_name: name, of_label: label}
        found.append(f"IdHash IN ({statement('sessions_of_label', name=of_name, label=of_label)})")
    return found, parameters
