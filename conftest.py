"""Tests judge the sources, also where compiled modules lie beside them; with `OTEL_SESSIONS_TEST_COMPILED`, those.

Processes that tests start import what is there, as users' processes do.
"""

from __future__ import annotations

import os
import sys
from importlib.machinery import SOURCE_SUFFIXES, FileFinder, SourceFileLoader
from pathlib import Path

pytest_plugins = ["tests.time_limits"]

SOURCES = str(Path(__file__).parent / "src")


def sources_only(path: str) -> FileFinder:
    """Return the finder of the modules of the library in this folder that leaves compiled ones out."""
    if not path.startswith(SOURCES):
        raise ImportError(path)
    return FileFinder(path, (SourceFileLoader, SOURCE_SUFFIXES))


if not os.environ.get("OTEL_SESSIONS_TEST_COMPILED"):
    sys.path_hooks.insert(0, sources_only)
    sys.path_importer_cache.clear()
