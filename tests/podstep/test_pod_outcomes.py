"""The table of outcomes: each row with what it counts and the sentence that a person sees."""

import pytest
from tests.podstep.pod_objects import NAME, disrupted, ended, pod, waiting

from wf_podstep.failures import TABLE, Why
from wf_podstep.outcomes import judge, mark, vanished
from wf_podstep.parameters import Action, FailurePolicy, FailureRule, OnExitCodes
from wf_podstep.seen import Pod
from wf_podstep.starting import SOON, look_at_start
from wf_podstep.verdicts import Done, Failed, Going
from wf_podstep.weights import Weight

FATAL, COUNTED, IGNORED = Weight.FATAL, Weight.COUNTED, Weight.IGNORED

FAILED: dict[str, tuple[Pod, Why, Weight, str]] = {
    "deadline": (
        pod("Failed", reason="DeadlineExceeded", message="Pod was active on the node longer"),
        Why.DEADLINE,
        COUNTED,
        "ran longer than its activeDeadlineSeconds: Pod was active on the node longer",
    ),
    "preemption": (
        pod("Failed", conditions=[disrupted("PreemptionByScheduler")], containers=[ended(143)]),
        Why.PREEMPTED,
        IGNORED,
        "had to make room on n1 for one of higher priority",
    ),
    "node taint": (
        pod("Failed", conditions=[disrupted("DeletionByTaintManager")]),
        Why.NODE_LOST,
        IGNORED,
        "was lost with n1",
    ),
    "node removed": (
        pod("Failed", conditions=[disrupted("DeletionByPodGC")]),
        Why.NODE_LOST,
        IGNORED,
        "was lost with n1",
    ),
    "drain": (
        pod("Failed", conditions=[disrupted("EvictionByEvictionAPI")], deleting=True),
        Why.DRAINED,
        IGNORED,
        "was evicted from n1, as by a drain",
    ),
    "node pressure": (
        pod(
            "Failed",
            reason="Evicted",
            message="The node was low on resource: memory.",
            conditions=[disrupted("TerminationByKubelet")],
        ),
        Why.EVICTED,
        IGNORED,
        "was evicted, since n1 ran short: The node was low on resource: memory.",
    ),
    "own use of disk": (
        pod("Failed", reason="Evicted", message="Pod ephemeral local storage usage exceeds"),
        Why.OVER_LIMIT,
        COUNTED,
        "was evicted for using more than it may: Pod ephemeral local storage usage exceeds",
    ),
    "node shutdown": (
        pod("Failed", reason="Terminated", message="Pod was terminated in response to"),
        Why.SHUTDOWN,
        IGNORED,
        "was ended as n1 shut down: Pod was terminated in response to",
    ),
    "kubelet": (
        pod("Failed", conditions=[disrupted("TerminationByKubelet")]),
        Why.SHUTDOWN,
        IGNORED,
        "was ended by n1",
    ),
    "node without room": (
        pod("Failed", reason="OutOfcpu", message="Node didn't have enough resource: cpu"),
        Why.REFUSED,
        IGNORED,
        "was refused by n1: Node didn't have enough resource: cpu",
    ),
    "deleted by hand": (
        pod("Failed", containers=[ended(143)], deleting=True),
        Why.DELETED,
        COUNTED,
        "was deleted while it ran (it ended with code 143); how far it came is unknown",
    ),
    "memory": (
        pod("Failed", containers=[ended(137, reason="OOMKilled")]),
        Why.OOM,
        COUNTED,
        "used more memory than its limit and was killed; raise resources.limits.memory",
    ),
    "no such command": (
        pod("Failed", containers=[ended(128, 'exec: "pay": not found', "StartError")]),
        Why.CANNOT_START,
        FATAL,
        'could not be started; correct its command: exec: "pay": not found',
    ),
    "not executable": (
        pod("Failed", containers=[ended(126)]),
        Why.NOT_EXECUTABLE,
        FATAL,
        "exited with code 126: a program can't be executed",
    ),
    "not found by the shell": (
        pod("Failed", containers=[ended(127, "sh: pay: not found\n")]),
        Why.NOT_FOUND,
        FATAL,
        "exited with code 127: a program was not found: sh: pay: not found",
    ),
    "not now": (
        pod("Failed", containers=[ended(75)]),
        Why.NOT_NOW,
        IGNORED,
        "exited with code 75: not now",
    ),
    "signal": (
        pod("Failed", containers=[ended(139)]),
        Why.SIGNALLED,
        COUNTED,
        "was ended by signal SIGSEGV (exit code 139)",
    ),
    "exit code": (
        pod("Failed", containers=[ended(3, "no such\naccount")]),
        Why.EXITED,
        COUNTED,
        "exited with code 3: no such account",
    ),
    "an init container": (
        pod("Failed", inits=[ended(1, "no key", name="unpack")]),
        Why.EXITED,
        COUNTED,
        "(container unpack) exited with code 1: no key",
    ),
    "no reason at all": (
        pod("Failed", reason="Mystery", message="who knows"),
        Why.FAILED,
        COUNTED,
        "failed: Mystery: who knows",
    ),
}


