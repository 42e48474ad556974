"""Sees every save and every call of a play, checks the rules on them, and counts what occurred."""

from typing import TYPE_CHECKING

from wf_core.kinds import StepCall
from wf_core.model.outcomes import Failure, Outcome, Progressing, Succeeded
from wf_core.model.phases import FINISHED, BlockReason, DeletionPolicy, Ended, Phase
from wf_core.model.spec import Key, Workflow
from wf_core.model.state import Resource, Stored
from wf_core.ports import Changes, Delivery
from wf_core.testing.simulation.choices import Choices
from wf_core.testing.simulation.coverage import move
from wf_core.testing.simulation.invariants_bounds import (
    e08_a_retry_waits_for_the_floor,
    e09_ceilings_are_for_new_documents,
    met_at_a_ceiling,
)
from wf_core.testing.simulation.invariants_called import ON_CALL
from wf_core.testing.simulation.invariants_ended import (
    AT_EXPIRY,
    AT_REMOVAL,
    AT_REST,
    AT_VANISHING,
    as_if_all_or_none,
    i09_everything_was_delivered_or_dropped,
    kept_for,
)
from wf_core.testing.simulation.invariants_limits import (
    e01_calls_at_once_stay_within_the_limits,
    e01_calls_of_a_kind_keep_their_distance,
    e03_slots_are_held_by_what_the_states_say,
    e06_a_namespace_leaves_calls_for_the_next,
)
from wf_core.testing.simulation.invariants_saved import ON_SAVE
from wf_core.testing.simulation.invariants_steps import (
    b04_a_checkpoint_is_saved,
    b07_nobody_is_given_up_unasked,
    c05_a_claim_outlives_its_calls,
    c06_nobody_takes_from_the_living,
)
from wf_core.testing.simulation.queues import i13_admission, note_holding, note_undoing
from wf_core.testing.simulation.stage import Stage
from wf_core.testing.simulation.story import Called, Save, Story

if TYPE_CHECKING:
    from wf_core.testing.simulation.process import Process

_EXACT = 1e-6
PATIENT = 86_400.0
"""With this much patience nothing is given up within a play."""


