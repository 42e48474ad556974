"""A hook that kills its process, for real: found out, ended for good, undone; others are not."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

LIFE = """
import asyncio, os, signal, sys, time
from wf_core.engine.local import open_engine, registry_of
from wf_core.kinds import StepKind
from wf_core.model.spec import *

class Noted(StepKind):
    name = "noted"
    def run(self, call):
        with open(sys.argv[2], "a") as notes:
            notes.write(f"run {call.step} {call.attempt}\\n")
        if call.step == "poison":
            os.abort() if sys.argv[3] == "abort" else os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(0.4)
    def rollback(self, call):
        with open(sys.argv[2], "a") as notes:
            notes.write(f"rollback {call.step} {call.attempt}\\n")

def made(name, step):
    return Workflow(Metadata(name), WorkflowSpec((StepSpec(step, StepTemplate("noted")),)))

async def main():
    async with open_engine(sys.argv[1], registry=registry_of([Noted()])) as engine:
        keys = [Key("default", each) for each in ("one", "two", "poison", "three")]
        for key in keys:
            try:
                await engine.store.load(key)
            except Exception:
                await engine.create(made(key.name, key.name))
        serving = asyncio.ensure_future(engine.serve())
        await asyncio.sleep(0)
        ended = [str((await engine.wait(key)).head.phase) for key in keys]
        print(" ".join(ended))
        await engine.stop()
        await serving

asyncio.run(main())
"""


@pytest.mark.crash
@pytest.mark.parametrize("how", ["abort", "kill"])
def test_b3_a_hook_that_kills_its_process_is_undone_and_its_neighbours_are_done(
    tmp_path: Path, how: str
) -> None:
    notes = tmp_path / "notes"
    arguments = [sys.executable, "-c", LIFE, f"sqlite:{tmp_path / 'wf.db'}", str(notes), how]
    for _ in range(8):
        life = subprocess.run(arguments, capture_output=True, text=True, check=False, timeout=60)
        if life.returncode == 0:
            break
        assert life.returncode in (-signal.SIGABRT, -signal.SIGKILL), life.stderr
    assert life.stdout.split() == ["Success", "Success", "RollBacked", "Success"], life.stderr
    said = notes.read_text().splitlines()
    assert 3 <= said.count("run poison 1") <= 5
    assert said.count("rollback poison 1") == 1
    assert all(line.endswith(" 1") for line in said)
