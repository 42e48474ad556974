"""The schema of `spec`: the document's own, the bounds of a cluster, and requests of people."""

from wf_core.codec import Schema, schema, struct_schema
from wf_core.codec.checks import MAX_NAME
from wf_core.model.requests import MAX_REQUESTS, Request
from wf_k8s.crd import rules
from wf_k8s.crd.bounds import REQUEST, SPEC, bound, bound_numbers
from wf_k8s.crd.descriptions import REQUESTS
from wf_k8s.crd.structural import written

ID: Schema = {
    "type": "string",
    "minLength": 1,
    "maxLength": MAX_NAME,
    "pattern": "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$",
}
"""The id of a request."""


def spec_schema() -> Schema:
    """The structural schema of `spec`."""
    whole = schema()["properties"]["spec"]
    del whole["properties"]["requests"]
    spec = bound_numbers(bound(written(whole), SPEC))
    spec["properties"]["requests"] = _requests()
    return {**spec, **rules.validations(rules.SPEC)}


def _requests() -> Schema:
    request = bound(written(struct_schema(Request, REQUESTS)), REQUEST)
    del request["properties"]["verified"]  # what an author writes vouches for nobody
    request["properties"] = {
        "id": {"description": REQUESTS["id"], **ID},
        **request["properties"],
        "createdAt": {
            "description": REQUESTS["createdAt"],
            "type": "string",
            "format": "date-time",
        },
    }
    request["required"] = ["id", *request["required"]]
    return {
        "description": REQUESTS["requests"],
        "type": "array",
        "maxItems": MAX_REQUESTS,
        # A map by id and not atomic, as all else is: people, GitOps and `wf` share this list.
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["id"],
        "items": {**request, **rules.validations(rules.REQUEST)},
    }
