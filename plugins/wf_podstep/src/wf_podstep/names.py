"""What the pods of a step are called, and the labels by which they are found again."""

import hashlib
from collections.abc import Mapping

import attrs

from wf_core.kinds import StepCall
from wf_core.model.phases import Hook, Purpose

PREFIX = "workflow.example.com/"
KIND = PREFIX + "step-kind"
UID = PREFIX + "uid"
WORKFLOW = PREFIX + "workflow"
STEP = PREFIX + "step"
HOOK = PREFIX + "hook"
ATTEMPT = PREFIX + "attempt"
RETAIN = PREFIX + "retain-pods"
STORE = PREFIX + "store"
TOMBSTONE = PREFIX + "tombstone"
INPUT = PREFIX + "input"
GATE = PREFIX + "undone"
OURS = f"{KIND}=pod"
"""The selector of every pod that this kind makes."""

IN_CLUSTER, LOCAL = "cluster", "local"
"""Where the workflow of a pod is stored."""

_HEAD = 40


def ours(labels: Mapping[str, str]) -> list[tuple[str, str]]:
    """Those of a pod's labels that this kind wrote."""
    return [(key, value) for key, value in labels.items() if key.startswith(PREFIX)]


@attrs.frozen
class Identity:
    """Which attempt of which step a pod is for. Two with the same identity have the same name.

    `uid` is the workflow's for ever, `owner` that of the object which owns the pod: another once
    the workflow was restored from a backup.
    """

    namespace: str
    workflow: str
    uid: str
    step: str
    hook: Hook
    attempt: int
    owner: str = attrs.field(default="", eq=False)

    @classmethod
    def of(cls, call: StepCall, namespace: str) -> "Identity":
        """That of the pod a call is about."""
        hook = Hook.ROLLBACK if call.purpose is Purpose.ROLLBACK else Hook.RUN
        return cls(
            namespace, call.workflow, call.uid, call.step, hook, call.attempt, call.object_uid
        )

    def run(self, attempt: int) -> "Identity":
        """That of an attempt to run the same step."""
        return self.of_hook(Hook.RUN, attempt)

    def of_hook(self, hook: Hook, attempt: int) -> "Identity":
        """That of an attempt to run or undo the same step."""
        return attrs.evolve(self, hook=hook, attempt=attempt)

    @property
    def name(self) -> str:
        """The hash of uid, step, hook and attempt, behind something that people can read."""
        told = f"{self.uid}/{self.step}/{self.hook}/{self.attempt}"
        digest = hashlib.sha256(told.encode()).hexdigest()[:12]
        head = f"{self.workflow}-{self.step}"[:_HEAD].rstrip("-")
        undo = "-undo" if self.hook is Hook.ROLLBACK else ""
        return f"{head}{undo}-{digest}"

    @property
    def labels(self) -> dict[str, str]:
        """What makes it ours, and this attempt's."""
        return {
            "app.kubernetes.io/managed-by": "wf",
            KIND: "pod",
            UID: self.uid,
            WORKFLOW: self.workflow,
            STEP: self.step,
            HOOK: str(self.hook),
            ATTEMPT: str(self.attempt),
        }

    def lacks(self, labels: Mapping[str, str]) -> bool:
        """Whether labels of this attempt's are missing, and none says something else."""
        wrong = {labels.get(key) for key, value in self.labels.items() if labels.get(key) != value}
        return wrong == {None}

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether a pod of this name is this attempt's: only then it may be adopted."""
        return all(labels.get(key) == value for key, value in self.labels.items())
