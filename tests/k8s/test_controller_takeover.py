"""What becomes of workflows when their controller ends, dies or is paused."""

import signal

from tests.k8s.controller_process import Controllers, Notes, await_phase, until
from tests.k8s.crd_objects import Sagas, workflow
from tests.patience import PATIENCE

LEASE_SECONDS = 4


def test_i6_after_a_kill_the_next_controller_goes_on_and_repeats_no_success(
    sagas: Sagas, controllers: Controllers, notes: Notes
) -> None:
    first = controllers.leader(lease_seconds=LEASE_SECONDS)
    steps = [notes.step("a"), notes.step("b", "a", then="sleep 3"), notes.step("c", "b")]
    for step in steps:
        step["stepTemplate"]["retryPolicy"] = {"runRetryLimit": 2, "runRetryPeriodSeconds": 0.1}
    sagas.create(workflow(*steps))
    until(lambda: "run-b" in notes.lines() or None, "b runs")
    first.end(signal.SIGKILL)
    epoch = sagas.get()["status"]["epoch"]
    controllers.leader(lease_seconds=LEASE_SECONDS)
    done = await_phase(sagas, "Success")
    assert notes.lines().count("run-a") == 1
    assert notes.lines()[-1] == "run-c"
    assert done["status"]["epoch"] > epoch


def test_a_stopped_controller_releases_its_lease_and_the_next_does_not_wait_for_its_end(
    sagas: Sagas, controllers: Controllers, notes: Notes
) -> None:
    # Without a release the next one would have to wait for this long.
    longest = 10 * int(PATIENCE)
    first = controllers.leader(lease_seconds=longest)
    second = controllers.start(lease_seconds=longest)
    second.await_said("standing by")
    assert first.end() == 0
    sagas.create(workflow(notes.step("a")))
    until(lambda: "run-a" in notes.lines() or None, "a runs")
    assert second.end() == 0


def test_i5_a_paused_leader_is_replaced_and_its_late_write_is_refused(
    sagas: Sagas, controllers: Controllers, notes: Notes
) -> None:
    first = controllers.leader(lease_seconds=LEASE_SECONDS)
    second = controllers.start(lease_seconds=LEASE_SECONDS)
    second.await_said("standing by")
    release = notes.file.with_name("release")
    waits = f"until [ -e {release} ]; do sleep 0.05; done"
    step = notes.step("a", then=waits)
    step["stepTemplate"]["retryPolicy"] = {"runRetryLimit": 2, "runRetryPeriodSeconds": 0.1}
    sagas.create(workflow(step, notes.step("b", "a")))
    until(lambda: "run-a" in notes.lines() or None, "a runs")
    before = sagas.get()["status"]
    first.send(signal.SIGSTOP)
    second.await_said("leading as")

    def taken_over() -> int | None:
        epoch: int = sagas.get()["status"]["epoch"]
        return epoch if epoch > before["epoch"] else None

    epoch = until(taken_over, "the second saves under its own epoch")
    release.touch()  # the command of the first ends: it would save that success
    first.send(signal.SIGCONT)
    assert first.process.wait(PATIENCE) == 1
    assert first.said("the lease was lost")
    done = await_phase(sagas, "Success")
    assert done["status"]["epoch"] == done["status"]["writer"]["epoch"] == epoch
    assert notes.lines().count("run-b") == 1


def test_two_controllers_at_once_call_each_step_once(
    sagas: Sagas, controllers: Controllers, notes: Notes
) -> None:
    controllers.leader()
    controllers.start().await_said("standing by")
    names = [f"order-{i}" for i in range(4)]
    for name in names:
        sagas.create(workflow(notes.step(name), name=name))
    for name in names:
        await_phase(sagas, "Success", name)
    assert sorted(notes.lines()) == [f"run-{name}" for name in names]


def test_c5_a_lease_is_not_released_while_a_hook_still_runs(
    sagas: Sagas, controllers: Controllers, notes: Notes
) -> None:
    first = controllers.leader(controllerConfig={"grace": 0.3})
    step = notes.step("a", then="trap '' TERM\nfor i in 1 2 3 4 5 6; do sleep 0.5; done")
    step["stepTemplate"]["parameters"]["grace"] = 30
    sagas.create(workflow(step))
    until(lambda: "run-a" in notes.lines() or None, "a runs")
    first.end()
    assert first.said("left to expire")
    name = f"wf-controller.{sagas.namespace}"
    lease = sagas.kubectl.json("-n", sagas.namespace, "get", "lease", name)
    assert lease["spec"]["holderIdentity"]


def test_a_second_signal_ends_at_once(sagas: Sagas, controllers: Controllers, notes: Notes) -> None:
    first = controllers.leader(controllerConfig={"grace": 60})
    step = notes.step("a", then="trap '' TERM\nfor i in 1 2 3 4 5 6; do sleep 0.5; done")
    step["stepTemplate"]["parameters"]["grace"] = 30
    sagas.create(workflow(step))
    until(lambda: "run-a" in notes.lines() or None, "a runs")
    first.send(signal.SIGTERM)
    first.await_said("once more ends at once")
    assert first.end() == 130


def test_c5_what_a_machine_elsewhere_owns_is_left_alone_until_a_person_releases_it(
    sagas: Sagas, controllers: Controllers, notes: Notes
) -> None:
    """Nobody can tell from here whether a `wf run` on another machine still lives."""
    sagas.create(workflow(notes.step("a")))
    sagas.save(owner="laptop.x1", epoch=1, revision=1, phase="Running", writer={"epoch": 1, "n": 1})
    leader = controllers.leader()
    leader.await_said("is being run by 'laptop.x1'")
    assert notes.lines() == []
    release = '{"status": {"owner": ""}}'
    sagas.kubectl(
        *("patch", "saga", "order", "-n", sagas.namespace, "--subresource=status"),
        *("--type=merge", "-p", release),
    )
    await_phase(sagas, "Success")
    assert notes.lines() == ["run-a"]
