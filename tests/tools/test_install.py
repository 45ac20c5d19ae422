"""Installing says what is downloaded, how large it is and how far it is."""

from __future__ import annotations

import pytest
from tests import processes
from tools.install import Install, main

PIP = """\
Collecting numpy>=2
  Downloading numpy-2.4.6-cp311-cp311-manylinux_2_28_x86_64.whl (20.0 MB)
Progress 0 of 20000000
Progress 1000000 of 20000000
Progress 11000000 of 20000000
Progress 20000000 of 20000000
Collecting six
  Downloading six-1.0-py3-none-any.whl (11 kB)
Progress 11000 of 11000
  Building editable for otel-sessions (pyproject.toml): started
  Building editable for otel-sessions (pyproject.toml): finished with status 'done'
Installing collected packages: numpy, six, otel-sessions
Successfully installed numpy-2.4.6 six-1.0
""".splitlines()

BUILDING = "building otel-sessions, which compiles it where there is a C compiler: about a minute"
END = "downloaded 2 files, 20 MB; unpacking 3 packages"


def test_a_log_gets_a_line_for_each_step() -> None:
    """In a log, a large download has a line for each quarter, and a small one has none."""
    said = list(Install(terminal=False).read(PIP))
    assert said == [*(f"downloading numpy: {part} % of 20 MB" for part in (0, 50, 100)), BUILDING, END]


def test_a_terminal_gets_every_change() -> None:
    """On a terminal, a large download says every per cent."""
    said = list(Install(terminal=True).read(PIP))
    assert said == [*(f"downloading numpy: {part} % of 20 MB" for part in (0, 5, 55, 100)), BUILDING, END]


def test_make_says_what_it_installs() -> None:
    """Before anything is downloaded, `make demo` says how much that is and where it goes; then this program goes on."""
    planned = processes.run("make", "--dry-run", "--always-make", "VENV=not-there", "demo").stdout
    (said,) = [line for line in planned.splitlines() if "to download" in line]
    assert f"{processes.ROOT}/not-there" in said
    assert "GB on disk" in said
    assert planned.index(said) < planned.index("-m tools.install") < planned.index("-m examples.demo")


def test_a_failure_shows_what_pip_said(capfd: pytest.CaptureFixture[str]) -> None:
    """If pip fails, its messages are shown, and its status is returned."""
    status = main(["--no-index", "--find-links", str(processes.ROOT / "docs"), "no-such-package"])
    assert status == 1
    assert "no-such-package" in capfd.readouterr().err
