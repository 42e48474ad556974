"""Faults of clean-up by age."""

from wf_core.testing.mutants.mutant import Edit, Mutant

MUTANTS = (
    Mutant(
        "goes-young",
        "a finished workflow goes before it is as old as was said",
        (
            Edit(
                "wf_core.retention:Retention.due_at",
                "finished_at + seconds",
                "finished_at + seconds / 2",
            ),
        ),
    ),
    Mutant(
        "own-age-ignored",
        "what a workflow says of its age counts for nothing",
        (Edit("wf_core.retention:Retention.due_at", "(_by_phase(own), ", "("),),
    ),
    Mutant(
        "age-drops-callbacks",
        "a workflow goes by age that still owes a callback",
        (
            Edit(
                "wf_core.engine.expiry:Expiry._remove", "if owed_by(stored) is not None:", "if 0:"
            ),
            Edit("wf_core.adapters.store_rules:may_expire", "and not now.outbox", ""),
        ),
    ),
    Mutant(
        "age-beats-deletion",
        "a workflow whose deletion was asked goes by age, and what its policy undoes is not undone",
        (
            Edit(
                "wf_core.engine.expiry:Expiry._remove", "if owed_by(stored) is not None:", "if 0:"
            ),
            Edit(
                "wf_core.adapters.store_rules:may_expire",
                "and now.head.deletion_asked_at is None",
                "",
            ),
        ),
    ),
    Mutant(
        "ends-unnoticed",
        "what ends while an engine runs stays until the next start",
        (Edit("wf_core.engine.expiry:Expiry.saw", "self._due_at(key, queue, head, ttl)", "None"),),
    ),
    Mutant(
        "clock-back-keeps",
        "what ended before a clock went back stays for as long as that went back",
        (
            Edit(
                "wf_core.engine.expiry:Expiry._ended",
                "if finished_at is None or finished_at <= now:",
                "if True:",
            ),
        ),
    ),
)
