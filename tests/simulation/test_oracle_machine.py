"""The machine against the oracle: random workflows, every kind of event, compared turn by turn."""

import random

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from tests.simulation.oracle_worlds import MOVES, Game


def play(seed: int) -> Game:
    """One whole game. To look closer at a seed that fails: the message tells its story."""
    choose = random.Random(seed).choice
    game = Game(choose, admitted=choose([True, True, True, False]))
    for _ in range(choose([20, 40, 80])):
        if choose(range(150)) == 0:
            game.delete(choose)
        game.play(choose)
    return game


@pytest.mark.parametrize("tens", range(10))
def test_machine_and_oracle_agree_on_every_turn(tens: int) -> None:
    for seed in range(tens * 10, tens * 10 + 10):
        play(seed)


@pytest.mark.slow
@pytest.mark.parametrize("hundreds", range(1, 16))
def test_machine_and_oracle_agree_on_very_many_turns(hundreds: int) -> None:
    for seed in range(hundreds * 100, hundreds * 100 + 100):
        play(seed)


class Side(RuleBasedStateMachine):
    """The same game, its moves chosen and shrunk by Hypothesis."""

    game: Game

    @initialize(data=st.data(), admitted=st.booleans())
    def start(self, data: st.DataObject, admitted: bool) -> None:
        self.game = Game(lambda options: data.draw(st.sampled_from(options)), admitted=admitted)

    @rule(data=st.data())
    def report(self, data: st.DataObject) -> None:
        self.game.report(lambda options: data.draw(st.sampled_from(options)))

    @rule(data=st.data())
    def report_trouble(self, data: st.DataObject) -> None:
        self.game.report_trouble(lambda options: data.draw(st.sampled_from(options)))

    @rule(data=st.data(), move=st.sampled_from(MOVES))
    def any_move(self, data: st.DataObject, move: str) -> None:
        self.game.move(move, lambda options: data.draw(st.sampled_from(options)))

    @precondition(lambda self: self.game.pair.saga.head.deletion_asked_at is None)
    @rule(often=st.integers(0, 9))
    def delete(self, often: int) -> None:
        if often == 9:
            self.game.delete(random.Random(0).choice)


TestSide = Side.TestCase
TestSide.settings = settings(
    max_examples=25,
    stateful_step_count=25,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
