"""`podFailurePolicy`: what an author says that failures mean, as for a Job."""

from wf_podstep.parameters import Action, FailurePolicy, FailureRule, OnExitCodes
from wf_podstep.seen import Pod
from wf_podstep.weights import Weight

_WEIGHTS = {
    Action.FAIL_JOB: Weight.FATAL,
    Action.IGNORE: Weight.IGNORED,
    Action.COUNT: Weight.COUNTED,
}


def weighed(pod: Pod, policy: FailurePolicy | None) -> Weight | None:
    """What the first rule that fits says; None where none does."""
    for rule in policy.rules if policy is not None else ():
        if _fits(pod, rule):
            return _WEIGHTS[rule.action]
    return None


def _fits(pod: Pod, rule: FailureRule) -> bool:
    if rule.on_exit_codes is not None:
        return _by_code(pod, rule.on_exit_codes)
    return any(
        condition.type == wanted.type and condition.status == wanted.status
        for wanted in rule.on_pod_conditions
        for condition in pod.status.conditions
    )


def _by_code(pod: Pod, wanted: OnExitCodes) -> bool:
    for each in (*pod.status.container_statuses, *pod.status.init_container_statuses):
        ended = each.state.terminated
        if ended is None or ended.exit_code == 0:
            continue
        if wanted.container_name not in (None, each.name):
            continue
        if (ended.exit_code in wanted.values) == (wanted.operator == "In"):
            return True
    return False
