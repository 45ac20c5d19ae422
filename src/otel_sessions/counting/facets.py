"""The facets of a session: sets of names to filter and compare sessions by. Each is one entry here.

The filters of the list, `by=` of cohorts, the columns of `sessions` and the tables in the documentation are made from these
entries. To add a facet, add an entry.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from otel_sessions.counting.columns import STRINGS, Column, union_of
from otel_sessions.counting.fold import MODELS_KEPT, OTHER_MODELS, SET_KEPT


class Facet(NamedTuple):
    """A set of names that a session has.

    Attributes:
        about: one of them, in a few words.
        column: the column of `sessions` that has them.
        cohort: `by=` of cohorts that have one of them in common; by default the name of the facet.
    """

    about: str
    column: Column
    cohort: str = ""


_MODELS: Final = f"bounded(groupUniqArrayArray(Models), {MODELS_KEPT}, '{OTHER_MODELS}')"
"""`bounded(names, most, other)`: the first names in alphabetical order, and the name that stands for others if there are more."""

FACETS: Final[Mapping[str, Facet]] = MappingProxyType(
    {
        "user_id": Facet(
            "user id", Column("UserIds", STRINGS, "user_ids", union_of("UserIds", SET_KEPT)), cohort="user"
        ),
        "environment": Facet(
            "deployment environment",
            Column("Environments", STRINGS, "environments", union_of("Environments", SET_KEPT)),
        ),
        "service": Facet("service", Column("Services", STRINGS, "services", union_of("Services", SET_KEPT))),
        "tag": Facet("tag", Column("Tags", STRINGS, "tags", union_of("Tags", SET_KEPT))),
        "model": Facet("model", Column("Models", STRINGS, "model_names", _MODELS)),
    }
)
"""The facets by the name of their filter."""

METADATA_COLUMNS: Final = (
    Column("MetadataKeys", STRINGS, "metadata_names", f"arraySlice(Metadata.1, 1, {SET_KEPT})"),
    Column(
        "MetadataValues",
        STRINGS,
        "metadata_values",
        f"arrayMap(value -> substring(value, 9), arraySlice(Metadata.2, 1, {SET_KEPT}))",
    ),
)
"""Metadata of a session: names, and as JSON the last value of each, `metadata.<name>` of filters and cohorts. `Metadata` is the
last value of each name behind its time, as `write_session_rows.sql` has it."""

COHORTS: Final[Mapping[str, Facet]] = MappingProxyType({facet.cohort or name: facet for name, facet in FACETS.items()})
"""The facets by the name that `by=` of cohorts has for them."""
