"""What was seen first stays so."""

from __future__ import annotations

from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_sessions.server.projections import first_versions as module
from otel_sessions.server.projections.first_versions import Births
from otel_sessions.server.projections.seen_trace_ids import MASK

ids = st.integers(0, (1 << 128) - 1)


@given(stored=st.dictionaries(ids, st.integers(0, 99)), asked=st.lists(ids, max_size=12))
def test_a_version_never_changes(stored: dict[int, int], asked: list[int]) -> None:
    """Neither of an id that the store knew, nor of one that came later."""
    known = {id_ & MASK: version for id_, version in stored.items()}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_LAYER", 3)
        births = Births(array("Q", [number for pair in sorted(known.items()) for number in pair]))
        for version, id_ in enumerate([*asked, *asked], start=100):
            assert births.of(id_, version) == known.setdefault(id_ & MASK, version)
    assert all(births.of(id_, 999) == version for id_, version in known.items())
