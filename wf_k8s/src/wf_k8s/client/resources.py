"""Where kinds of objects are found at the API server."""

from urllib.parse import quote

import attrs


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
            parts += ["namespaces", quote(namespace, safe="")]
        parts.append(self.plural)
        if name:
            parts.append(quote(name, safe=""))
        if subresource:
            parts.append(subresource)
        return "/".join(parts)


WORKFLOWS = Resource("workflow.example.com", "v1alpha1", "workflows")
CRON_WORKFLOWS = Resource("workflow.example.com", "v1alpha1", "cronworkflows")
TASKS = Resource("workflow.example.com", "v1alpha1", "tasks")
EVENTS = Resource("events.k8s.io", "v1", "events")
LEASES = Resource("coordination.k8s.io", "v1", "leases")
PODS = Resource("", "v1", "pods")
SELF_REVIEWS = Resource("authentication.k8s.io", "v1", "selfsubjectreviews")
SECRETS = Resource("", "v1", "secrets")
