"""Which cluster and namespace a store's address means."""

from collections.abc import Collection

import attrs

EVERYWHERE = "*"


@attrs.frozen
class Target:
    """`context` is None for the current one (in a pod: the pod's own cluster); `namespace` None
    for the context's own, and "*" for all."""

    context: str | None = None
    namespace: str | None = None


def read_target(rest: str, contexts: Collection[str]) -> Target:
    """What follows `k8s:` in an address: `[CONTEXT][/NAMESPACE]`.

    Names of contexts may hold slashes and colons themselves: where the whole is the name of one,
    that is meant.
    """
    if rest in contexts:
        return Target(context=rest)
    context, slash, namespace = rest.rpartition("/")
    if not slash:
        return Target(context=namespace or None)
    return Target(context or None, namespace or None)