class Observer:
    """The stories of all workflows of a play, by uid."""

    def __init__(self, stage: Stage) -> None:
        self.stories: dict[str, Story] = {}
        self._stage = stage
        self._calls = 0
        self._sent: dict[str, int] = {}
        self._choices = Choices(stage)

    def submitted(self, key: Key, workflow: Workflow) -> None:
        """A workflow was stored."""
        forgets = self._stage.world.operator.forgets
        self.stories[workflow.metadata.uid] = Story.of(key, workflow, forgets=forgets)

    def asked(self, key: Key, seq: int, type_: str) -> None:
        """A request was stored."""
        self._story(key).asked[seq] = type_

    def deleted(self, key: Key) -> None:
        """People asked for a workflow to go."""
        self._story(key).deleted = True

    def _story(self, key: Key) -> Story:
        """Of the workflow that now has that name, or had it last."""
        return next(each for each in reversed(self.stories.values()) if each.key == key)

    # Saves

    def saved(
        self, process: "Process", key: Key, changes: Changes, before: Stored, after: Stored
    ) -> None:
        """The store took a save."""
        stage, story = self._stage, self.stories[changes.uid]
        stage.saves += 1
        stage.saved_at = stage.now
        now = process.clock.now()
        save = Save(process.number, process.seat.owner, stage.now, now, changes, before, after)
        stage.note(f"p{process.number} saves {key} {_told(story, save)}")
        for rule in ON_SAVE:
            self._judge(rule.__name__, key, rule(story, save))
        note_undoing(story, save)
        note_holding(story, save)
        if stage.lone:
            self._judge("i13", key, i13_admission(stage, self.stories, story, save))
        self._judge("i13", key, self._choices.saved(self.stories, story, save))
        self._judge("e09", key, e09_ceilings_are_for_new_documents(process.ceilings, story, save))
        for met in met_at_a_ceiling(process.ceilings, story, save):
            stage.met(met)
        wrong = c06_nobody_takes_from_the_living(story, save, stage.storage.living())
        self._judge("c06", key, wrong)
        story.outbox.extend(changes.outbox)
        story.by_epoch[after.head.owner.epoch] = after
        self._count(story, save)

    def _count(self, story: Story, save: Save) -> None:
        met = self._stage.met
        for each in save.changes.history:
            met(move("workflow" if each.step is None else "step", each.before, each.after))
            if each.step is None and each.after in FINISHED:
                story.ended_at = save.at
            if each.step is None and each.before is Phase.PENDING and each.after is Phase.RUNNING:
                met(f"{'FAIR' if self._stage.world.operator.fair else 'FIFO'} admission")
            if each.reason.startswith("activeDeadlineSeconds"):
                met("deadline passed")
            if each.step is not None and each.after is Phase.RUNNING:
                conditions = story.graph.conditions[story.index[each.step]]
                if any(c.resource_status for c in conditions):
                    met("condition on a status")
        for answer in save.after.head.answers:
            if answer.seq in save.changes.answered:
                met(f"request {answer.type} {answer.verdict}")
        before, after = save.before.head, save.after.head
        if after.committed and not before.committed:
            met("pivot committed")
        if after.slotless:
            met("undone without a slot")
        elif after.parked and not before.parked:
            met("parked")
            if any(step.waits_for_person for step in save.after.steps):
                met("parked for a person")
        for i, step in save.changes.steps.items():
            self._count_step(save, i)
            if step.blocked is not None and step.blocked != save.before.steps[i].blocked:
                met(f"blocked {step.blocked.reason}")
                if step.blocked.reason is BlockReason.KIND_UNAVAILABLE:
                    met("kind unavailable")

    def _count_step(self, save: Save, i: int) -> None:
        met, was, step = self._stage.met, save.before.steps[i], save.after.steps[i]
        if step.phase is was.phase is Phase.RUNNING and (step.attempt, step.in_progress) != (
            was.attempt,
            was.in_progress,
        ):
            met(move("step", Phase.RUNNING, Phase.RUNNING))
        if step.phase is was.phase is Phase.ROLLING_BACK and (
            step.rollback_attempt,
            step.in_progress,
        ) != (was.rollback_attempt, was.in_progress):
            met(move("step", Phase.ROLLING_BACK, Phase.ROLLING_BACK))
        if step.interruptions > was.interruptions:
            met("interrupted again")
        if step.attempts != was.attempts and step.attempts:
            last = step.attempts[-1]
            if last.outcome is Ended.TIMED_OUT:
                met("attempt timed out")
            if last.error is not None and last.error.startswith("interrupted 5 times"):
                met("interrupted too often")
            if last.error is not None and last.error.startswith("the process died"):
                met("found to kill its process")

    # Calls

    def called(self, process: "Process", call: StepCall) -> Called:
        """A call begins."""
        stage, story = self._stage, self.stories[call.uid]
        self._calls += 1
        i = story.index[call.step]
        stale = max(story.by_epoch, default=0) > call.epoch
        seen = story.by_epoch.get(call.epoch)
        called = Called(
            self._calls, process.number, call, i, stage.now, process.clock.now(), seen, stale
        )
        called.usurped = process.zombie
        if stale:
            stage.met("call in a stale epoch")
        again = f", interrupted {call.interruptions}" if call.interruptions else ""
        stage.note(f"p{process.number} calls {call.workflow}/{called.name} e{call.epoch}{again}")
        for rule in ON_CALL:
            self._judge(rule.__name__, story.key, rule(story, called))
        wrong = e08_a_retry_waits_for_the_floor(stage.world.operator.bounds, story, called)
        self._judge("e08", story.key, wrong)
        story.calls[i].append(called)
        self._check_limits(process, story, called)
        return called

    def _check_limits(self, process: "Process", story: Story, called: Called) -> None:
        world, calls = self._stage.world, process.calls
        calls[called.n] = called
        # One that was asked to stop has its permit for the grace, whenever its end is saved.
        late = self._stage.now - world.operator.grace + _EXACT
        holding = [
            each for each in calls.values() if each.stopped_at is None or each.stopped_at > late
        ]
        wrong = e01_calls_at_once_stay_within_the_limits(world, holding, called)
        self._judge("e01", story.key, wrong)
        spaced = [(self.stories[each.call.uid].key.namespace, each) for each in holding]
        mine = (story.key.namespace, called)
        wrong = e06_a_namespace_leaves_calls_for_the_next(world, spaced, mine)
        self._judge("e06", story.key, wrong)
        last = process.called_at.get(called.call.kind)
        wrong = e01_calls_of_a_kind_keep_their_distance(world, last, called)
        self._judge("e01", story.key, wrong)
        process.called_at[called.call.kind] = called.began

    def died(self, process: "Process") -> None:
        """A process died, and its calls with it."""
        for called in list(process.calls.values()):
            self.ended(called, None)

    def ended(self, called: Called, outcome: Outcome | None) -> None:
        """A call is over, unless it was before; None: its process died."""
        if called.ended is not None:
            return
        called.ended = self._stage.now
        self._stage.processes[called.process].calls.pop(called.n, None)
        called.outcome = outcome
        story = self.stories[called.call.uid]
        self._judge("b07", story.key, b07_nobody_is_given_up_unasked(story, called))
        said = _said(outcome)
        act = f" ({called.act})" if called.act is not None else ""
        self._stage.note(f"p{called.process} {called.call.workflow}/{called.name}{act}: {said}")

    def checkpointed(self, called: Called, resource: Resource) -> None:
        """A checkpoint returned: it is saved."""
        story = self.stories[called.call.uid]
        self._judge("b04", story.key, b04_a_checkpoint_is_saved(story, called, resource))

    def releases(self, process: "Process", key: Key) -> None:
        """A process gives a workflow up."""
        stored = self._stage.storage.look(key)
        if stored is not None:
            story = self.stories[stored.workflow.metadata.uid]
            self._judge("c05", key, c05_a_claim_outlives_its_calls(story, process.number))

    # Callbacks

    def sent(self, delivery: Delivery) -> int:
        """A callback is sent; gives how often it was before."""
        n = self._sent.get(delivery.event_id, 0)
        self._sent[delivery.event_id] = n + 1
        return n

    def delivered(self, delivery: Delivery) -> None:
        """A receiver took a callback."""
        uid, _, seq = delivery.event_id.rpartition("/")
        story, body = self.stories[uid], delivery.body
        entry = next((each for each in story.outbox if each.seq == int(seq)), None)
        what = f"{body['type']} of {body['step']}"
        if entry is None or body["eventId"] != delivery.event_id:
            self._judge("i09", story.key, f"callback {delivery.event_id} was never saved")
        elif not what.split(" of ")[0].endswith(f".{entry.phase}") or body["step"] != entry.step:
            self._judge("i09", story.key, f"callback {delivery.event_id} says {what}")
        if story.taken.setdefault(delivery.event_id, what) != what:
            self._judge("i09", story.key, f"callback {delivery.event_id} says two things")
        self._check_order(story, int(seq))

    def _check_order(self, story: Story, seq: int) -> None:
        """First deliveries are in order: nothing newer was taken before, unless this one had been
        given up and that could not be saved."""
        taken = [int(each.rpartition("/")[2]) for each in story.taken]
        given_up = seq in story.refused or self._stage.world.operator.give_up_after < PATIENT
        if taken[-1] == seq and seq != max(taken) and not given_up:
            self._judge("i09", story.key, f"callback {seq} is first taken after {max(taken)}")

    def refused(self, delivery: Delivery) -> None:
        """A receiver would not take a callback, for good."""
        uid, _, seq = delivery.event_id.rpartition("/")
        self.stories[uid].refused[int(seq)] = None

    # Ends

    def removed(self, process: "Process | None", key: Key, stored: Stored) -> None:
        """A workflow is forgotten: by a process, or (None) at once, since nothing held it."""
        story = self.stories[stored.workflow.metadata.uid]
        who = "people saw it go:" if process is None else f"p{process.number} removes"
        self._stage.note(f"{who} {key} ({stored.head.phase})")
        self._stage.met("workflow removed")
        if story.workflow.spec.deletion_policy is DeletionPolicy.ORPHAN:
            self._stage.met("workflow orphaned")
        story.gone, story.gone_at = stored, self._stage.now
        if process is None and self.over_age(stored, *self._stage.processes):
            return  # age took its guard away already
        for rule in AT_REMOVAL if process is not None else AT_VANISHING:
            self._judge(rule.__name__, key, rule(story, stored))

    def expired(self, process: "Process", key: Key, stored: Stored) -> None:
        """A process forgot a finished workflow for its age."""
        story = self.stories[stored.workflow.metadata.uid]
        self._stage.note(f"p{process.number} removes {key} ({stored.head.phase}), over age")
        self._stage.met(f"over age {stored.head.phase}")
        story.gone, story.gone_at = stored, self._stage.now
        self._stage.changed_at = self._stage.now
        aged = self.over_age(stored, process)
        for rule in AT_EXPIRY:
            self._judge(rule.__name__, key, rule(stored, aged))
        self._judge("i09", key, i09_everything_was_delivered_or_dropped(story, stored))

    def over_age(self, stored: Stored, *processes: "Process") -> bool:
        """Whether a workflow ended so long ago that age lets it go: by the clock of one of the
        processes, or in truth, which counts where clocks have jumped."""
        story = self.stories[stored.workflow.metadata.uid]
        seconds = kept_for(stored, self._stage.world.operator.ttl)
        if seconds is None:
            return False
        due = stored.head.reached[stored.head.phase] + seconds - _EXACT
        truly = story.ended_at is not None and self._stage.now >= story.ended_at + seconds - _EXACT
        return truly or any(each.clock.now() >= due for each in processes)

    def at_rest(self) -> None:
        """Everything rests: look at what is stored, and at the world outside."""
        for story in self.stories.values():
            stored = story.gone
            if stored is None:
                stored = self._stage.storage.look(story.key)
                if stored is None:
                    self._judge("I14", story.key, "it went, and nothing was told of it")
                    continue
                for rule in AT_REST:
                    self._judge(rule.__name__, story.key, rule(story, stored))
            self._judge("all-or-none", story.key, self._outside(story, stored))
        self._slots_at_rest()

    def _slots_at_rest(self) -> None:
        stage = self._stage
        if not stage.world.operator.serves:
            return  # outside the queues nobody counts
        looked = {key: stage.storage.look(key) for key in stage.storage.names()}
        stored = {key: each for key, each in looked.items() if each is not None}
        for process in stage.alive:
            held = process.engine.slots_held
            wrong = e03_slots_are_held_by_what_the_states_say(stored, process.seat.owner, held)
            if wrong is not None:
                stage.broken("E3", f"p{process.number}: {wrong}")

    def _outside(self, story: Story, stored: Stored) -> str | None:
        def there(i: int) -> bool:
            keys = dict.fromkeys(each.call.run_key for each in story.calls[i])
            return any(self._stage.outside.there(key, self._stage.now) for key in keys)

        return as_if_all_or_none(story, stored, there)

    def _judge(self, rule: str, key: Key, wrong: str | None) -> None:
        if wrong is not None:
            head = rule.partition("_")[0] if rule[0] in "abcdei" and "_" in rule else rule
            numbered = not head[1:] or head[1:].isdigit()
            number = head[0].upper() + head[1:].lstrip("0") if numbered else head
            self._stage.broken(number, f"{key}: {wrong}")


