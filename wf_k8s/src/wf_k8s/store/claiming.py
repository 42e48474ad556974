"""Claiming a workflow, unless somebody else who lives owns it, and giving the claim up."""

from collections.abc import Callable

from wf_core.adapters import store_rules as rules
from wf_core.errors import StoreUnavailable, WorkflowOwned
from wf_core.model.spec import Key
from wf_core.model.state import Owner
from wf_k8s.client.errors import RefusedError
from wf_k8s.store.known import Known
from wf_k8s.store.objects import Objects, refused_by_test
from wf_k8s.store.owners import Owners
from wf_k8s.store.patch import release


async def claimed(
    known: Known,
    owners: Owners,
    set_aside: Callable[[Key, str], None],
    named: Callable[[str], Key | None] | None,
) -> Owner:
    """Who owns it from now on, once that is saved; `named` finds a workflow by its uid, where
    workflows are followed. Raises WorkflowOwned and StoreUnavailable."""
    _keys_are_its_own(known, set_aside, named)
    owner = known.claimed_by
    if owner and owner != owners.id:
        try:
            by = await owners.live(owner)
        except OSError as error:
            raise StoreUnavailable(f"can't tell whether '{owner}' lives: {error}") from error
        if by is not None:
            if known.given_up:
                set_aside(known.key, f"{by} owned it, its effects were given up")
            raise rules.owned(known.key, by)
    try:
        owners.hold()
    except OSError as error:
        raise StoreUnavailable(f"can't hold a claim on this machine: {error}") from error
    return Owner(owners.id, max(owners.least_epoch, known.status.epoch) + 1)


def _keys_are_its_own(
    known: Known, set_aside: Callable[[Key, str], None], named: Callable[[str], Key | None] | None
) -> None:
    """A workflow that was restored goes on under the uid of the one that it was. While that one is
    there, somebody wrote its uid here by hand, to call services in its name. Raises WorkflowOwned:
    it is looked at again by itself."""
    uid = known.status.key_uid
    other = named(uid) if named is not None and uid and uid != known.uid else None
    if other is not None:
        why = (
            f"its status.keyUid is the uid of workflow '{other}', which is there: both would use "
            "the same idempotency keys. It goes on once that one is deleted"
        )
        set_aside(known.key, why)
        raise WorkflowOwned(f"workflow '{known.key}': {why}")


def goes_once_undone(key: Key, by: str) -> WorkflowOwned:
    """It can't be removed while somebody runs it."""
    return WorkflowOwned(
        f"workflow '{key}' is being run by {by}, which lets it go once it is undone; one that is "
        "deleted goes as it is once its spec.deletionPolicy is changed to Orphan"
    )


async def given_up(objects: Objects, known: Known) -> bytes | None:
    """The object without our claim; None where somebody else owns it by now, or it is gone: there
    is nothing to give up then."""
    try:
        return await objects.patch(known.key, release(known), "status", work=known.work)
    except RefusedError as error:
        if error.code != 404 and not refused_by_test(error):
            raise
        return None
