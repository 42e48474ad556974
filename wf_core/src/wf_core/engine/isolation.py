"""After a death of the process: what was open then is opened one by one, so that what kills it is
found alone (semantics B3).

Whoever dies beside others is as innocent as they are, so nothing is held against any of them. Alone
is a call that begins while no other is open, or only such as have lived for a while in this life;
the while doubles from death to death, so that what takes its time to kill is found too.
"""

import asyncio
import logging
from collections.abc import Callable, Collection, Iterable, Mapping

from wf_core.ports import Clock, LeftOpen, Open, OpenRecord

log = logging.getLogger("wf.engine")
FIRST_WHILE = 1.0
"""Seconds for which a call that was left open has the process to itself, after one death."""
LONGEST_WHILE = 3600.0
MAX_DEATHS = 3
"""Deaths alone after which a workflow is not taken up again."""


class Isolation:
    """`again()` is called when something more may begin."""

    def __init__(self, record: OpenRecord, clock: Clock, again: Callable[[], None]) -> None:
        self._record = record
        self._clock = clock
        self._again = again
        self._left: LeftOpen | None = None
        self._serving = False
        self._untold: dict[str, None] = {}
        self._open: dict[Open, None] = {}
        self._waiting: dict[Open, None] = {}
        self._outlived: dict[Open, None] = {}
        self._until = 0.0
        self._while = FIRST_WHILE
        self._alone: tuple[str, float] | None = None
        self._timer: asyncio.TimerHandle | None = None

    # What the process before this one left

    @property
    def left(self) -> LeftOpen:
        """What was open at the last death, as far as no state tells it yet; read once."""
        if self._left is None:
            self._left = self._record.left()
            deaths = max(1, self._left.deaths)
            self._while = min(FIRST_WHILE * 2 ** min(deaths - 1, 20), LONGEST_WHILE)
        return self._left

    def serves(self) -> None:
        """This process takes up everything: whatever was open comes again, or is over."""
        self._serving = True
        self._await(self.left.open)

    def died(self, uid: str, *, taken_over: bool) -> Mapping[str, bool]:
        """The steps of a workflow that is taken up whose calls were open at the last death, and
        whether alone. One that is `taken_over` may be that of a process that has died since."""
        if taken_over:
            self._left = self._record.left()
        died = {
            each: alone
            for each, alone in self.left.open.items()
            if each.workflow == uid and each.step
        }
        if not died:
            return {}
        if not self._serving:
            self._await(died)
        self._untold[uid] = None
        return {each.step: alone for each, alone in died.items()}

    def saved(self, uid: str) -> None:
        """The state of that workflow is on disk, with the deaths that were known of it."""
        if uid in self._untold:
            del self._untold[uid]
            self._record.told(uid)
            left = {each: alone for each, alone in self.left.open.items() if each.workflow != uid}
            self._left = LeftOpen(left, self.left.deaths, self.left.taking_up)

    def _await(self, left: Iterable[Open]) -> None:
        self._waiting.update(dict.fromkeys(left))
        if self._waiting:
            self._record.follows(self.left.deaths)
            self._until = self._clock.now() + self._while * (len(self._waiting) + 1)
            # One call that was cut off once is nothing that a person must know of.
            suspicious = len(self._waiting) > 1 or self.left.deaths > 1
            log.log(
                logging.WARNING if suspicious else logging.INFO,
                "calls that were open when a process died: %d; they are begun one by one, each "
                "alone for %g s at most, to find out whether one of them killed it",
                len(self._waiting),
                self._while,
            )
            self._arm()

    @property
    def suspects(self) -> Collection[str]:
        """The uids of workflows that were being taken up, alone, when a process died."""
        return self.left.taking_up.keys()

    def kills(self, uid: str) -> str | None:
        """Why that workflow is not taken up again, or None."""
        deaths = self.left.taking_up.get(uid, 0)
        if deaths < MAX_DEATHS:
            return None
        return (
            f"the process died {deaths} times in a row while nothing but this workflow was being "
            "taken up: its document or its state kills the engine. Delete it, make the "
            "document smaller and submit it anew, or upgrade wf; `wf retry` has it tried again "
            "as it is"
        )

    def first_refusal(self, uid: str) -> bool:
        """Whether it has not been said yet that the workflow is left alone."""
        return self.left.taking_up.get(uid, 0) == MAX_DEATHS

    def lift(self, uid: str) -> None:
        """Nothing is held against that workflow any more: a person has it tried again, it was taken
        up and the process lives, or it is gone."""
        self._record.lift(uid)
        self._left = LeftOpen(
            self.left.open,
            self.left.deaths,
            {each: n for each, n in self.left.taking_up.items() if each != uid},
        )

    # What this process opens

    @property
    def careful(self) -> bool:
        """Whether things are still begun one by one."""
        self._look_at_the_clock()
        return bool(self._waiting)

    def admits(self, uid: str) -> bool:
        """Whether a call of that workflow may begin now."""
        if not self.careful:
            return True
        return self._alone is None and any(
            each.workflow == uid and each.step for each in self._waiting
        )

    def begins(self, uid: str) -> None:
        """A call of that workflow has its permit; `admits` has said so in this very turn."""
        if self.careful:
            self._alone = (uid, self._clock.now())
            self._arm()

    def ends(self, uid: str) -> None:
        """A call of that workflow gave its permit back."""
        if self._alone is not None and self._alone[0] == uid:
            self._alone = None
            self._again()

    def opened(self, what: Open) -> None:
        """It begins."""
        self._open[what] = None
        self._record.opened(what)

    def closed(self, what: Open) -> None:
        """It is over, and the process lives."""
        if what not in self._open:
            return
        del self._open[what]
        self._record.closed(what)
        if not what.step and 0 < self.left.taking_up.get(what.workflow, 0) < MAX_DEATHS:
            self.lift(what.workflow)
        if what in self._waiting or what in self._outlived:
            self._waiting.pop(what, 0)
            self._outlived.pop(what, 0)
            self._calm_down()

    def over(self, uid: str) -> None:
        """Nothing of that workflow comes again: it is gone, or needs nobody any more."""
        left = [each for each in (*self._waiting, *self._outlived) if each.workflow == uid]
        for each in left:
            self._waiting.pop(each, 0)
            self._outlived.pop(each, 0)
        if left:
            self._calm_down()

    async def until_free(self) -> None:
        """Wait until nothing that is alone would be disturbed by taking up a workflow."""
        while self.careful and self._alone is not None:
            await asyncio.sleep(FIRST_WHILE / 10)

    def close(self) -> None:
        """The process ends in good order."""
        if self._timer is not None:
            self._timer.cancel()
        self._record.close()

    def _look_at_the_clock(self) -> None:
        """Who has lived for a while disturbs nobody; who never came is not waited for."""
        now = self._clock.now()
        if self._alone is not None and now >= self._alone[1] + self._while:
            self._alone = None
            for each in [each for each in self._waiting if each in self._open]:
                del self._waiting[each]
                self._outlived[each] = None
                self._record.outlived(each)
            self._calm_down()
        if self._waiting and now >= self._until and self._alone is None:
            self._waiting.clear()
            self._calm_down()

    def _calm_down(self) -> None:
        if self._waiting:
            return
        if not self._outlived:
            self._record.follows(0)
            if self._serving or not self.left.open:
                self._record.calm()
        self._again()

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(self._while, self._time_passed)

    def _time_passed(self) -> None:
        self._timer = None
        if self.careful:
            self._arm()
        self._again()