def _told(story: Story, save: Save) -> str:
    head = save.after.head
    words = [f"r{head.revision} e{head.owner.epoch} {head.phase}"]
    for each in save.changes.history:
        words.append(f"{each.step or 'workflow'}:{each.before}->{each.after}")
    for i, step in save.changes.steps.items():
        name = story.workflow.spec.steps[i].name
        detail = f"{name}={step.phase} a{step.attempt}"
        if step.rollback_attempt:
            detail += f" u{step.rollback_attempt}"
        if step.in_progress:
            detail += " in progress"
        if step.next_attempt_at is not None:
            detail += f" next {step.next_attempt_at - save.clock:+.3f}"
        if step.blocked is not None:
            detail += f" blocked {step.blocked.reason}"
        words.append(detail)
    flags = [name for name in ("suspended", "parked", "committed") if getattr(head, name)]
    if head.deletion_asked_at is not None:
        flags.append("deleting")
    for seq in save.changes.answered:
        answer = next((a for a in head.answers if a.seq == seq), None)
        flags.append(f"answers {seq} {answer and answer.type} {answer and answer.verdict}")
    return ", ".join([*words, *flags])


def _said(outcome: Outcome | None) -> str:
    match outcome:
        case None:
            return "died with its process"
        case Succeeded():
            return "succeeded"
        case Progressing():
            return "in progress"
        case Failure(severity, message):
            return f"{severity} {message}"
