"""`collecting_rarely`: garbage collection for a process that makes many small objects and hardly any cycle."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

YOUNG_OBJECTS: Final = 400_000
"""New objects between two collections, about as many as 80,000 spans take; Python's default is 700 to 2,000. At 50,000,
collecting took a twentieth of all that ingest could do."""


@contextmanager
def collecting_rarely(young_objects: int = YOUNG_OBJECTS) -> Iterator[None]:
    """Collect less often, and never look at the objects that exist already.

    Requests become hundreds of thousands of objects that are all freed when their commit is done. There is no cycle among
    them, so collecting them again and again finds nothing.

    Args:
        young_objects: how many new objects start a collection.
    """
    before = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(young_objects, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