@pytest.mark.parametrize("name", FAILED)
def test_a_failed_pod_is_told_by_its_row(name: str) -> None:
    made, why, weight, told = FAILED[name]
    assert judge(made, None, 0.0, 600.0) == Failed(why, weight, f"pod {NAME} {told}")


def test_every_row_has_a_test() -> None:
    assert {row.why for row in TABLE} == {why for _, why, _, _ in FAILED.values()}


STARTING: dict[str, tuple[Pod, str, str]] = {
    "pull": (
        pod("Pending", containers=[waiting("ImagePullBackOff", "Back-off pulling: timeout")]),
        "ImagePullBackOff",
        "the image shop/pay:1 can't be pulled: Back-off pulling: timeout",
    ),
    "config": (
        pod("Pending", containers=[waiting("CreateContainerConfigError", 'secret "k" not found')]),
        "CreateContainerConfigError",
        'container main can\'t be made (CreateContainerConfigError): secret "k" not found',
    ),
    "init": (
        pod(
            "Pending",
            inits=[waiting("RunContainerError", "no", name="unpack")],
            containers=[waiting("PodInitializing")],
        ),
        "RunContainerError",
        "container unpack can't be made (RunContainerError): no",
    ),
    "no node": (
        pod(
            "Pending",
            conditions=[
                {
                    "type": "PodScheduled",
                    "status": "False",
                    "reason": "Unschedulable",
                    "message": "0/3 nodes are available",
                }
            ],
        ),
        "Unschedulable",
        "no node takes it: 0/3 nodes are available",
    ),
}


@pytest.mark.parametrize("name", STARTING)
def test_what_keeps_a_pod_from_starting_is_awaited_for_a_while(name: str) -> None:
    made, status, why = STARTING[name]
    assert judge(made, None, 599.0, 600.0) == Going(status, why)
    late = f"pod {NAME} could not start within 600 s: {why}"
    assert judge(made, None, 600.0, 600.0) == Failed(status, COUNTED, late)
    assert judge(made, None, 1e9, None) == Going(status, why)


@pytest.mark.parametrize(
    ("reason", "message", "told"),
    [
        ("ErrImagePull", 'failed to resolve "x": not found', "does not exist: failed"),
        ("ImagePullBackOff", "manifest unknown", "does not exist: manifest unknown"),
        ("InvalidImageName", "couldn't parse", "is no name of an image: couldn't parse"),
        ("ErrImageNeverPull", "", "is not on the node, and imagePullPolicy forbids to pull it"),
    ],
)
def test_an_image_that_will_never_be_there_is_fatal_at_once(
    reason: str, message: str, told: str
) -> None:
    verdict = judge(pod("Pending", containers=[waiting(reason, message)]), None, 0.0, 600.0)
    assert isinstance(verdict, Failed)
    assert verdict.weight is FATAL
    assert verdict.sentence.startswith(f"pod {NAME}: the image shop/pay:1 {told}")


SHOWS = f"may be missing: `kubectl describe pod {NAME}` shows which"
UNSTARTED: dict[str, tuple[Pod, str, str]] = {
    "a volume": (
        pod("Pending", containers=[waiting("ContainerCreating")]),
        "ContainerCreating",
        SHOWS,
    ),
    "a volume of a pod with init containers": (
        pod(
            "Pending",
            inits=[waiting("PodInitializing", name="unpack")],
            containers=[waiting("PodInitializing")],
        ),
        "Starting",
        SHOWS,
    ),
    "a node that says nothing": (pod("Pending"), "Starting", "node n1 has not started it"),
    "no scheduler": (
        pod("Pending", of={"nodeName": "", "schedulerName": "mine"}),
        "Unscheduled",
        "the scheduler 'mine' has not looked at it; check that it runs",
    ),
    "a scheduling gate": (
        pod("Pending", of={"nodeName": "", "schedulingGates": [{"name": "a"}, {"name": "b"}]}),
        "SchedulingGated",
        "no scheduler may take it yet: its scheduling gates a, b",
    ),
    "an init container that does not end": (
        pod(
            "Pending",
            inits=[{"name": "unpack", "state": {"running": {}}}],
            containers=[waiting("PodInitializing")],
        ),
        "Initializing",
        "init container unpack has not finished",
    ),
    "a main container that waits beside one that runs": (
        pod(
            "Running",
            containers=[
                {"name": "helper", "state": {"running": {}}},
                waiting("ContainerCreating"),
            ],
        ),
        "ContainerCreating",
        SHOWS,
    ),
}


