"""The default number of connections, for HTTP and gRPC; the texts of the settings need it before anything else is imported."""

from __future__ import annotations

from typing import Final

DEFAULT_CONNECTIONS: Final = 512
"""Connections at the same time. Each takes some KB and a file descriptor, of which many systems give a process 1,024."""
