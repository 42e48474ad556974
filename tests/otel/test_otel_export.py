"""Whole processes that send their spans to a real receiver of OTLP over HTTP."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from tests.otel.otlp_receiver import Receiver, receiving
from tests.patience import PATIENCE

pytestmark = pytest.mark.slow

DOCUMENT = """
apiVersion: workflow.example.com/v1alpha1
kind: Workflow
metadata: {name: order}
spec:
  steps:
  - name: reserve
    stepTemplate:
      type: command
      parameters:
        run: printf '{"trace":"%s"}' "$TRACEPARENT" > $WF_ATTRIBUTES
        rollback: "true"
  - name: pay
    dependOns: [{name: reserve}]
    stepTemplate:
      type: command
      parameters:
        run: |
          test -e killed && exit 0
          until [ -e exported ]; do sleep 0.02; done
          touch killed
          kill -KILL $PPID
        rollback: "true"
        cwd: FOLDER
"""


def wf(
    folder: Path, endpoint: str, *arguments: str, **more: str
) -> "subprocess.CompletedProcess[str]":
    """`wf` in a process of its own, with tracing on."""
    variables = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
        "OTEL_BSP_SCHEDULE_DELAY": "20",
        "WF_STORE": f"sqlite:{folder / 'wf.db'}",
    }
    return subprocess.run(
        [sys.executable, "-m", "wf_core.cli.main", *arguments],
        env={**os.environ, **variables, **more},
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )


def document(folder: Path, text: str = DOCUMENT) -> str:
    file = folder / "order.yaml"
    file.write_text(text.replace("FOLDER", str(folder)))
    return str(file)


def killed_and_resumed(folder: Path) -> tuple[Receiver, str]:
    """The spans of both lives, and what the first step was told."""
    exported = (folder / "exported").touch
    with receiving(on_spans=exported) as receiver:
        first = wf(folder, receiver.url, "run", document(folder))
        assert first.returncode == -signal.SIGKILL, first.stderr
        assert [span.name for span in receiver.spans] == ["run reserve"]
        second = wf(folder, receiver.url, "resume", "order")
        assert second.returncode == 0, second.stderr
    told = wf(folder, receiver.url, "get", "order", "-o", "yaml").stdout
    (line,) = {each.strip() for each in told.splitlines() if "trace: " in each}
    return receiver, line.removeprefix("trace: ")


def test_the_second_life_of_a_killed_engine_goes_on_with_the_same_trace(tmp_path: Path) -> None:
    receiver, told = killed_and_resumed(tmp_path)
    (reserve,) = receiver.named("run reserve")
    (pay,) = receiver.named("run pay")
    (whole,) = receiver.named("workflow order")
    assert reserve.trace_id == pay.trace_id == whole.trace_id
    assert reserve.parent_span_id == pay.parent_span_id == whole.span_id
    assert told == f"00-{reserve.trace_id.hex()}-{reserve.span_id.hex()}-01"
    values = {each.key: each.value for each in pay.attributes}
    assert values["wf.interruptions"].int_value == 1
    assert values["wf.epoch"].int_value == 2
    assert receiver.services == {"wf"}


def test_a_collector_that_is_away_holds_up_nobody(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        endpoint = f"http://127.0.0.1:{silent.getsockname()[1]}"
        (tmp_path / "killed").touch()
        # Left to itself the exporter would wait for longer than the test does.
        patient = {"OTEL_EXPORTER_OTLP_TIMEOUT": "864000"}
        result = wf(tmp_path, endpoint, "run", document(tmp_path), **patient)
    assert result.returncode == 0, result.stderr


def test_commands_that_run_nothing_import_no_sdk(tmp_path: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "wf_core.cli.main", "kinds"],
        env={**os.environ, "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"},
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
    )
    assert "wf_otel.settings" in result.stderr
    assert "opentelemetry" not in result.stderr
