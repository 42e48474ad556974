"""The pool of hook threads: what each part of its port promises."""

import asyncio
import logging
import threading
from collections.abc import Callable

import pytest

from wf_core.adapters.cancellation import Cancellation
from wf_core.adapters.threads import ThreadExecutor
from wf_core.errors import EngineError
from wf_core.kinds import Answer, Retryable, StepCall, StepKind
from wf_core.model.outcomes import Failure, Outcome, Severity, Succeeded
from wf_core.testing.calls import call_for


class Idle(StepKind):
    """A kind for calls whose hooks are functions of the test."""

    name = "idle"

    def run(self, call: StepCall) -> Answer: ...
    def rollback(self, call: StepCall) -> Answer: ...


def call(number: int = 1) -> StepCall:
    return call_for(Idle(), attempt=number)


async def outcome(pool: ThreadExecutor, what: StepCall) -> Outcome:
    future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
    pool.start(what, future.set_result)
    return await asyncio.wait_for(future, 10)


def healthy(pool: ThreadExecutor) -> bool:
    """As the pool says now: to a type checker a property stays what it was."""
    return pool.healthy


async def eventually(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not true():
            await asyncio.sleep(0.001)


class Gate:
    """A hook that says when it has begun and waits until it may end."""

    def __init__(self) -> None:
        self.begun = threading.Semaphore(0)
        self.open = threading.Event()

    def __call__(self, _: StepCall) -> Outcome:
        self.begun.release()
        assert self.open.wait(10)
        return Succeeded(attributes={"gate": True})

    async def wait_begun(self) -> None:
        assert await asyncio.to_thread(self.begun.acquire, timeout=10)


async def test_a_hook_runs_on_a_thread_and_reports_on_the_loop() -> None:
    where: list[str] = []

    def perform(_: StepCall) -> Outcome:
        where.append(threading.current_thread().name)
        assert threading.current_thread().daemon
        return Succeeded()

    pool = ThreadExecutor(perform, 2)
    reported: list[threading.Thread] = []
    pool.start(call(), lambda _: reported.append(threading.current_thread()))
    await eventually(lambda: bool(reported))
    assert where == ["wf-hook-1"]
    assert reported == [threading.current_thread()]
    await pool.close()


@pytest.mark.parametrize("error", [ValueError("x"), SystemExit(1), KeyboardInterrupt()])
async def test_whatever_a_hook_raises_is_reported_and_the_thread_lives(
    error: BaseException,
) -> None:
    def perform(what: StepCall) -> Outcome:
        if what.attempt == 1:
            raise error
        return Succeeded()

    pool = ThreadExecutor(perform, 1)
    failed = await outcome(pool, call(1))
    assert isinstance(failed, Failure)
    assert failed.severity is Severity.RETRYABLE
    assert type(error).__name__ in failed.message
    assert await outcome(pool, call(2)) == Succeeded()
    await pool.close()


async def test_threads_are_started_as_needed_up_to_the_limit() -> None:
    gate = Gate()
    pool = ThreadExecutor(gate, 3)
    assert pool.threads == 0
    reports: list[Outcome] = []
    for n in range(5):
        pool.start(call(), reports.append)
        assert pool.threads == min(n + 1, 3)
    gate.open.set()
    await eventually(lambda: len(reports) == 5)
    assert pool.threads == 3
    await pool.close()
    assert pool.threads == 0


async def test_calls_one_after_another_need_one_thread() -> None:
    pool = ThreadExecutor(lambda _: Succeeded(), 8)
    for n in range(20):
        await outcome(pool, call(n + 1))
    assert pool.threads == 1
    await pool.close()


async def test_cancel_wakes_a_hook_that_waits_for_it() -> None:
    waiting = threading.Event()

    def perform(what: StepCall) -> Outcome:
        waiting.set()
        return Succeeded(attributes={"asked": what.cancelled.wait(10)})

    pool = ThreadExecutor(perform, 1)
    what = call_for(Idle(), cancelled=pool.cancellation())
    reports: list[Outcome] = []
    running = pool.start(what, reports.append)
    await asyncio.to_thread(waiting.wait, 10)
    running.cancel()
    running.cancel()
    await eventually(lambda: bool(reports))
    assert reports == [Succeeded(attributes={"asked": True})]
    await pool.close()


async def test_a_foreign_cancellation_can_not_be_set() -> None:
    pool = ThreadExecutor(lambda _: Succeeded(), 1)
    done: list[Outcome] = []
    running = pool.start(call_for(Idle(), cancelled=threading.Event()), done.append)
    with pytest.raises(EngineError, match="not made by this executor"):
        running.cancel()
    await pool.close()


async def test_b7_a_written_off_thread_is_replaced_and_still_reports_once() -> None:
    gate = Gate()
    quick = Succeeded(attributes={"quick": True})
    pool = ThreadExecutor(lambda what: gate(what) if what.attempt == 1 else quick, 3)
    reports: list[Outcome] = []
    running = pool.start(call(1), reports.append)
    await gate.wait_begun()
    running.write_off()
    running.write_off()
    assert pool.threads == 0
    assert await outcome(pool, call(2)) == quick
    assert pool.threads == 1
    gate.open.set()
    await eventually(lambda: bool(reports))
    assert reports == [Succeeded(attributes={"gate": True})]
    await asyncio.sleep(0.01)
    assert (len(reports), pool.threads) == (1, 1)
    await pool.close()


async def test_b7_calls_that_wait_are_taken_over_by_the_replacement() -> None:
    gate = Gate()
    pool = ThreadExecutor(lambda what: gate(what) if what.attempt == 1 else Succeeded(), 1)
    stuck = pool.start(call(1), lambda _: None)
    await gate.wait_begun()
    reports: list[Outcome] = []
    pool.start(call(2), reports.append)
    stuck.write_off()
    await eventually(lambda: reports == [Succeeded()])
    gate.open.set()
    await pool.close()


async def test_b7_half_of_the_pool_written_off_is_unhealthy() -> None:
    gate = Gate()
    pool = ThreadExecutor(gate, 4)
    runs = [pool.start(call(), lambda _: None) for _ in range(4)]
    for _ in runs:
        await gate.wait_begun()
    runs[0].write_off()
    assert healthy(pool)
    runs[1].write_off()
    assert not healthy(pool)
    gate.open.set()
    await eventually(lambda: pool.healthy)
    await pool.close()


async def test_b7_threads_that_come_back_leave_waiting_calls_served() -> None:
    """One thread's place is taken, it comes back, and its replacement is written off in turn."""
    gates = [Gate(), Gate()]

    def perform(what: StepCall) -> Outcome:
        return gates[what.attempt](what) if what.attempt < 2 else Succeeded()

    pool = ThreadExecutor(perform, 1)
    reports: list[Outcome] = []
    first = pool.start(call(0), reports.append)
    await gates[0].wait_begun()
    gates[0].open.set()
    while not pool._inbox:
        pass
    first.write_off()
    second = pool.start(call(1), reports.append)
    await gates[1].wait_begun()
    for n in range(3):
        pool.start(call(n + 2), reports.append)
    second.write_off()
    await eventually(lambda: len(reports) == 4)
    gates[1].open.set()
    await eventually(lambda: len(reports) == 5)
    await eventually(lambda: pool.threads <= 1)
    await pool.close()


async def test_writing_off_what_is_over_costs_no_thread() -> None:
    pool = ThreadExecutor(lambda _: Succeeded(), 1)
    reports: list[Outcome] = []
    running = pool.start(call(), reports.append)
    await eventually(lambda: bool(reports))
    running.write_off()
    assert healthy(pool)
    assert pool.threads == 1
    await pool.close()


async def test_a_call_that_ends_while_it_is_written_off_gives_its_thread_back() -> None:
    """The hook is over, but the loop has not heard of it yet."""
    begun = threading.Event()

    def perform(_: StepCall) -> Outcome:
        begun.set()
        return Succeeded()

    pool = ThreadExecutor(perform, 1)
    reports: list[Outcome] = []
    running = pool.start(call(), reports.append)
    assert begun.wait(10)
    # The loop is held here, so the outcome, once posted, waits in the inbox.
    while not pool._inbox:
        pass
    running.write_off()
    assert not healthy(pool)
    await eventually(lambda: bool(reports))
    assert healthy(pool)
    assert pool.threads == 1
    assert await outcome(pool, call()) == Succeeded()
    await pool.close()


async def test_a_report_that_raises_keeps_no_other_back() -> None:
    said: list[str] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, told: said.append(told["message"]))
    pool = ThreadExecutor(lambda _: Succeeded(), 1)

    def fail(_: Outcome) -> None:
        raise ValueError("boom")

    reports: list[Outcome] = []
    pool.start(call(), fail)
    pool.start(call(), reports.append)
    await eventually(lambda: bool(reports))
    assert said == ["a report of a hook failed"]
    await pool.close()


