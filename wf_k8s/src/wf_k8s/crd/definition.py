"""The whole definition: names, columns, selectors and the schema."""

from wf_core.codec import Schema, schema
from wf_core.codec.checks import MAX_NAME
from wf_core.model.spec import API_VERSION, KIND
from wf_k8s.crd import rules
from wf_k8s.crd.spec import spec_schema
from wf_k8s.crd.status import status_schema

GROUP, _, VERSION = API_VERSION.partition("/")
PLURAL = "workflows"
SHORT_NAME = "saga"
"""`wf` and `workflows` alone may belong to other software in the same cluster."""


def definition() -> Schema:
    """The CustomResourceDefinition, ready to be applied."""
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{PLURAL}.{GROUP}"},
        "spec": {
            "group": GROUP,
            "scope": "Namespaced",
            "names": {
                "plural": PLURAL,
                "singular": KIND.lower(),
                "kind": KIND,
                "listKind": f"{KIND}List",
                "shortNames": [SHORT_NAME],
            },
            "versions": [
                {
                    "name": VERSION,
                    "served": True,
                    "storage": True,
                    "subresources": {"status": {}},
                    "additionalPrinterColumns": _columns(),
                    "selectableFields": [
                        {"jsonPath": ".spec.queue"},
                        {"jsonPath": ".status.phase"},
                    ],
                    "schema": {"openAPIV3Schema": _object()},
                }
            ],
        },
    }


def _columns() -> list[Schema]:
    """What `kubectl get` shows; with priority 1 only `-o wide` does."""
    return [
        {"name": "Phase", "type": "string", "jsonPath": ".status.phase"},
        {"name": "Progress", "type": "string", "jsonPath": ".status.progress"},
        {"name": "Queue", "type": "string", "jsonPath": ".spec.queue"},
        {
            "name": "Reason",
            "type": "string",
            "priority": 1,
            "jsonPath": '.status.conditions[?(@.type=="Ready")].reason',
        },
        {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
    ]


def _object() -> Schema:
    document = schema()
    properties = document["properties"]
    return {
        "description": document["description"],
        "type": "object",
        "required": ["spec"],
        "properties": {
            "apiVersion": {"type": "string", "description": f"Always {API_VERSION}."},
            "kind": {"type": "string", "description": f"Always {KIND}."},
            "metadata": {
                "type": "object",
                # No description: the API server brings its own, and refuses another.
                "properties": {
                    # Shorter than other objects' names: it becomes part of a label.
                    "name": {
                        "type": "string",
                        "description": properties["metadata"]["properties"]["name"]["description"],
                        "maxLength": MAX_NAME,
                        "pattern": "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$",
                    }
                },
            },
            "spec": spec_schema(),
            "status": status_schema(),
        },
        **rules.validations(rules.OBJECT),
    }
