"""`log_if_uncompiled`: one line about speed, if this installation has no compiled modules."""

from __future__ import annotations

import logging
from types import ModuleType
from typing import Final

from otel_sessions.server.clickhouse import row_binary

logger: Final = logging.getLogger("otel_sessions.server")

ADVICE: Final = (
    "the modules that run for every span are not compiled, so the server takes in about a quarter less: install a wheel "
    "for this platform, or install a C compiler and run: HATCH_BUILD_HOOK_ENABLE_MYPYC=true pip install "
    "--force-reinstall --no-deps --no-binary otel-sessions otel-sessions"
)


def log_if_uncompiled(module: ModuleType = row_binary) -> None:
    """Log the advice if a module was loaded from its source.

    Args:
        module: one that compiled installations compile; either all of them are compiled or none.
    """
    if str(module.__file__).endswith(".py"):
        logger.info(ADVICE)
