"""Objects for the tests of the Workflow resource, and what a cluster says to them."""

import json
import time
from collections.abc import Sequence
from typing import Any

import attrs
from tests.cluster.kubectl import Kubectl
from tests.patience import PATIENCE

from wf_k8s.crd import definitions

Json = dict[str, Any]


LARGE = {f"k{n}": "x" * 50 for n in range(3_900)}
"""Attributes of a step, about 250 KB: five steps have as many values as a cluster takes."""


def step(name: str, *after: str, **more: Any) -> Json:
    """A step that waits for the steps `after`."""
    made: Json = {"name": name, "stepTemplate": {"type": "random"}, **more}
    return {**made, "dependOns": [{"name": each} for each in after]} if after else made


def workflow(*steps: Json, name: str = "order", **spec: Any) -> Json:
    """A Workflow of these steps, or of one."""
    return {
        "apiVersion": "workflow.example.com/v1alpha1",
        "kind": "Workflow",
        "metadata": {"name": name},
        "spec": {"steps": list(steps) or [step("a")], **spec},
    }


def cron(*steps: Json, name: str = "tick", schedule: str = "* * * * * *", **spec: Any) -> Json:
    """A CronWorkflow of these steps, or of one; every second, unless something else is said."""
    return {
        "apiVersion": "workflow.example.com/v1alpha1",
        "kind": "CronWorkflow",
        "metadata": {"name": name},
        "spec": {
            "schedule": schedule,
            "workflowTemplate": {"spec": {"steps": list(steps) or [step("a")]}},
            **spec,
        },
    }


def task(name: str = "once", **spec: Any) -> Json:
    """A Task; what it does is what a `step` does, or is given as `stepTemplate` has it."""
    return {
        "apiVersion": "workflow.example.com/v1alpha1",
        "kind": "Task",
        "metadata": {"name": name},
        "spec": {"type": "random", **spec},
    }


SUSPENDED = ("--type=merge", "-p", '{"spec":{"suspend":true}}')
"""What `kubectl patch` needs to suspend a schedule."""


def request(id_: str, type_: str = "Cancel", **more: Any) -> Json:
    """An entry of spec.requests."""
    return {"id": id_, "type": type_, **more}


@attrs.frozen
class Sagas:
    """The workflows of one namespace. What is expected to be refused gives what was said."""

    kubectl: Kubectl
    namespace: str

    def create(self, document: Json, *options: str) -> Json:
        """Create; gives what came back."""
        made: Json = self.kubectl.json(
            "create", "-n", self.namespace, "-f", "-", *options, stdin=json.dumps(document)
        )
        return made

    def refused(self, document: Json) -> str:
        """Why `document` was not created."""
        return self._refusal("create", "-f", "-", stdin=json.dumps(document))

    def get(self, name: str = "order") -> Json:
        """As it is stored."""
        found: Json = self.kubectl.json("get", "-n", self.namespace, "saga", name)
        return found

    def names(self) -> list[str]:
        """Of all workflows that there are."""
        found = self.kubectl.json("get", "-n", self.namespace, "saga")["items"]
        return [each["metadata"]["name"] for each in found]

    def cron(self, name: str = "tick") -> Json:
        """A schedule, as it is stored."""
        found: Json = self.kubectl.json("get", "-n", self.namespace, "cronsaga", name)
        return found

    def task(self, name: str = "once") -> Json:
        """A task, as it is stored."""
        found: Json = self.kubectl.json("get", "-n", self.namespace, "sagatask", name)
        return found

    def known(self) -> bool:
        """Whether the API server knows workflows yet: not at once after its start."""
        return self.kubectl.run("-n", self.namespace, "get", "saga").returncode == 0

    def patch(self, *operations: Json, name: str = "order", status: bool = False) -> Json:
        """Apply a JSON patch."""
        made: Json = self.kubectl.json(*self._patch(operations, name, status))
        return made

    def patch_refused(self, *operations: Json, name: str = "order", status: bool = False) -> str:
        """Why a JSON patch was not applied."""
        return self._refusal(*self._patch(operations, name, status))

    def save(self, name: str = "order", **fields: Any) -> Json:
        """Put fields into the status."""
        operations = [put(f"/status/{field}", value) for field, value in fields.items()]
        return self.patch(*operations, name=name, status=True)

    def _patch(self, operations: Sequence[Json], name: str, status: bool) -> list[str]:
        return [
            *("patch", "-n", self.namespace, "saga", name, "--type=json"),
            *(["--subresource=status"] if status else []),
            *("-p", json.dumps(operations)),
        ]

    def _refusal(self, *arguments: str, stdin: str | None = None) -> str:
        done = self.kubectl.run("-n", self.namespace, *arguments, stdin=stdin)
        assert done.returncode, f"this was accepted: {done.stdout}"
        return done.stderr


def define(kubectl: Kubectl, *others: Json) -> None:
    """Have the cluster know our resources, or those `others`, and return once it does."""
    deadline = time.monotonic() + PATIENCE
    for made in others or definitions():
        kubectl("apply", "-f", "-", stdin=json.dumps(made))
        # Not `kubectl wait`: it ends with an error where there are no conditions yet.
        while not _established(kubectl.json("get", "crd", made["metadata"]["name"])):
            assert time.monotonic() < deadline, "the definition is not established"
            time.sleep(0.05)


def _established(crd: Json) -> bool:
    conditions = crd.get("status", {}).get("conditions") or ()
    return any((each["type"], each["status"]) == ("Established", "True") for each in conditions)


def put(path: str, value: Any) -> Json:
    """The operation that sets a value, whether there is one or not."""
    return {"op": "add", "path": path, "value": value}


def drop(path: str) -> Json:
    """The operation that removes a value."""
    return {"op": "remove", "path": path}
