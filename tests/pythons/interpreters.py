"""Which Pythons are on this machine."""

import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

PROBE = "import ensurepip, sys, venv; print('{}.{}'.format(*sys.version_info[:2]))"
"""What only an interpreter that can make an environment answers."""
START_SECONDS = 60


def find(version: str, environment: Mapping[str, str]) -> Path | None:
    """The first interpreter of `version` ("3.12") that works.

    A name on the path proves nothing: pyenv puts a shim there for every version that any folder
    uses, and the shim refuses to run where its version is not chosen.
    """
    return next((each for each in candidates(version, environment) if works(each, version)), None)


def candidates(version: str, environment: Mapping[str, str]) -> Iterator[Path]:
    """Everything that may be an interpreter of `version`: on the path, then what pyenv keeps."""
    for folder in environment.get("PATH", "").split(":"):
        if folder:
            yield Path(folder) / f"python{version}"
    home = Path(environment.get("HOME") or "~").expanduser()
    pyenv = Path(environment.get("PYENV_ROOT") or home / ".pyenv")
    yield from sorted(pyenv.glob(f"versions/{version}*/bin/python{version}"))


def works(interpreter: Path, version: str) -> bool:
    """Whether it runs, is of that version, and can make an environment."""
    try:
        answer = subprocess.run(
            [interpreter, "-c", PROBE],
            capture_output=True,
            text=True,
            check=False,
            timeout=START_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return answer.returncode == 0 and answer.stdout.strip() == version
