"""Every environment variable of our own, once; `docs/environment.md` explains them.

The server's settings are variables too: `PREFIX` and the name of the setting in upper case.
"""

from __future__ import annotations

from typing import Final

PREFIX: Final = "OTEL_SESSIONS_"

STRICT: Final = PREFIX + "STRICT"
"""Set to `1`, `true`, `yes` or `on`: a refused value raises."""

PRICES: Final = PREFIX + "PRICES"
"""The path of a prices file that is asked before genai-prices; also a setting of the server."""

URL: Final = PREFIX + "URL"
"""The address of the server that commands ask."""

STORE: Final = PREFIX + "STORE"
"""The folder that commands read if no server answers; also a setting of the server."""

API_KEY: Final = PREFIX + "API_KEY"
"""The key that commands send to a server; also a setting of the server."""

DIALECTS: Final = PREFIX + "DIALECTS"
"""Dialects that the zero-code processor writes, separated by commas."""

ACCEPT_BAGGAGE: Final = PREFIX + "ACCEPT_BAGGAGE"
"""Baggage entries that the zero-code processor accepts, separated by commas; set to nothing, it accepts none."""

OTLP_PROTOCOLS: Final = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
"""OpenTelemetry's own, in order of precedence: the protocol of the OTLP exporter that zero-code configuration makes."""
