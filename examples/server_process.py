"""`otel-sessions serve` in a process of its own, on free ports, with a temporary store."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

STOP_SECONDS = 30.0
ANSWER_SECONDS = 30.0


class ServerProcess:
    """`with ServerProcess() as server:` starts it, waits until it is ready, and stops it.

    `url` is that of OTLP/HTTP and the API, `grpc` the argument of `OTLPSpanExporter(endpoint=…)`.
    """

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="otel-sessions-", ignore_cleanup_errors=True)
        self._log = Path(self._folder.name, "log")

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "otel_sessions", "serve", "--port", "0", "--grpc-port", "0"]
        with self._log.open("w") as log:
            self._process = subprocess.Popen(
                [*command, "--store", f"chdb://{self._folder.name}/store"],
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env={name: value for name, value in os.environ.items() if not name.startswith("OTEL_SESSIONS_")},
                start_new_session=True,  # Ctrl-C is for the parent only
            )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line.startswith("otel-sessions ready "):
            self.__exit__()
            raise RuntimeError("the server did not start")
        said = dict(part.split("=", 1) for part in line.removeprefix("otel-sessions ready ").split(maxsplit=2))
        self.url: str = said["http"]
        self.grpc = f"http://{said['grpc']}"
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._process.terminate()
        try:
            self._process.communicate(timeout=STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()
        if self._process.returncode != 0:
            print(self._log.read_text(), file=sys.stderr)
        self._folder.cleanup()

    def get(self, path: str) -> Any:
        """The JSON answer of the API."""
        with urllib.request.urlopen(self.url + path, timeout=ANSWER_SECONDS) as response:
            return json.load(response)

    def spans(self, session_id: str) -> list[Any]:
        """All spans of a session."""
        spans: list[Any] = []
        cursor = ""
        while True:
            page = self.get(f"/v1/sessions/{quote(session_id, safe='')}/spans?limit=100{cursor}")
            spans += page["data"]
            if page["pagination"]["next"] is None:
                return spans
            cursor = f"&cursor={page['pagination']['next']}"
