"""Which cluster and namespaces a store's address means."""

from collections.abc import Collection

import attrs

EVERYWHERE = "*"


@attrs.frozen
class Target:
    """`context` is None for the current one (in a pod: the pod's own cluster); `namespace` None
    for the context's own, "*" for all, and several with commas between them."""

    context: str | None = None
    namespace: str | None = None

    def namespaces(self, own: str | None) -> tuple[str, ...]:
        """By name, none twice; none at all means every one. `own` is the context's."""
        if self.namespace == EVERYWHERE:
            return ()
        named = (each.strip() for each in (self.namespace or "").split(","))
        return tuple(dict.fromkeys(each for each in named if each)) or (own or "default",)


def read_target(rest: str, contexts: Collection[str]) -> Target:
    """What follows `k8s:` in an address: `[CONTEXT][/NAMESPACE[,NAMESPACE]]`.

    Names of contexts may hold slashes and colons themselves: where the whole is the name of one,
    that is meant.
    """
    if rest in contexts:
        return Target(context=rest)
    context, slash, namespace = rest.rpartition("/")
    if not slash:
        return Target(context=namespace or None)
    return Target(context or None, namespace or None)
