"""A whole definition, and that of Workflow: names, columns, selectors and the schema."""

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
    """The CustomResourceDefinition of Workflow, ready to be applied."""
    return custom_resource(
        KIND,
        PLURAL,
        SHORT_NAME,
        columns=_columns(),
        selectable=(".spec.queue", ".status.phase"),
        schema=object_schema(
            schema(), MAX_NAME, spec_schema(), status_schema(), rules.validations(rules.OBJECT)
        ),
    )


def custom_resource(
    kind: str,
    plural: str,
    short_name: str,
    *,
    columns: list[Schema],
    schema: Schema,
    selectable: tuple[str, ...] = (),
) -> Schema:
    """A definition of ours: namespaced, of one version, with a status of its own."""
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{GROUP}"},
        "spec": {
            "group": GROUP,
            "scope": "Namespaced",
            "names": {
                "plural": plural,
                "singular": kind.lower(),
                "kind": kind,
                "listKind": f"{kind}List",
                "shortNames": [short_name],
            },
            "versions": [
                {
                    "name": VERSION,
                    "served": True,
                    "storage": True,
                    "subresources": {"status": {}},
                    "additionalPrinterColumns": columns,
                    **(
                        {"selectableFields": [{"jsonPath": each} for each in selectable]}
                        if selectable
                        else {}
                    ),
                    "schema": {"openAPIV3Schema": schema},
                }
            ],
        },
    }


def object_schema(
    document: Schema, longest_name: int, spec: Schema, status: Schema, validations: Schema
) -> Schema:
    """The schema of a whole object. `document` is that of a file of this kind."""
    properties = document["properties"]
    return {
        "description": document["description"],
        "type": "object",
        "required": ["spec"],
        "properties": {
            "apiVersion": {"type": "string", "description": f"Always {API_VERSION}."},
            "kind": {"type": "string", "description": f"Always {document['title']}."},
            "metadata": {
                "type": "object",
                # No description: the API server brings its own, and refuses another.
                "properties": {
                    # Shorter than other objects' names: it becomes part of a label.
                    "name": {
                        "type": "string",
                        "description": properties["metadata"]["properties"]["name"]["description"],
                        "maxLength": longest_name,
                        "pattern": "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$",
                    }
                },
            },
            "spec": spec,
            "status": status,
        },
        **validations,
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
            "jsonPath": ".status.reason",
        },
        {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
    ]
