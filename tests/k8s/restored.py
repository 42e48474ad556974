"""What a restore from a backup does to a workflow: another object of its name, with its status."""

import json

from tests.k8s.crd_objects import Json, Sagas

KEPT = ("name", "namespace", "labels", "annotations", "finalizers")


def restore(sagas: Sagas, name: str = "order", *, status: bool = True) -> tuple[str, str]:
    """Take a workflow away and make it again from what it was; gives its uid before and after.

    `status`: with the status, through its subresource: whoever creates an object can't give one.
    """
    backup = sagas.get(name)
    place = ("-n", sagas.namespace, "saga", name)
    free = '{"metadata": {"finalizers": null}}'
    sagas.kubectl("patch", *place, "--type=merge", "-p", free)
    sagas.kubectl("delete", *place, "--ignore-not-found")
    metadata = {key: value for key, value in backup["metadata"].items() if key in KEPT}
    document: Json = {**backup, "metadata": metadata}
    made = sagas.create(document)
    assert made.get("status", {}).get("phase") in (None, "Pending")
    if status:
        again = json.dumps({**made, "status": backup["status"]})
        sagas.kubectl("replace", "--subresource=status", "-f", "-", stdin=again)
    return backup["metadata"]["uid"], made["metadata"]["uid"]
