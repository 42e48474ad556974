"""A run, an undo and their duplicates in every order, on every database, against a model."""

import itertools
from typing import Any

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.barrier.bank import Bank, run_of, undo_of

from wf_core.barrier import barrier, create_table, prune
from wf_core.barrier.driver import driver_of
from wf_core.kinds import Fatal, Success

RUN, UNDO = "run", "undo"


@attrs.define
class Model:
    """What must be seen of one step: its balance beside 100, and what each hook answers."""

    state: str = "nothing"
    balance: int = 100

    def play(self, hook: str) -> dict[str, str] | type[Fatal] | None:
        if hook == RUN:
            if self.state in ("undone", "barred"):
                return Fatal
            self.balance -= 10 if self.state == "nothing" else 0
            self.state = "ran"
            return {"by": "run"}
        if self.state in ("nothing", "barred"):
            self.state = "barred"
            return None
        self.balance += 10 if self.state == "ran" else 0
        self.state = "undone"
        return {"by": "rollback"}


def played(bank: Bank, hook: str, uid: str) -> object:
    try:
        answer = bank.hook(run_of(uid) if hook == RUN else undo_of(uid))
    except Fatal:
        return Fatal
    return None if answer is None else dict(answer.attributes or {})


def check(bank: Bank, order: list[str], uid: str) -> None:
    model = Model()
    before = bank.balance() - 100
    for hook in order:
        assert played(bank, hook, uid) == model.play(hook), order
        assert bank.balance() == model.balance + before, order


def test_every_order_of_up_to_five_calls(bank: Bank) -> None:
    orders = itertools.chain.from_iterable(
        itertools.product((RUN, UNDO), repeat=length) for length in range(1, 6)
    )
    for number, order in enumerate(orders):
        check(bank, list(order), f"u{number}")


@given(calls=st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from((RUN, UNDO))), max_size=12))
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_calls_of_several_workflows_do_not_touch_each_other(
    bank: Bank, calls: list[tuple[str, str]]
) -> None:
    bank.open(ann=100)
    models = {uid: Model() for uid in "abc"}
    for uid, hook in calls:
        assert played(bank, hook, uid) == models[uid].play(hook)
    assert bank.balance() == 100 + sum(model.balance - 100 for model in models.values())


def test_steps_whose_names_differ_in_case_alone_are_two(bank: Bank) -> None:
    bank.hook(run_of("u1", "pay"))
    bank.hook(run_of("u1", "PAY"))
    assert bank.balance() == 80


def emptied_and_divided_by(number: int, connection: Any) -> float:
    driver_of(connection).change("UPDATE account SET balance = 0")
    return 1 / number


def test_a_body_that_raises_leaves_nothing_and_may_be_run_again(bank: Bank) -> None:
    for hook in (run_of("u1"), undo_of("u1")):
        before = bank.balance()
        with pytest.raises(ZeroDivisionError), barrier(hook, bank.connection):
            emptied_and_divided_by(0, bank.connection)
        assert bank.balance() == before
        assert bank.hook(run_of("u1")) is not None
    assert bank.balance() == 90


def test_an_undo_finds_what_the_run_answered_though_nobody_saved_it(bank: Bank) -> None:
    bank.hook(run_of("u1"))
    with barrier(undo_of("u1"), bank.connection) as passage:
        assert passage.first
        assert passage.ran == Success(attributes={"by": "run"})
    with barrier(undo_of("u1"), bank.connection) as again:
        assert not again.first
        assert again.answer is None


def test_an_answer_may_be_any_text(bank: Bank) -> None:
    said = Success(attributes={"said": "Grüße, 世界 \N{SNOWMAN} \N{PILE OF POO} ' \" % %s :x ? \\"})
    with barrier(run_of("u1"), bank.connection) as passage:
        passage.answer = said
    with barrier(run_of("u1"), bank.connection) as again:
        assert again.answer == said


def test_the_table_is_made_once_and_pruned_by_age(bank: Bank) -> None:
    bank.hook(run_of("u1"))
    create_table(bank.connection)
    assert prune(bank.connection, before=1_000_000_000.0) == 0
    assert prune(bank.connection, before=100_000_000_000.0) == 1
    assert bank.hook(undo_of("u1")) is None
    assert bank.balance() == 90
