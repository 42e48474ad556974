"""Faults of what is known from the watch, and of who leads."""

from wf_core.testing.mutants.mutant import Edit, Mutant

MUTANTS = (
    Mutant(
        "k8s-late-news-believed",
        "what the watch tells late replaces what was saved since",
        (
            Edit(
                "wf_k8s.store.mirror:Mirror.put",
                "(old and old.place.version >= place.version)",
                "False",
            ),
        ),
    ),
    Mutant(
        "k8s-late-news-of-the-removed",
        "what the watch tells late of a removed workflow brings it back",
        (
            Edit(
                "wf_k8s.store.mirror:Mirror.put",
                "place.row.uid in self._removed or",
                "",
            ),
        ),
    ),
    Mutant(
        "k8s-unsure-not-read",
        "what is stored is not read after a save whose fate is unknown",
        (
            Edit(
                "wf_k8s.store.store:K8sStore._told",
                "or place in self._stale",
                "",
            ),
        ),
    ),
    Mutant(
        "k8s-deleted-is-a-state",
        "a deletion that the watch tells is taken for a state",
        (
            Edit(
                "wf_k8s.client.follow:Follow._watch",
                "yield Gone(event.body)",
                "yield Put(event.body)",
            ),
        ),
    ),
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
        "k8s-listed-is-not-all",
        "what a new list leaves out stays",
        (
            Edit(
                "wf_k8s.store.mirror:Mirror._complete",
                "if key not in listed",
                "if False",
            ),
        ),
    ),
    Mutant(
        "k8s-silence-is-golden",
        "a watch that says nothing is waited for for ever",
        (
            Edit(
                "wf_k8s.client.follow:Follow._watch",
                "silence=self._silence",
                "silence=1e9",
            ),
            Edit(
                "wf_k8s.client.follow:Follow._watch",
                "str(round(self._session.chance(*self._watch_for)))",
                '"1000000000"',
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
        "k8s-lost-lease-unnoticed",
        "a leader that lost its Lease stays",
        (
            Edit(
                "wf_k8s.controller.tenure:Tenure.lead",
                "if keeping.done():",
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
)
