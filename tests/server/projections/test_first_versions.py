"""The first version of a session never changes."""

from __future__ import annotations

from array import array

from hypothesis import given
from hypothesis import strategies as st

from otel_sessions.server.projections.first_versions import FirstVersions

LOWER_HALF = (1 << 64) - 1
hashes = st.integers(0, (1 << 128) - 1)


@given(stored=st.dictionaries(hashes, st.integers(0, 99)), asked=st.lists(hashes, max_size=12))
def test_a_version_never_changes(stored: dict[int, int], asked: list[int]) -> None:
    """A session keeps its first version, whether it was read from the store or added later."""
    known = {hash_ & LOWER_HALF: version for hash_, version in stored.items()}
    first_versions = FirstVersions(
        array("Q", [number for pair in sorted(known.items()) for number in pair]), run_length=3
    )
    for version, hash_ in enumerate([*asked, *asked], start=100):
        assert first_versions.of(hash_, version) == known.setdefault(hash_ & LOWER_HALF, version)
    assert all(first_versions.of(hash_, 999) == version for hash_, version in known.items())
