"""What people on call look up is there."""

from pathlib import Path

import pytest

from wf_core.model.phases import BlockReason
from wf_k8s import rbac
from wf_k8s.telemetry.metrics import Metrics


@pytest.fixture(scope="module")
def operate(root: Path) -> str:
    return (root / "docs/operate.md").read_text()


def test_every_metric_has_its_line(operate: str) -> None:
    families = Metrics().registry.collect()
    names = {
        f"{each.name}_total" if each.type == "counter" else each.name
        for each in families
        if not each.name.startswith("process_")
    }
    assert {name for name in names if f"| `{name}` |" not in operate} == set()


@pytest.mark.parametrize("reason", BlockReason)
def test_every_reason_to_wait_for_a_person_says_what_to_do(
    operate: str, reason: BlockReason
) -> None:
    (line,) = [each for each in operate.splitlines() if each.startswith(f"| `{reason}` |")]
    assert all(cell.strip() for cell in line.strip("|").split("|"))


def test_every_right_of_the_controller_has_its_reason(root: Path) -> None:
    page = (root / "docs/security.md").read_text()
    told = {line.split("|")[1].strip() for line in page.splitlines() if line.startswith("| ")}
    verbs: dict[str, set[str]] = {}
    for line in told:
        resource, _, rest = line.partition(": ")
        verbs.setdefault(resource, set()).update(rest.split(", "))
    for rule in (*rbac.WORKFLOWS, *rbac.CLEAN_UP, *rbac.PODS):
        (resource,) = rule.resources
        missing = set(rule.verbs) - verbs.get(resource, set())
        assert missing <= {"patch"} if resource == "events" else not missing, resource
