"""What the controller must be allowed, as data: the chart grants exactly this, and a test runs the
controller with no more.

There is no right to `get`: an object is read again as a list of one, by `metadata.name`.
"""

from typing import Any

import attrs

from wf_k8s.crd.definition import GROUP, PLURAL
from wf_k8s.crd.schedule import CRON_PLURAL
from wf_k8s.crd.task import TASK_PLURAL


@attrs.frozen
class Rule:
    """One rule of a Role or a ClusterRole."""

    group: str
    resources: tuple[str, ...]
    verbs: tuple[str, ...]
    names: tuple[str, ...] = ()

    def document(self) -> dict[str, Any]:
        """As it stands in a manifest."""
        return {
            "apiGroups": [self.group],
            "resources": list(self.resources),
            "verbs": list(self.verbs),
            **({"resourceNames": list(self.names)} if self.names else {}),
        }


WORKFLOWS = (
    Rule(GROUP, (PLURAL,), ("list", "watch", "patch")),
    Rule(GROUP, (f"{PLURAL}/status",), ("patch",)),
    Rule("events.k8s.io", ("events",), ("create",)),
)
"""In each namespace whose workflows it runs, or in all. The patch is for the finalizer."""

SCHEDULES = (
    Rule(GROUP, (CRON_PLURAL,), ("list", "watch")),
    Rule(GROUP, (f"{CRON_PLURAL}/status",), ("patch",)),
    Rule(GROUP, (PLURAL,), ("create",)),
)
"""There too, where it starts what schedules are due."""

TASKS = (
    Rule(GROUP, (TASK_PLURAL,), ("list", "watch", "delete")),
    Rule(GROUP, (f"{TASK_PLURAL}/status",), ("patch",)),
    Rule(GROUP, (PLURAL,), ("create",)),
)
"""There too, where it runs tasks. Those that are finished are removed by age."""

CLEAN_UP = (Rule(GROUP, (PLURAL,), ("delete",)),)
"""There too: finished workflows are removed by age, and runs of schedules by their history."""

PODS = (Rule("", ("pods",), ("list", "watch", "create", "patch", "delete")),)
"""There too, where steps run as pods. The patch is for their finalizer, and puts back labels."""

POD_LOGS = (Rule("", ("pods/log",), ("get",)),)
"""There too, where a pod's result is taken from its log; and for people who run `wf logs`."""


def lease(name: str) -> tuple[Rule, ...]:
    """In the controller's own namespace: the lease by which it is the only one."""
    return (
        # A name can't be asked for at creation: it is not known to the authorizer yet.
        Rule("coordination.k8s.io", ("leases",), ("create",)),
        Rule("coordination.k8s.io", ("leases",), ("get", "update"), (name,)),
    )
