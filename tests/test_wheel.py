"""The wheel, installed with its core dependencies alone, on every Python that the classifiers name."""

from __future__ import annotations

import os
import re
import shutil
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests import processes
from tests.processes import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
VERSIONS = [
    version
    for classifier in PROJECT["classifiers"]
    if (version := classifier.rpartition(" :: ")[2]) and re.fullmatch(r"3\.\d+", version)
]

PROGRAM = """
import importlib.metadata, sys
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from otel_sessions import SessionExporter, SessionSpanProcessor, propagate_sessions

exporter = SessionExporter()
provider = TracerProvider()
provider.add_span_processor(SessionSpanProcessor())
provider.add_span_processor(SimpleSpanProcessor(exporter))
with propagate_sessions("ticket-2611", user_id="user-a"):
    with provider.get_tracer("app").start_as_current_span("answer") as span:
        pass
assert span.attributes == {"session.id": "ticket-2611", "user.id": "user-a"}, span.attributes
session = exporter.session("ticket-2611")
assert (session.trace_count, session.total_cost) == (1, None)
optional = {"genai_prices", "grpc", "requests", "fastapi", "pydantic", "yaml"} & set(sys.modules)
assert not optional, optional
print(sorted(dist.name for dist in importlib.metadata.distributions() if dist.name.startswith(("otel", "opentelemetry"))))
"""
TELL_VERSION = "import sys; print('%d.%d' % sys.version_info[:2])"


def output(*command: str | Path, cwd: Path = ROOT) -> str:
    """The standard output of a command that has to succeed."""
    process = processes.run(*command, cwd=cwd)
    assert process.returncode == 0, process.stderr
    return process.stdout


def interpreters(version: str) -> Iterator[str]:
    """Where a Python of this version may be: on the path, beside the one that runs, or among pyenv's."""
    if found := shutil.which(f"python{version}"):
        yield found
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    for folder in (Path(sys.base_prefix).parent, pyenv):
        yield from map(str, sorted(folder.glob(f"{version}.*/bin/python")))


def interpreter(version: str) -> str:
    """The first of them that runs and is of this version."""
    if f"{sys.version_info.major}.{sys.version_info.minor}" == version:
        return sys.executable
    for candidate in interpreters(version):
        if processes.run(candidate, "-c", TELL_VERSION).stdout.strip() == version:
            return candidate
    pytest.skip(f"no Python {version} on this machine")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from this tree."""
    folder = tmp_path_factory.mktemp("wheel")
    output(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, ROOT)
    (built,) = folder.glob("*.whl")
    return built


@pytest.mark.parametrize("version", VERSIONS)
def test_the_wheel_alone_stamps_and_counts(wheel: Path, tmp_path: Path, version: str) -> None:
    """The wheel stamps spans and adds sessions up with OpenTelemetry's API and SDK alone."""
    output(interpreter(version), "-m", "venv", tmp_path)
    python = tmp_path / "bin" / "python"
    install: list[str | Path] = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    output(*install, "-c", ROOT / "constraints.txt", wheel)
    printed = output(python, "-W", "error", "-c", PROGRAM, cwd=tmp_path)
    names = "['opentelemetry-api', 'opentelemetry-sdk', 'opentelemetry-semantic-conventions', 'otel-sessions']"
    assert names == printed.strip()


def test_the_wheel_is_typed_and_licensed(wheel: Path) -> None:
    """The wheel contains `py.typed` and the licence."""
    listing = output(sys.executable, "-m", "zipfile", "-l", wheel)
    assert "otel_sessions/py.typed" in listing
    assert "licenses/LICENSE" in listing