async def test_what_hooks_post_keeps_its_order_and_comes_before_the_outcome() -> None:
    heard: list[object] = []

    def perform(_: StepCall) -> Outcome:
        for n in range(100):
            pool.post(lambda n=n: heard.append(n))  # type: ignore[misc]
        return Succeeded()

    pool = ThreadExecutor(perform, 1)
    pool.start(call(), heard.append)
    await eventually(lambda: len(heard) == 101)
    assert heard == [*range(100), Succeeded()]
    await pool.close()


async def test_ask_holds_the_hook_until_it_is_answered() -> None:
    questions: list[Callable[[bool], None]] = []
    told: list[str] = []

    def perform(_: StepCall) -> Outcome:
        pool.ask(questions.append)
        told.append("on")
        return Succeeded()

    pool = ThreadExecutor(perform, 1)
    reports: list[Outcome] = []
    pool.start(call(), reports.append)
    await eventually(lambda: bool(questions))
    await asyncio.sleep(0.005)
    assert told == []
    questions[0](True)
    await eventually(lambda: bool(reports))
    assert told == ["on"]
    await pool.close()


async def test_a_hook_that_asks_when_the_engine_ends_is_let_go_with_a_reason() -> None:
    asked: list[Callable[[bool], None]] = []
    errors: list[BaseException] = []

    def perform(_: StepCall) -> Outcome:
        for _attempt in range(2):
            try:
                pool.ask(asked.append)
            except Retryable as error:
                errors.append(error)
        return Succeeded()

    pool = ThreadExecutor(perform, 1)
    reports: list[Outcome] = []
    pool.start(call(), reports.append)
    await eventually(lambda: bool(asked))
    await pool.close()
    await eventually(lambda: bool(reports))
    assert [str(each) for each in errors] == ["the engine ended before this was saved"] * 2
    assert len(asked) == 1


