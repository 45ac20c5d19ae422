"""`Trouble`: why commits do not succeed at the moment, said once in the log and kept for health."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Final

logger: Final = logging.getLogger("otel_sessions.server.ingest")

SAY_AGAIN_SECONDS: Final = 60.0
"""How often the log repeats a trouble that lasts."""


class Trouble:
    """What went wrong since the last success. One thread notes it, any thread looks at it.

    Attributes:
        message: what went wrong last; `None` after a success.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.message: str | None = None
        self._clock = clock
        self._since = self._said_at = 0.0
        self._said: type[BaseException] | None = None
        self._tries = 0

    def failed(self, what: str, error: BaseException, *, expected: bool = False) -> None:
        """Note a failure. It is logged if it is of another kind than the last one, or lasts for long.

        Args:
            what: could not be done.
            error: why.
            expected: the message of the error says enough, so the log has no traceback.
        """
        now = self._clock()
        if self.message is None:
            self._since, self._tries = now, 0
        self._tries += 1
        self.message = f"{what}: {error}"
        if type(error) is not self._said or now - self._said_at >= SAY_AGAIN_SECONDS:
            self._said, self._said_at = type(error), now
            if expected:
                logger.warning("%s; it is tried again: %s", what, error)
            else:
                logger.error("%s; it is tried again", what, exc_info=error)

    def is_over(self) -> None:
        """Note a success."""
        if self.message is None:
            return
        logger.info("commits succeed again, after %d failed tries", self._tries)
        self.message = self._said = None

    @property
    def seconds(self) -> float:
        """How long it lasts; 0 without any."""
        return self._clock() - self._since if self.message is not None else 0.0
