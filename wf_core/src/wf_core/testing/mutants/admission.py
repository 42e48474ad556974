"""Faults of admission."""

from wf_core.testing.mutants.mutant import Edit, Mutant

MUTANTS = (
    Mutant(
        "finished-keep-their-slots",
        "finished workflows count as running",
        (
            Edit("wf_core.admission:Admission.release", "queue is not None", "False"),
            Edit(
                "wf_core.admission:Admission.release",
                "self._holding.pop(key, None)",
                "self._holding.get(key)",
            ),
        ),
    ),
    Mutant(
        "no-maximum",
        "more workflows run than `maxRunningCount` allows",
        (
            Edit(
                "wf_core.admission:Admission.next",
                "len(self._holding) >= self._maximum",
                "False",
            ),
        ),
    ),
    Mutant(
        "no-maximum-of-a-queue",
        "more workflows of a queue run than its own maximum allows",
        (
            Edit(
                "wf_core.admission:_Queue.full",
                "maximum is not None and self.running >= maximum",
                "False",
            ),
        ),
    ),
    Mutant(
        "newest-first",
        "the newest workflow of a queue starts first",
        (
            Edit(
                "wf_core.admission:Admission.offer",
                "-priority, created_at, uid)",
                "-priority, -created_at, uid)",
            ),
        ),
    ),
    Mutant(
        "priority-ignored",
        "priority changes nothing",
        (Edit("wf_core.admission:Admission.offer", "-priority,", "0,"),),
    ),
    Mutant(
        "fullest-queue-first",
        "FAIR prefers the queue that runs most",
        (
            Edit(
                "wf_core.admission:Admission._rank",
                "(queue.running + 1) / queue.limits.weight",
                "-(queue.running + 1) / queue.limits.weight",
            ),
        ),
        ("tests/core/admission",),
    ),
    Mutant(
        "admitted-before-recovery",
        "workflows are admitted before recovery has counted what runs",
        (
            Edit(
                "wf_core.engine.engine:Engine.serve",
                "await self._recover()",
                "self._slots.open()\n        await self._recover()",
            ),
        ),
        ("tests/core/engine",),
    ),
)
