"""Money is moved by a saga whose engine is killed again and again: none is made, none is lost."""

import json
import os
import shlex
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from tests.barrier import transfer_kind
from tests.barrier.bank import Bank

from wf_core.barrier.driver import driver_of

WF = str(Path(sys.executable).with_name("wf"))
pytestmark = [pytest.mark.slow, pytest.mark.crash]


def transfer(name: str, giver: str, taker: str, bank: str, **more: Any) -> dict[str, Any]:
    parameters = {"bank": bank, "giver": giver, "taker": taker, "amount": 30, **more}
    return {"name": name, "stepTemplate": {"type": "transfer", "parameters": parameters}}


RUNS = 5
"""On each database; a run is two processes and more, and a look at the accounts after it."""


def chaos(folder: Path, bank: Bank, **more: Any) -> "subprocess.Popen[str]":
    """`wf run --chaos` on a saga that moves 30 from ann to bob in two steps."""
    take = transfer("take", "ann", "transit", bank.address, **more)
    give = transfer("give", "transit", "bob", bank.address, **more)
    document = {
        "apiVersion": "workflow.example.com/v1alpha1",
        "kind": "Workflow",
        "metadata": {"name": "payment"},
        "spec": {"steps": [take, {**give, "dependOns": [{"name": "take"}]}]},
    }
    (folder / "payment.yaml").write_text(json.dumps(document))
    environment = {**os.environ, "TMPDIR": str(folder), **transfer_kind.installed(folder / "site")}
    seed = str(len(bank.address.partition(":")[0]))  # other crashes on every database
    check = [sys.executable, "-m", "tests.barrier.check_transfers", bank.address]
    return subprocess.Popen(
        [
            *(WF, "run", "payment.yaml", "--chaos", str(RUNS), "--seed", seed),
            *("--check", shlex.join(check), "-o", "json"),
        ],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def total(bank: Bank) -> int:
    row = driver_of(bank.connection).read("SELECT SUM(balance) FROM account")
    bank.connection.rollback()
    assert row is not None
    return int(row[0])


def test_the_sum_holds_at_every_moment_and_each_saga_ends_as_all_or_none(
    bank: Bank, tmp_path: Path
) -> None:
    bank.open(ann=100, bob=100, transit=0)
    looks = 0
    with chaos(tmp_path, bank) as process:
        while process.poll() is None:
            assert total(bank) == 200
            looks += 1
            time.sleep(0.02)
        out, err = process.communicate()
    assert process.returncode == 0, out + err
    report = json.loads(out)
    assert report["held"] == report["reached"] == RUNS
    assert looks > 20
    assert (bank.balance("ann"), bank.balance("bob")) == (100, 100)


def test_without_the_barrier_the_same_saga_does_not_hold(tmp_path: Path) -> None:
    with Bank(f"sqlite:{tmp_path / 'bank.db'}") as bank:
        bank.open(ann=100, bob=100, transit=0)
        with chaos(tmp_path, bank, careless=True) as process:
            out, err = process.communicate()
    assert process.returncode == 1, out + err
    assert "WF_EXPECT" in json.loads(out)["violation"]["expected"]
