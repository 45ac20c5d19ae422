"""`DEFAULT_BACKLOG_BYTES`: how much may wait to be committed, unless a setting says otherwise."""

from __future__ import annotations

from typing import Final

DEFAULT_BACKLOG_BYTES: Final = 64 << 20
"""Bytes of acknowledged requests: a few seconds of all that one process can take in."""
