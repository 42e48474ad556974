"""What a command may leave in $WF_ATTRIBUTES and $WF_RESOURCE, and what is refused."""

import pytest
from tests.command.command_calls import Bench
from tests.patience import PATIENCE

from wf_command.kind import Command
from wf_core.kinds import Fatal, Retryable, Success, Throttled
from wf_core.model.state import Resource

KIND = Command()


def test_attributes_and_resource_are_taken_over(bench: Bench) -> None:
    script = """
    echo '{"ip": "10.0.0.7", "ports": [80]}' > "$WF_ATTRIBUTES"
    echo '{"status": "up", "id": "vm-7", "name": "vm", "address": "a", "attributes": {"x": 1}}' \
      > "$WF_RESOURCE"
    """
    assert KIND.run(bench.call(run=script)) == Success(
        Resource(status="up", id="vm-7", name="vm", address="a", attributes={"x": 1}),
        {"ip": "10.0.0.7", "ports": [80]},
    )


def test_one_call_does_not_see_the_results_of_another(bench: Bench) -> None:
    KIND.run(bench.call(run='echo {} > "$WF_ATTRIBUTES"'))
    assert KIND.run(bench.call(run=["true"])) == Success(None, None)


@pytest.mark.parametrize(
    ("script", "sentence"),
    [
        ('echo "{" > "$WF_ATTRIBUTES"', r"\$WF_ATTRIBUTES: is no JSON"),
        ('echo "[1]" > "$WF_ATTRIBUTES"', r"\$WF_ATTRIBUTES: must hold a JSON object"),
        ("""echo '{"a": NaN}' > "$WF_ATTRIBUTES" """, r"\$WF_ATTRIBUTES: is no JSON: NaN"),
        (r"""printf '{"a": "\377"}' > "$WF_ATTRIBUTES" """, r"\$WF_ATTRIBUTES: is no JSON"),
        (
            'head -c 60000 /dev/zero | tr "\\0" "[" > "$WF_ATTRIBUTES"',
            "is nested more than 64 deep",
        ),
        (
            """(printf '{"a":['; yes '[],' | head -c 800000; echo 0]}) > "$WF_ATTRIBUTES" """,
            "would take more than 16 MiB of memory",
        ),
        ('head -c 1048577 /dev/zero > "$WF_ATTRIBUTES"', "is larger than 1048576 bytes"),
        ('mkdir "$WF_ATTRIBUTES"', r"\$WF_ATTRIBUTES: must be a plain file"),
        ('mkfifo "$WF_ATTRIBUTES"', r"\$WF_ATTRIBUTES: must be a plain file"),
        ("""echo '{"status": 1}' > "$WF_RESOURCE" """, r"\$WF_RESOURCE: status must be a text"),
        ("""echo '{"ip": ""}' > "$WF_RESOURCE" """, r"\$WF_RESOURCE: unknown key 'ip'; known"),
        ("""echo '{"attributes": 1}' > "$WF_RESOURCE" """, "attributes must be an object"),
    ],
)
def test_results_that_can_not_be_used_are_fatal_and_named(
    bench: Bench, script: str, sentence: str
) -> None:
    with pytest.raises(Fatal, match=sentence):
        KIND.run(bench.call(run=script))


def test_c7_bad_attributes_do_not_lose_the_resource(bench: Bench) -> None:
    script = """echo '{"id": "vm-7"}' > "$WF_RESOURCE"; echo x > "$WF_ATTRIBUTES" """
    with pytest.raises(Fatal):
        KIND.run(bench.call(run=script))
    assert bench.saved == [(Resource(id="vm-7"), None)]


@pytest.mark.parametrize(
    ("end", "expected"), [("exit 1", Retryable), ("exit 75", Throttled), ("sleep 60", Retryable)]
)
def test_b4_what_a_failed_command_made_is_saved_for_the_undo(
    bench: Bench, end: str, expected: type[Exception]
) -> None:
    script = """echo '{"id": "vm-7"}' > "$WF_RESOURCE"; echo '{"a": 1}' > "$WF_ATTRIBUTES"; """
    seconds = 2 if end == "sleep 60" else PATIENCE
    with pytest.raises(expected):
        KIND.run(bench.call(run=script + end, timeout=seconds))
    assert bench.saved == [(Resource(id="vm-7"), {"a": 1})]


def test_a_failure_says_that_its_results_can_not_be_used_either(bench: Bench) -> None:
    with pytest.raises(Retryable, match=r"run: exited with code 1 \(\$WF_ATTRIBUTES: is no JSON"):
        KIND.run(bench.call(run='echo x > "$WF_ATTRIBUTES"; exit 1'))
    assert not bench.saved
