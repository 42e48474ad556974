"""What the watch has told, and whom it wakes."""

import pytest
from tests.podstep.pod_objects import pod

from wf_core.errors import StoreUnavailable
from wf_k8s.client.errors import NoAnswerError, RefusedError
from wf_podstep.cache import PATIENCE, Cache

W, S = "w1", "pay"


class Waker:
    """Counts."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> None:
        self.times += 1


def test_a_step_is_woken_by_what_matters_alone() -> None:
    cache, wake = Cache(), Waker()
    cache.put(pod("Pending", version=1))
    assert [each.version for each in cache.of_step(W, S, wake)] == [1]
    cache.put(pod("Running", version=2))
    assert wake.times == 0
    cache.put(pod("Succeeded", version=3))
    cache.put(pod("Succeeded", version=4))
    assert wake.times == 1
    cache.put(pod("Succeeded", version=5, deleting=True))
    cache.gone(pod("Succeeded", version=6))
    assert wake.times == 3
    cache.leave(W, S)
    cache.put(pod("Failed", version=7, uid="u2"))
    assert wake.times == 3


def test_old_news_changes_nothing() -> None:
    cache, wake = Cache(), Waker()
    cache.put(pod("Succeeded", version=9))
    cache.put(pod("Pending", version=3))
    (seen,) = cache.of_step(W, S, wake)
    assert seen.version == 9


def test_the_answer_to_a_creation_that_comes_after_its_deletion_is_passed_over() -> None:
    cache = Cache()
    cache.put(pod("Pending", version=1))
    cache.gone(pod("Pending", version=2))
    cache.put(pod("Pending", version=1))
    assert cache.of_workflow(W) == []


def test_one_of_the_same_name_is_another_pod() -> None:
    cache, wake = Cache(), Waker()
    cache.put(pod("Failed", version=1))
    cache.of_step(W, S, wake)
    cache.put(pod("Pending", uid="u2", version=5))
    cache.gone(pod("Failed", version=4))
    (seen,) = cache.of_step(W, S, wake)
    assert seen.uid == "u2"


def test_what_was_seen_last_is_kept_for_whoever_waits() -> None:
    cache, wake = Cache(), Waker()
    cache.put(pod("Succeeded", version=1))
    cache.put(pod("Succeeded", version=1, name="other", step="ship", uid="u2"))
    cache.of_step(W, S, wake)
    cache.gone(pod("Succeeded", version=2))
    cache.gone(pod("Succeeded", version=2, name="other", step="ship", uid="u2"))
    last = cache.last_of(W, S, pod().name)
    assert last is not None
    assert last.over
    assert cache.last_of(W, "ship", "other") is None
    cache.leave(W, S)
    assert cache.last_of(W, S, pod().name) is None


def test_what_a_new_list_leaves_out_is_gone() -> None:
    cache, wake = Cache(), Waker()
    cache.restart()
    cache.put(pod("Running", version=1))
    cache.put(pod("Running", version=2, name="p2", uid="u2", attempt=2))
    cache.complete()
    cache.of_step(W, S, wake)
    cache.restart()
    cache.put(pod("Running", version=2, name="p2", uid="u2", attempt=2))
    assert len(cache.of_step(W, S, wake)) == 2  # not before all is listed
    cache.complete()
    assert [each.name for each in cache.of_step(W, S, wake)] == ["p2"]
    assert wake.times == 1


def test_whoever_waits_for_the_first_list_is_told_of_what_lasts() -> None:
    cache = Cache()
    with pytest.raises(StoreUnavailable, match="did not list the pods within 0"):
        cache.await_synced(0)
    for _ in range(PATIENCE - 1):
        cache.failed(NoAnswerError("watch", "away"))
    with pytest.raises(StoreUnavailable, match="did not list"):
        cache.await_synced(0)
    cache.failed(NoAnswerError("watch", "away"))
    with pytest.raises(StoreUnavailable, match="the pods can't be listed: watch: away"):
        cache.await_synced(0)
    cache.complete()
    cache.await_synced(0)
    cache.failed(RefusedError(403, "Forbidden", "no", what="watch"))
    cache.await_synced(0)  # what is known stays known


def test_a_missing_right_is_told_at_once() -> None:
    cache = Cache()
    said = 'pods is forbidden: User "ann" cannot watch resource "pods"'
    cache.failed(RefusedError(403, "Forbidden", said, what="watch"))
    with pytest.raises(StoreUnavailable, match="lacks a permission"):
        cache.await_synced(60)


def test_a_watch_that_broke_is_not_relied_on() -> None:
    cache, wake = Cache(), Waker()
    cache.complete()
    cache.of_step(W, S, wake)
    cache.broke(StoreUnavailable("watching pods failed"))
    assert wake.times == 1
    with pytest.raises(StoreUnavailable, match="watching pods failed"):
        cache.await_synced(0)


def test_workflows_that_nobody_waits_for_are_known() -> None:
    cache = Cache()
    cache.put(pod("Failed", version=1))
    cache.put(pod("Failed", version=1, name="p2", uid="u2", workflow_uid="w2"))
    cache.of_step(W, S, Waker())
    assert list(cache.unattended()) == ["w2"]
