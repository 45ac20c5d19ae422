"""`Trouble`: why commits do not succeed at the moment, said once in the log and kept for health."""

from __future__ import annotations

import logging
import threading
import time
from typing import Final

logger: Final = logging.getLogger("otel_sessions.server.ingest")

SAY_AGAIN_SECONDS: Final = 60.0
"""How often the log repeats a trouble that lasts."""


class Trouble:
    """What went wrong since the last success. One thread notes it, any thread looks at it.

    Attributes:
        message: what went wrong last; `None` after a success.
        began: set while there is trouble.
    """

    def __init__(self) -> None:
        self.message: str | None = None
        self.began = threading.Event()
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
        now = time.monotonic()
        if self.message is None:
            self._since, self._tries = now, 0
        self._tries += 1
        self.message = f"{what}: {error}"
        self.began.set()
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
        self.began.clear()

    @property
    def seconds(self) -> float:
        """How long it lasts; 0 without any."""
        return time.monotonic() - self._since if self.message is not None else 0.0
