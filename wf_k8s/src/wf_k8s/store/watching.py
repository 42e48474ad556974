"""What following the objects of a store begins with."""

from wf_k8s.client.follow import Follow
from wf_k8s.store.objects import Objects


async def follows_of(objects: Objects, silence: float) -> dict[str | None, Follow]:
    """One for each namespace whose objects are shown; None is all of them."""
    paths = await objects.collections()
    return {
        namespace: Follow(objects.session, path, silence=silence)
        for namespace, path in paths.items()
    }
