"""`collecting_rarely`: the garbage collector, set for a process that makes many small objects and hardly any cycle."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

YOUNG: Final = 400_000
"""New objects between two looks at them, about as many as 80,000 spans take; Python's own choice are 700 to 2,000. At 50,000
the looks took a twentieth of all that ingest could do."""


@contextmanager
def collecting_rarely() -> Iterator[None]:
    """Look for cycles less often, and never among what is there already.

    Requests become objects by the hundred thousand that all go when their commit is done, without a cycle among them.
    Looking through them again and again finds nothing.
    """
    before = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
