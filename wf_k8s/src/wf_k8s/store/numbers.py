"""Numbers for requests: people give ids, the machine wants a sequence that never goes back.

A request made by `wf` carries its number in its id, so that every process calls it the same. One
made by hand is numbered by whoever finds it, after all that are known, until its answer fixes the
number. Those found together are taken by time and id, never by their place in the list.
"""

import re
from collections.abc import Iterable

from wf_k8s.store.wire import WireAnswer, WireRequest

_OURS = re.compile(r"wf-([1-9][0-9]{0,14})")


def id_of(seq: int) -> str:
    """The id of a request that `wf` makes."""
    return f"wf-{seq}"


def seq_of_id(request: str) -> int:
    """The number in such an id; 0 where somebody made the id by hand."""
    found = _OURS.fullmatch(request)
    return int(found[1]) if found else 0


class Numbers:
    """The numbers of one workflow's requests, as this process gives them."""

    def __init__(self) -> None:
        self.last = 0
        self._given = 0
        self._seqs: dict[str, int] = {}
        self._ids: dict[int, str] = {}

    def learn(
        self, requests: Iterable[WireRequest], answers: Iterable[WireAnswer], least: int
    ) -> None:
        """Number what is new; `least` is the highest number that was ever saved."""
        for answer in answers:
            self._give(answer.id, answer.seq)
        self.last = max(self.last, least)
        new = [each for each in requests if each.id not in self._seqs]
        for each in sorted(new, key=_order):
            named = seq_of_id(each.id)
            # Older ones of ours may still wait, unless this process has gone past their numbers.
            ours = named > self._given and named not in self._ids
            self._give(each.id, named if ours else self.last + 1)
            self._given = max(self._given, self._seqs[each.id])

    def seq(self, request: str) -> int:
        """The number of a request that was learnt."""
        return self._seqs[request]

    def id(self, seq: int) -> str | None:
        """The id of the request with that number."""
        return self._ids.get(seq)

    def _give(self, request: str, seq: int) -> None:
        if request not in self._seqs:
            self._seqs[request] = seq
            self._ids[seq] = request
        self.last = max(self.last, seq)


def _order(request: WireRequest) -> tuple[bool, int, str, str]:
    number = seq_of_id(request.id)
    return (number == 0, number, request.created_at, request.id)
