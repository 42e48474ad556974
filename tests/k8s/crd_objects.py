"""Objects for the tests of the Workflow resource, and what a cluster says to them."""

import json
from collections.abc import Sequence
from typing import Any

import attrs
from tests.cluster.kubectl import Kubectl

from wf_k8s.crd import definition

Json = dict[str, Any]


def make_known(kubectl: Kubectl) -> None:
    """Teach a cluster our resource."""
    made = definition()
    name = f"crd/{made['metadata']['name']}"
    kubectl("apply", "-f", "-", stdin=json.dumps(made))
    # kubectl can't wait for a condition of an object that has none yet.
    kubectl("wait", "--for=jsonpath={.status.conditions}", name)
    kubectl("wait", "--for=condition=Established", name)


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


def put(path: str, value: Any) -> Json:
    """The operation that sets a value, whether there is one or not."""
    return {"op": "add", "path": path, "value": value}


def drop(path: str) -> Json:
    """The operation that removes a value."""
    return {"op": "remove", "path": path}
