"""The machine against the oracle: random workflows, every kind of event, compared turn by turn."""

import random
from collections import Counter

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from tests.simulation.oracle_worlds import MOVES, Game

from wf_core.model.phases import BlockReason, Phase, RequestType, Verdict
from wf_core.saga import table


def play(seed: int) -> Game:
    """One whole game. To look closer at a seed that fails: the message tells its story."""
    choose = random.Random(seed).choice
    game = Game(choose, admitted=choose([True, True, True, False]))
    for _ in range(choose([20, 40, 80])):
        if choose(range(150)) == 0:
            game.delete(choose)
        game.play(choose)
    return game


@pytest.mark.parametrize("ten", range(20))
def test_machine_and_oracle_agree_on_every_turn(ten: int) -> None:
    for seed in range(ten * 10, ten * 10 + 10):
        play(seed)


@pytest.mark.parametrize(
    "hundred",
    [
        *(pytest.param(n, marks=pytest.mark.slow) for n in range(2, 6)),
        *(pytest.param(n, marks=pytest.mark.long) for n in range(6, 10)),
        *(pytest.param(n, marks=pytest.mark.full) for n in range(10, 22)),
    ],
)
def test_machine_and_oracle_agree_on_very_many_turns(hundred: int) -> None:
    for seed in range(hundred * 100, hundred * 100 + 100):
        play(seed)


@pytest.mark.slow
def test_every_transition_answer_and_reason_to_wait_occurs() -> None:
    moves: Counter[tuple[bool, Phase, Phase]] = Counter()
    answers: Counter[tuple[RequestType, Verdict]] = Counter()
    reasons: Counter[BlockReason] = Counter()
    for seed in range(600):
        pair = play(seed).pair
        moves.update((t.step is None, t.before, t.after) for t in pair.history)
        answers.update((a.type, a.verdict) for a in pair.saga.head.answers)
        reasons.update(list(pair.reasons))
    listed = [(True, m.before, m.after) for m in table.WORKFLOW]
    listed += [(False, m.before, m.after) for m in table.STEP if m.before is not m.after]
    assert [move for move in listed if not moves[move]] == []
    both = [(type_, v) for type_ in RequestType for v in (Verdict.APPLIED, Verdict.REFUSED)]
    # A signal with a name is refused only where there are too many.
    both.remove((RequestType.SIGNAL, Verdict.REFUSED))
    assert [each for each in both if not answers[each]] == []
    # These worlds have no folders; and the engine's own word, for what should never be.
    never = [BlockReason.FOLDER_UNAVAILABLE, BlockReason.INTERNAL_ERROR]
    assert [r for r in BlockReason if not reasons[r]] == never


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
    max_examples=50,
    stateful_step_count=25,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
