"""Faults of what is known from the watch, and of who leads."""

from wf_core.testing.mutants.mutant import Edit, Mutant

MUTANTS = (
    Mutant(
        "k8s-gone-ignored",
        "a 410 is followed by the same watch again",
        (
            Edit(
                "wf_k8s.client.follow:Follow.changes",
                "self._version = None",
                "pass",
            ),
        ),
    ),
    Mutant(
        "k8s-successor-robbed",
        "who stood still takes back what its successor has claimed",
        (
            Edit(
                "wf_k8s.leadership.owners:LeaseOwners.live",
                "not await self._leadership.confirm()",
                "False",
            ),
        ),
    ),
    Mutant(
        "k8s-lease-kept-over-hooks",
        "the Lease is released while hooks still run",
        (
            Edit(
                "wf_k8s.controller.tenure:Tenure._let_go",
                "if self._engine.busy:",
                "if False:",
            ),
        ),
    ),
    Mutant(
        "k8s-deleted-unseen",
        "a workflow that is deleted while it is run is looked at for ever",
        (
            Edit(
                "wf_core.engine.standing:in_doubt",
                "seen.gone or ",
                "",
            ),
        ),
        ("tests/simulation/test_k8s_found.py",),
    ),
    Mutant(
        "k8s-overtaken-unseen",
        "what a former owner saves over a workflow at rest is not seen",
        (
            Edit(
                "wf_core.engine.standing:in_doubt",
                "runner.overtaken(seen.owner, seen.revision)",
                "False",
            ),
        ),
        ("tests/core/engine/test_engine_overtaken.py",),
    ),
    Mutant(
        "k8s-gone-brought-back",
        "an answer that comes after its object was deleted brings it back",
        (Edit("wf_k8s.store.part:Part.past", "self.follow.told >= version", "False"),),
        ("tests/k8s/test_watch_told.py",),
    ),
    Mutant(
        "k8s-younger-than-the-list-dropped",
        "what was created while all is listed anew counts as gone",
        (Edit("wf_k8s.store.part:Part.complete", "and self.past(key, version)", ""),),
        ("tests/k8s/test_watch_told.py",),
    ),
    Mutant(
        "k8s-quiet-namespaces-wait-for-all",
        "a namespace that asks for less than its turns waits for a turn of every other one",
        (Edit("wf_k8s.client.pace:Turns._rank", "max(self._round - 1,", "max(self._round + 1,"),),
        ("tests/k8s/test_client_parts.py",),
    ),
    Mutant(
        "k8s-slot-of-the-gone",
        "the slot of a workflow that went while its save was under way is never given back",
        (Edit("wf_core.engine.slots:Slots.settle", "if key in self._in_doubt:", "if False:"),),
        ("tests/simulation/test_worlds_found.py",),
    ),
    Mutant(
        "k8s-the-quiet-give-up",
        "where memory does not suffice, the namespace that has least of it loses its own",
        (Edit("wf_k8s.store.budget:Budget.put", "max(self._shares", "min(self._shares"),),
        ("tests/k8s/test_budget.py",),
    ),
    Mutant(
        "k8s-the-gone-are-kept",
        "what this process saved of a workflow that somebody else removed is kept for ever",
        (Edit("wf_k8s.store.own:Own.gone", "self.release(key)", "pass"),),
        ("tests/k8s/test_store_parts.py",),
    ),
)
