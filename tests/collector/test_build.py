"""`make collector`: where the binary goes, that it is built once, and what it says where it cannot be built."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml  # type: ignore[import-untyped]
from tests import processes
from tests.processes import ROOT

SCRIPT = str(ROOT / ".ci" / "build-collector")
BUILDER = ROOT / "collector-config" / "builder.yaml"


def build(cache: Path, *arguments: str, path: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run the script with a cache folder of the test's own."""
    environment = processes.environment(XDG_CACHE_HOME=str(cache), PATH=path or os.environ["PATH"])
    return processes.run(shutil.which("bash") or "bash", SCRIPT, *arguments, env=environment)


def expected_path(cache: Path) -> Path:
    """The folder is named by the hash of builder.yaml, so that a changed file is a new build."""
    digest = hashlib.sha256(BUILDER.read_bytes()).hexdigest()
    return cache / "otel-sessions" / "collector" / digest / "otelcol-sessions"


def test_the_path_is_outside_the_checkout(tmp_path: Path) -> None:
    """The script prints with `--path` where the binary belongs, and makes nothing."""
    result = build(tmp_path, "--path")

    assert result.stdout.strip() == str(expected_path(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_a_binary_that_is_there_is_not_built_again(tmp_path: Path) -> None:
    """The script prints the path of a binary that is there and leaves the binary alone."""
    binary = expected_path(tmp_path)
    binary.parent.mkdir(parents=True)
    binary.write_text("#!/bin/sh\n")
    binary.chmod(0o755)
    result = build(tmp_path)

    assert result.returncode == 0
    assert result.stdout.strip() == str(binary)
    assert binary.read_text() == "#!/bin/sh\n"


def test_without_go_it_says_what_is_needed(tmp_path: Path) -> None:
    """The script fails without Go, says so, and leaves no part of a binary."""
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("dirname", "sha256sum", "shasum", "cut", "sed", "mkdir", "mktemp", "rm"):
        if found := shutil.which(name):
            (tools / name).symlink_to(found)
    result = build(tmp_path / "cache", path=str(tools))

    assert result.returncode != 0
    assert "Go is needed" in result.stderr
    assert result.stdout == ""
    assert not expected_path(tmp_path / "cache").exists()


def test_all_modules_are_of_one_version() -> None:
    """Core and contrib are pinned alike, and to the version that the script builds with."""
    builder = yaml.safe_load(BUILDER.read_text())
    kinds = ("receivers", "processors", "exporters", "extensions")
    versions = {module["gomod"].split()[1] for kind in kinds for module in builder[kind]}

    assert versions == {"v" + builder["dist"]["version"]}


@pytest.mark.parametrize("required", [False, True])
def test_without_the_binary_tests_skip_and_say_how_to_get_it(tmp_path: Path, *, required: bool) -> None:
    """A newcomer's run skips with the command to run; where the Collector is required the run fails instead."""
    environment = processes.environment(
        XDG_CACHE_HOME=str(tmp_path), OTEL_SESSIONS_REQUIRE_COLLECTOR="1" if required else ""
    )
    pytest_command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q"]
    result = processes.run(*pytest_command, "tests/collector/test_sampling.py", env=environment)

    assert "make collector" in result.stdout
    assert ("1 skipped" in result.stdout) is not required
    assert (result.returncode == 0) is not required