@pytest.mark.parametrize("name", UNSTARTED)
def test_whatever_keeps_the_main_container_from_starting_has_a_deadline(name: str) -> None:
    made, status, told = UNSTARTED[name]
    assert judge(made, None, SOON - 1, 600.0) == Going(made.status.phase), "most start soon"
    shown = judge(made, None, SOON, 600.0)
    assert isinstance(shown, Going)
    assert shown.status == status
    assert told in shown.why
    late = f"pod {NAME} could not start within 600 s: {shown.why}"
    assert judge(made, None, 600.0, 600.0) == Failed(status, COUNTED, late)
    assert judge(made, None, 1e9, None) == shown


@pytest.mark.parametrize(
    "made",
    [
        pod("Running", containers=[{"name": "main", "state": {"running": {}}}]),
        pod("Running", containers=[{"name": "helper", "state": {"running": {}}}, ended(0)]),
        pod("Running"),
    ],
)
def test_a_pod_whose_main_container_was_started_has_no_deadline_to_start(made: Pod) -> None:
    assert judge(made, None, 1e9, 1.0) == Going("Running")


@pytest.mark.parametrize(
    ("age", "limit", "after"),
    [
        (2.0, 600.0, SOON - 2.0),
        (2.0, 5.0, 3.0),
        (2.0, None, SOON - 2.0),
        (SOON, None, None),
        (SOON, 600.0, 60.0),
        (595.5, 600.0, 4.5),
        (599.9, 600.0, 1.0),
    ],
)
def test_a_pod_that_was_not_started_is_looked_at_when_there_is_something_to_say(
    age: float, limit: float | None, after: float | None
) -> None:
    assert look_at_start(age, limit) == after


def test_a_pod_on_a_node_that_does_not_answer_is_told() -> None:
    lost = pod("Running", conditions=[disrupted("DeletionByTaintManager")], deleting=True)
    verdict = judge(lost, None, 0.0, 600.0)
    assert isinstance(verdict, Going)
    assert verdict.status == "NodeLost"
    assert verdict.why.startswith("n1 does not answer, so that its pod can't be ended; once")


def test_a_pod_that_succeeded_gives_its_own_containers_message() -> None:
    made = pod("Succeeded", containers=[ended(0, "other", name="helper"), ended(0, '{"n": 1}')])
    assert judge(made, None, 0.0, None) == Done('{"n": 1}')


def test_the_authors_policy_comes_before_the_table() -> None:
    rule = FailureRule(
        action=Action.IGNORE, on_exit_codes=OnExitCodes(operator="In", values=[3, 4])
    )
    verdict = judge(pod("Failed", containers=[ended(3)]), FailurePolicy(rules=[rule]), 0.0, None)
    assert verdict == Failed(Why.EXITED, IGNORED, f"pod {NAME} exited with code 3")


def test_a_pod_that_is_gone_is_told_by_what_was_seen_last() -> None:
    drained = pod("Running", conditions=[disrupted("EvictionByEvictionAPI")])
    lost = vanished(NAME, drained, None)
    assert isinstance(lost, Failed)
    assert (lost.reason, lost.weight) == (Why.DRAINED, IGNORED)
    assert vanished(NAME, pod("Succeeded", containers=[ended(0, "x")]), None) == Done("x")
    unknown = f"pod {NAME} was deleted before it ended; how far it came is unknown"
    assert vanished(NAME, pod("Running"), None) == Failed("Deleted", COUNTED, unknown)
    assert vanished(NAME, None, None) == Failed("Deleted", COUNTED, unknown)


def test_a_step_is_looked_at_only_for_what_matters() -> None:
    pending = pod("Pending")
    assert mark(pod("Running")) == mark(pending)
    for other in (
        pod("Succeeded"),
        pod("Running", deleting=True),
        pod("Pending", containers=[waiting("ErrImagePull")]),
    ):
        assert mark(other) != mark(pending)


def test_what_a_container_said_is_cut_to_its_end() -> None:
    verdict = judge(pod("Failed", containers=[ended(1, "x" * 2000 + " end")]), None, 0.0, None)
    assert isinstance(verdict, Failed)
    assert verdict.sentence.endswith("x end")
    assert len(verdict.sentence) < 700
