"""Building a program with Go, from its published module."""

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from tests.cluster.sources import Source

BUILDING = ".building-"
"""How the folder of a build begins. It is beside the target, which a rename can then replace."""


class BuildFailedError(Exception):
    """Go could not build a program: most often its modules can't be fetched."""


def build(source: Source, program: str, target: Path) -> None:
    """Build `program` and put it at `target`, which appears only once it is whole. Whoever calls
    is the only one to build: what earlier builds left half done is removed.

    Go keeps what it has compiled, so a build that was interrupted is soon where it was.
    Raises BuildFailedError with the last lines that Go said.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    for left in target.parent.glob(f"{BUILDING}*"):
        # A build was killed here. Its compiler may still run: it must not write what we install.
        shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=BUILDING, dir=target.parent) as name:
        folder = Path(name)
        (folder / "go.mod").write_text(go_mod(source, upstream(source, folder)))
        made = folder / "made"
        linked = " ".join(["-s -w", *(f"-X {k}={v}" for k, v in source.stamped.items())])
        package = source.packages[program]
        # `mod`: Go completes go.mod and go.sum by itself, from what the module asks for.
        go(folder, "build", "-mod=mod", "-trimpath", "-ldflags", linked, "-o", str(made), package)
        made.replace(target)


def upstream(source: Source, folder: Path) -> dict[str, Any]:
    """The go.mod of the source's own module."""
    fetched = go(folder, "mod", "download", "-json", f"{source.module}@v{source.version}")
    parsed = go(folder, "mod", "edit", "-json", json.loads(fetched)["GoMod"])
    described: dict[str, Any] = json.loads(parsed)
    return described


def go_mod(source: Source, described: dict[str, Any]) -> str:
    """A go.mod that depends on the source and makes the choices that the source makes."""
    lines = ["module wf.local/build", "", f"go {described['Go']}", ""]
    lines += [f"godebug {each['Key']}={each['Value']}" for each in described.get("GoDebug") or ()]
    lines += [f"require {source.module} v{source.version}"]
    if source.staging is not None:
        replaced = [each["Old"]["Path"] for each in described.get("Replace") or ()]
        lines += [f"replace {path} => {path} {source.staging}" for path in replaced]
    return "\n".join(lines) + "\n"


def go(folder: Path, *arguments: str) -> str:
    """What `go ARGUMENTS` writes; BuildFailedError where it fails."""
    done = subprocess.run(
        ["go", *arguments],
        cwd=folder,
        # No cgo: the programs then run on any machine, whatever its C library.
        env={**os.environ, "CGO_ENABLED": "0", "GOWORK": "off"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        last = "\n".join(done.stderr.strip().splitlines()[-5:])
        raise BuildFailedError(f"`go {arguments[0]}` failed: {last}")
    return done.stdout
