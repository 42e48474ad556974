"""Sagas of commands that touch and remove files, and `wf run --chaos` on them."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import attrs
from tests.patience import PATIENCE

WF = str(Path(sys.executable).with_name("wf"))


@attrs.frozen
class Done:
    """What `wf` gave: the exit code, and what it wrote."""

    code: int
    out: str
    err: str

    @property
    def report(self) -> dict[str, Any]:
        """The report, where `-o json` was asked for."""
        found: dict[str, Any] = json.loads(self.out)
        return found


def command(name: str, *after: str, run: str = "", undo: str = "", **more: Any) -> dict[str, Any]:
    """A step that makes the file of its name, and removes it to undo that."""
    parameters = {
        "run": run or f"touch files/{name}",
        "rollback": undo or f"rm -f files/{name}",
    }
    return {
        "name": name,
        "dependOns": [{"name": each} for each in after],
        "stepTemplate": {"type": "command", "parameters": parameters},
        **more,
    }


@attrs.frozen
class ChaosSite:
    """A folder with a document, a check, and a folder `files` that is the world."""

    folder: Path

    def write(self, *steps: dict[str, Any], extra: str = "true") -> None:
        """Write the document and the check; with all files there, `extra` must hold too."""
        (self.folder / "files").mkdir()
        document = {
            "apiVersion": "workflow.example.com/v1alpha1",
            "kind": "Workflow",
            "metadata": {"name": "order"},
            "spec": {"steps": list(steps)},
        }
        (self.folder / "order.yaml").write_text(json.dumps(document))
        (self.folder / "check.sh").write_text(
            'n=$(ls files | wc -l); echo "$WF_EXPECT $WF_PHASE $WF_WORKFLOW: $n files"\n'
            f'case $WF_EXPECT in all) [ "$n" -eq {len(steps)} ] && {extra};; '
            'none) [ "$n" -eq 0 ];; *) exit 9;; esac\n'
        )

    def start(self, *options: str) -> "subprocess.Popen[str]":
        """`wf run order.yaml OPTIONS`; what it makes for itself lies in the folder `tmp`."""
        temporary = self.folder / "tmp"
        temporary.mkdir(exist_ok=True)
        return subprocess.Popen(
            ["env", f"TMPDIR={temporary}", WF, "run", "order.yaml", *options],
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def wf(self, *options: str) -> Done:
        """Run it to its end."""
        process = self.start(*options)
        out, err = process.communicate(timeout=PATIENCE)
        return Done(process.returncode, out, err)

    def chaos(self, runs: int, *options: str) -> Done:
        """Runs with the check of this folder."""
        return self.wf("--chaos", str(runs), "--check", "sh check.sh", *options)

    def left(self) -> set[str]:
        """The files that are there."""
        return {path.name for path in (self.folder / "files").iterdir()}

    def kept(self) -> list[Path]:
        """What `wf` left in its folder for temporary files."""
        return list((self.folder / "tmp").iterdir())
