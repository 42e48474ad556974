"""What the watch has told of our pods, and whom to wake when one of them changes.

The watch writes on its thread, hooks read on theirs. It holds nothing that the cluster does not
say again.
"""

import threading
from collections.abc import Callable

from wf_core.errors import StoreUnavailable
from wf_k8s.client.errors import RefusedError
from wf_podstep.outcomes import mark
from wf_podstep.seen import Pod

PATIENCE = 5
"""Failures of the first list, of those that pass by themselves, until whoever waits is told."""
REMEMBERED = 1_000
"""Deleted pods of which late news may still come."""

Key = tuple[str, str]
Step = tuple[str, str]
Wake = Callable[[], None]


class Cache:
    """Pods by workflow and step."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._pods: dict[Key, Pod] = {}
        self._steps: dict[Step, dict[Key, Pod]] = {}
        self._wakers: dict[Step, Wake] = {}
        self._last: dict[Step, dict[str, Pod]] = {}  # as they were when they went, of who waits
        self._removed: dict[str, None] = {}
        self._listed: set[Key] | None = None
        self._synced = False
        self._trouble: StoreUnavailable | None = None
        self._troubles = 0

    # For hooks

    def await_synced(self, seconds: float) -> None:
        """Return once everything that exists was told. Raises StoreUnavailable."""
        with self._changed:
            self._changed.wait_for(lambda: self._synced or self._trouble is not None, seconds)
            if self._synced:
                return
            trouble = self._trouble
        if trouble is None:
            raise StoreUnavailable(f"the API server did not list the pods within {seconds:g} s")
        raise StoreUnavailable(f"the pods can't be listed: {trouble}")

    def of_step(self, uid: str, step: str, wake: Wake) -> list[Pod]:
        """The pods of a step; from now on `wake()` is called when one of them changes."""
        with self._changed:
            self._wakers[uid, step] = wake
            return list(self._steps.get((uid, step), {}).values())

    def last_of(self, uid: str, step: str, name: str) -> Pod | None:
        """What was seen last of a pod that is gone."""
        with self._changed:
            return self._last.get((uid, step), {}).get(name)

    def leave(self, uid: str, step: str) -> None:
        """Nobody waits for this step any more."""
        with self._changed:
            self._wakers.pop((uid, step), None)
            self._last.pop((uid, step), None)

    def of_workflow(self, uid: str) -> list[Pod]:
        """All pods of a workflow."""
        with self._changed:
            return [pod for pod in self._pods.values() if pod.workflow_uid == uid]

    def known(self, pod: Pod) -> Pod | None:
        """That very pod, as it is known here."""
        with self._changed:
            found = self._pods.get(pod.key)
            return found if found is not None and found.uid == pod.uid else None

    def attended(self, pod: Pod) -> bool:
        """Whether somebody waits for its step."""
        with self._changed:
            return (pod.workflow_uid, pod.step) in self._wakers

    def unattended(self) -> dict[str, list[Pod]]:
        """The pods of workflows, by uid, for none of whose steps anybody waits."""
        with self._changed:
            found: dict[str, list[Pod]] = {}
            for pod in self._pods.values():
                found.setdefault(pod.workflow_uid, []).append(pod)
            attended = {uid for uid, _ in self._wakers}
            return {uid: pods for uid, pods in found.items() if uid not in attended}

    # For the watch, and for the answers to our own writes

    def put(self, pod: Pod) -> None:
        """A pod as it is now."""
        with self._changed:
            if self._listed is not None:
                self._listed.add(pod.key)
            old = self._pods.get(pod.key)
            if pod.uid in self._removed or (old is not None and old.version >= pod.version):
                return
            self._pods[pod.key] = pod
            step = (pod.workflow_uid, pod.step)
            self._steps.setdefault(step, {})[pod.key] = pod
            before = mark(old) if old is not None and old.uid == pod.uid else _UNREMARKABLE
            wake = self._wakers.get(step) if mark(pod) != before else None
        if wake is not None:
            wake()

    def unread(self, key: Key) -> None:
        """A pod is there that can't be read: it is as it was."""
        with self._changed:
            if self._listed is not None:
                self._listed.add(key)

    def gone(self, pod: Pod) -> None:
        """A pod was deleted; this is its last state."""
        with self._changed:
            self._removed[pod.uid] = None
            if len(self._removed) > REMEMBERED:
                del self._removed[next(iter(self._removed))]
            old = self._pods.get(pod.key)
            wake = self._forget(pod) if old is not None and old.uid == pod.uid else None
        if wake is not None:
            wake()

    def restart(self) -> None:
        """What follows, up to `complete`, is everything that exists."""
        with self._changed:
            self._listed = set()

    def complete(self) -> None:
        """Everything that exists was told: the rest is gone."""
        with self._changed:
            listed = self._listed or set()
            self._listed = None
            left = [pod for key, pod in self._pods.items() if key not in listed]
            wakes = [self._forget(pod) for pod in left]
            self._synced, self._trouble, self._troubles = True, None, 0
            self._changed.notify_all()
        for wake in wakes:
            if wake is not None:
                wake()

    def failed(self, error: StoreUnavailable) -> None:
        """The watch has failed and tries again; before the first list whoever waits is told of what
        lasts."""
        with self._changed:
            self._troubles += 1
            lasting = isinstance(error, RefusedError) and not error.passing
            if not self._synced and (lasting or self._troubles >= PATIENCE):
                self._trouble = error
                self._changed.notify_all()

    def broke(self, error: StoreUnavailable) -> None:
        """What is told fails again and again: until everything was told once more, what is known
        here is not to be relied on."""
        with self._changed:
            self._synced, self._trouble = False, error
            wakes = list(self._wakers.values())
            self._changed.notify_all()
        for wake in wakes:
            wake()

    def _forget(self, pod: Pod) -> Wake | None:
        step = (pod.workflow_uid, pod.step)
        del self._pods[pod.key]
        pods = self._steps[step]
        del pods[pod.key]
        if not pods:
            del self._steps[step]
        wake = self._wakers.get(step)
        if wake is not None:
            self._last.setdefault(step, {})[pod.name] = pod
        return wake


_UNREMARKABLE = (False, False, "")
