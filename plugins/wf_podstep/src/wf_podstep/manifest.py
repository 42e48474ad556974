"""The pod of an attempt, and the tombstone that stands for a pod that must never be."""

import copy
from collections.abc import Mapping
from typing import Any

from wf_core.model.phases import Hook
from wf_core.model.spec import API_VERSION, KIND
from wf_k8s.releasing import POD_FINALIZER
from wf_podstep import names
from wf_podstep.inputs import FILE, FOLDER, Inputs
from wf_podstep.names import Identity
from wf_podstep.parameters import PodParameters, Rollback

Object = dict[str, Any]
MAIN = "main"
VOLUME = "wf-input"
_EMPTY: Object = {}


def pod(
    identity: Identity, parameters: PodParameters, inputs: Inputs, *, in_cluster: bool
) -> Object:
    """The pod of an attempt to run or to undo. `in_cluster`: its workflow is an object there."""
    template = _template(identity, parameters)
    metadata = template.setdefault("metadata", {})
    spec = template.setdefault("spec", {})
    containers = spec.setdefault("containers", [])
    if not containers:
        containers.append({"name": MAIN})
    _fill_main(containers[0], identity, parameters, inputs)
    _fill_spec(spec, identity, parameters)
    ours = labels(identity, parameters, in_cluster=in_cluster)
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": identity.name,
            "namespace": identity.namespace,
            "labels": {**metadata.get("labels", {}), **ours},
            "annotations": {
                "kubectl.kubernetes.io/default-container": containers[0]["name"],
                **metadata.get("annotations", {}),
                names.INPUT: inputs.document,
            },
            # Where no controller looks after it, a pod would only be held up.
            **({"finalizers": [POD_FINALIZER]} if in_cluster else {}),
            # A pod of the undo has no owner: foreground deletion would take it away (rule 15).
            **(_owned(identity) if in_cluster and identity.hook is Hook.RUN else {}),
        },
        "spec": spec,
    }


def labels(identity: Identity, parameters: PodParameters, *, in_cluster: bool) -> dict[str, str]:
    """The labels by which such a pod is ours."""
    store = names.IN_CLUSTER if in_cluster else names.LOCAL
    return {**identity.labels, names.RETAIN: str(parameters.retain_pods), names.STORE: store}


def tombstone(identity: Identity, *, in_cluster: bool) -> Object:
    """A pod of the same name that is never scheduled, so that a late creation of the real one is
    refused (rule 17). It has no finalizer: there is no outcome to lose."""
    bound = {"cpu": "1m", "memory": "1Mi"}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": identity.name,
            "namespace": identity.namespace,
            "labels": {
                **identity.labels,
                names.TOMBSTONE: "true",
                names.STORE: names.IN_CLUSTER if in_cluster else names.LOCAL,
            },
        },
        "spec": {
            "schedulingGates": [{"name": names.GATE}],
            "restartPolicy": "Never",
            "automountServiceAccountToken": False,
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": 65532,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [
                {
                    "name": "never",
                    "image": "never.invalid/runs",
                    "resources": {"requests": bound, "limits": bound},
                    "securityContext": {
                        "allowPrivilegeEscalation": False,
                        "capabilities": {"drop": ["ALL"]},
                    },
                }
            ],
        },
    }


def service_account(document: Object) -> str:
    """The service account that a pod would run as."""
    spec = document["spec"]
    return str(spec.get("serviceAccountName") or spec.get("serviceAccount") or "default")


def _template(identity: Identity, parameters: PodParameters) -> Object:
    rollback = parameters.rollback
    chosen = parameters.pod_template
    if identity.hook is Hook.ROLLBACK and isinstance(rollback, Rollback):
        chosen = rollback.pod_template or chosen
    return copy.deepcopy(chosen) if chosen else {}


def _fill_main(main: Object, identity: Identity, parameters: PodParameters, inputs: Inputs) -> None:
    undo = identity.hook is Hook.ROLLBACK
    rollback = parameters.rollback if isinstance(parameters.rollback, Rollback) else None
    image, command, args = parameters.image, parameters.command, parameters.args
    resources = parameters.resources
    env = [*main.get("env", []), *_listed(parameters.env)]
    if undo and rollback is not None:
        if rollback.pod_template is None:
            main.pop("command", None)
            main.pop("args", None)
        own = rollback.pod_template is not None
        image = rollback.image or ("" if own else image)
        command, args = rollback.command, rollback.args
        resources = rollback.resources or resources
        env += _listed(rollback.env)
    given = {
        "image": image,
        "command": command,
        "args": args,
        "resources": resources,
        "securityContext": parameters.security_context,
    }
    main.update({key: value for key, value in given.items() if value})
    main["env"] = [*_last(env), *_variables(inputs.variables)]
    if parameters.env_from:
        main["envFrom"] = [*main.get("envFrom", []), *parameters.env_from]
    main["volumeMounts"] = [
        *main.get("volumeMounts", []),
        *parameters.volume_mounts,
        {"name": VOLUME, "mountPath": FOLDER, "readOnly": True},
    ]
    main.setdefault("name", MAIN)
    # What a container that fails wrote last is its reason.
    main.setdefault("terminationMessagePolicy", "FallbackToLogsOnError")


def _fill_spec(spec: Object, identity: Identity, parameters: PodParameters) -> None:
    undo = identity.hook is Hook.ROLLBACK
    rollback = parameters.rollback if isinstance(parameters.rollback, Rollback) else None
    account, limit = parameters.service_account_name, parameters.active_deadline_seconds
    if undo and rollback is not None:
        account = rollback.service_account_name or account
        limit = rollback.active_deadline_seconds
    if account:
        spec["serviceAccountName"] = account
    if not spec.get("serviceAccountName"):
        spec.setdefault("automountServiceAccountToken", False)
    if limit is not None:
        spec["activeDeadlineSeconds"] = limit
    for key, values in (
        ("tolerations", parameters.tolerations),
        ("imagePullSecrets", parameters.image_pull_secrets),
        # Kubernetes ends an init container that goes on for ever once the others have ended.
        ("initContainers", [{**each, "restartPolicy": "Always"} for each in parameters.sidecars]),
    ):
        if values:
            spec[key] = [*spec.get(key, []), *values]
    if parameters.node_selector:
        spec["nodeSelector"] = {**spec.get("nodeSelector", _EMPTY), **parameters.node_selector}
    path = f"metadata.annotations['{names.INPUT}']"
    told = {"items": [{"path": FILE, "fieldRef": {"fieldPath": path}}]}
    spec["volumes"] = [
        *spec.get("volumes", []),
        *parameters.volumes,
        {"name": VOLUME, "downwardAPI": told},
    ]
    spec["restartPolicy"] = "Never"
    spec.setdefault("enableServiceLinks", False)


def _owned(identity: Identity) -> Object:
    owner = {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "name": identity.workflow,
        "uid": identity.owner,
        "controller": True,
    }
    return {"ownerReferences": [owner]}


def _listed(env: Mapping[str, str] | list[Object]) -> list[Object]:
    if isinstance(env, list):
        return env
    return [{"name": name, "value": value} for name, value in env.items()]


def _last(env: list[Object]) -> list[Object]:
    """Of variables of one name the last: the undo's own, or what stands beside a template."""
    return list({each.get("name"): each for each in env}.values())


def _variables(variables: Mapping[str, str]) -> list[Object]:
    # Kubernetes replaces $(NAME) in values; what a step said is to arrive as it is.
    return [{"name": name, "value": value.replace("$", "$$")} for name, value in variables.items()]
