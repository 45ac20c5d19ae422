"""The latest times that the tables can hold, in nanoseconds UTC. A later time is stored as the latest one."""

from __future__ import annotations

from typing import Final

LATEST_PARTITION: Final = 2**32 * 10**9 - 1
"""The end of 2106-02-07T06:28:15Z. `otel_traces` is partitioned by a `DateTime`, which wraps to 1970 after that."""

LATEST: Final = 2**63 - 1
"""The latest `DateTime64(9)`, in April 2262."""