async def test_a_closed_pool_takes_no_calls_and_lets_running_ones_end() -> None:
    gate = Gate()
    pool = ThreadExecutor(gate, 2)
    reports: list[Outcome] = []
    pool.start(call(), reports.append)
    await gate.wait_begun()
    await asyncio.wait_for(pool.close(), 10)
    with pytest.raises(EngineError, match="takes no more calls"):
        pool.start(call(), reports.append)
    gate.open.set()
    await eventually(lambda: pool.threads == 0)
    assert len(reports) == 1
    await pool.close()


async def test_a_machine_without_threads_is_reported_and_not_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    pool = ThreadExecutor(lambda _: Succeeded(), 1)
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        refused = await outcome(pool, call())
    assert isinstance(refused, Failure)
    assert refused.severity is Severity.THROTTLED
    assert await outcome(pool, call()) == Succeeded()
    await pool.close()


def test_a_late_hook_of_an_engine_that_is_gone_disturbs_nobody(
    caplog: pytest.LogCaptureFixture,
) -> None:
    gate = Gate()
    made: list[threading.Thread] = []

    def perform(what: StepCall) -> Outcome:
        made.append(threading.current_thread())
        return gate(what)

    async def engine() -> None:
        pool = ThreadExecutor(perform, 1)
        pool.start(call(), lambda _: None)
        await gate.wait_begun()
        await pool.close()

    with caplog.at_level(logging.DEBUG):
        asyncio.run(engine())
        gate.open.set()
        made[0].join(10)
    assert not made[0].is_alive()
    assert not [each for each in caplog.records if each.levelno >= logging.ERROR]


def test_a_cancellation_is_like_an_event() -> None:
    cancelled = Cancellation()
    assert not cancelled.is_set()
    assert not cancelled.wait(0.001)
    cancelled.set()
    assert cancelled.is_set()
    assert cancelled.wait()
    assert cancelled.wait(0)


def test_a_cancellation_that_was_set_never_waits() -> None:
    cancelled = Cancellation()
    cancelled.set()
    assert cancelled.wait()


def _wait(cancelled: Cancellation, ready: threading.Barrier, woken: list[bool]) -> None:
    ready.wait(10)
    woken.append(cancelled.wait(10))


def test_all_who_wait_on_a_cancellation_are_woken() -> None:
    for _ in range(50):
        cancelled = Cancellation()
        woken: list[bool] = []
        ready = threading.Barrier(4)

        threads = [threading.Thread(target=_wait, args=(cancelled, ready, woken)) for _ in range(3)]
        for each in threads:
            each.start()
        ready.wait(10)
        cancelled.set()
        for each in threads:
            each.join(10)
        assert woken == [True] * 3
