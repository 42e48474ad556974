"""Where kinds of objects are found at the API server."""

from urllib.parse import quote

import attrs

from wf_k8s.client.errors import BadNameError


@attrs.frozen
class Resource:
    """A kind of object: `group` is empty for the core group."""

    group: str
    version: str
    plural: str

    @property
    def api_version(self) -> str:
        """As `apiVersion` names it."""
        return f"{self.group}/{self.version}" if self.group else self.version

    def path(self, namespace: str | None, name: str = "", subresource: str = "") -> str:
        """The path of one object, or of all in a namespace (None: in every namespace)."""
        parts = ["/apis", self.group] if self.group else ["/api"]
        parts.append(self.version)
        if namespace is not None:
            parts += ["namespaces", _segment(namespace)]
        parts.append(self.plural)
        if name:
            parts.append(_segment(name))
        if subresource:
            parts.append(subresource)
        return "/".join(parts)


def _segment(name: str) -> str:
    """A name as one segment of a path. Raises BadNameError for what is no segment of its own."""
    if name in (".", ".."):
        raise BadNameError(f"{name!r} can't be the name of an object; write its name")
    return quote(name, safe="")


WORKFLOWS = Resource("workflow.example.com", "v1alpha1", "workflows")
CRON_WORKFLOWS = Resource("workflow.example.com", "v1alpha1", "cronworkflows")
TASKS = Resource("workflow.example.com", "v1alpha1", "tasks")
EVENTS = Resource("events.k8s.io", "v1", "events")
LEASES = Resource("coordination.k8s.io", "v1", "leases")
PODS = Resource("", "v1", "pods")
SELF_REVIEWS = Resource("authentication.k8s.io", "v1", "selfsubjectreviews")
SECRETS = Resource("", "v1", "secrets")
