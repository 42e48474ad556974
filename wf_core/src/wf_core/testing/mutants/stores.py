"""Faults of the stores. The simulation plays on the memory store; what breaks SQLite alone is
caught by the contract that all stores obey."""

from wf_core.testing.mutants.mutant import Edit, Mutant

_CONTRACT = ("tests/contract/test_store_contract_sqlite.py",)

MUTANTS = (
    Mutant(
        "stale-saves-taken",
        "a save that builds on an old revision is taken",
        (
            Edit(
                "wf_core.adapters.store_rules:builds_on",
                "changes.base_revision == revision",
                "changes.base_revision <= revision",
            ),
        ),
    ),
    Mutant(
        "old-epochs-save",
        "a former owner goes on saving after another has taken over",
        (
            Edit(
                "wf_core.adapters.store_rules:builds_on",
                "return (",
                "return changes.base_epoch <= epoch or (",
            ),
        ),
    ),
    Mutant(
        "released-owner-saves",
        "whoever gave its claim up may go on writing",
        (
            Edit(
                "wf_core.adapters.store_rules:builds_on",
                "changes.head.owner.id == owner",
                "True",
            ),
        ),
        ("tests/contract/test_store_contract_memory.py",),
    ),
    Mutant(
        "repeat-is-lost",
        "the repeat of a save that was taken is answered Lost",
        (Edit("wf_core.adapters.store_rules:repeats", "head.writer != Writer()", "False"),),
    ),
    Mutant(
        "epoch-stands-still",
        "a claim does not begin a new epoch",
        (
            Edit(
                "wf_core.adapters.memory.store:MemoryStore.claim",
                "owner.epoch + 1",
                "max(1, owner.epoch)",
            ),
        ),
    ),
    Mutant(
        "claimed-from-the-living",
        "a workflow is claimed that another live process owns",
        (
            Edit(
                "wf_core.adapters.memory.store:MemoryStore.claim",
                "self._check_owner(key, owner.id)",
                "pass",
            ),
        ),
    ),
    Mutant(
        "torn-save",
        "of a save of several steps only the first is kept",
        (
            Edit(
                "wf_core.adapters.memory.store:MemoryStore.save",
                "in changes.steps.items():",
                "in list(changes.steps.items())[:1]:",
            ),
        ),
    ),
    Mutant(
        "outbox-not-kept",
        "of several callbacks of one save the last is lost",
        (
            Edit(
                "wf_core.adapters.memory.store:MemoryStore.save",
                "in changes.outbox:",
                "in changes.outbox[:1]:",
            ),
        ),
    ),
    Mutant(
        "answered-comes-again",
        "a request that was answered is asked again after a restart",
        (
            Edit(
                "wf_core.adapters.memory.store:MemoryStore.save",
                "entry.asked.pop(seq, None)",
                "pass",
            ),
        ),
    ),
    Mutant(
        "change-unseen",
        "whoever watches is not told of a new request",
        (
            Edit(
                "wf_core.adapters.memory.store:MemoryStore.request",
                "self.backing.changed(key)",
                "pass",
            ),
        ),
    ),
    Mutant(
        "deletion-forgotten",
        "a deletion that was asked is told to whoever watches and not kept",
        (
            Edit(
                "wf_core.adapters.memory.store:MemoryStore.delete",
                "entry.deletion_asked_at = now",
                "pass",
            ),
        ),
    ),
    Mutant(
        "sqlite-stale-saves-taken",
        "SQLite takes a save that builds on an old revision",
        (Edit("wf_core.adapters.sqlite.writing:_UPDATE", "revision = ? AND (", "? >= 0 AND ("),),
        _CONTRACT,
    ),
    Mutant(
        "sqlite-released-owner-saves",
        "SQLite lets whoever gave its claim up go on writing",
        (
            Edit(
                "wf_core.adapters.sqlite.writing:_UPDATE",
                "(owner = ? OR ?)",
                "(owner = ? OR ? OR 1)",
            ),
        ),
        _CONTRACT,
    ),
    Mutant(
        "sqlite-repeat-is-lost",
        "SQLite answers Lost to the repeat of a save that was taken",
        (
            Edit(
                "wf_core.adapters.sqlite.writing:_refused",
                "rules.repeats(changes.head, head_of(row[1]))",
                "False",
            ),
        ),
        _CONTRACT,
    ),
    Mutant(
        "sqlite-history-lost",
        "SQLite keeps no history",
        (
            Edit(
                "wf_core.adapters.sqlite.writing:save",
                "data.history is not None",
                "False",
            ),
        ),
        _CONTRACT,
    ),
    Mutant(
        "sqlite-delivered-come-again",
        "SQLite keeps callbacks that were delivered",
        (
            Edit(
                "wf_core.adapters.sqlite.writing:save",
                "low | head.outbox_delivered",
                "low",
            ),
        ),
        _CONTRACT,
    ),
    Mutant(
        "sqlite-removed-under-its-owner",
        "SQLite removes a workflow that another live process owns",
        (
            Edit(
                "wf_core.adapters.sqlite.writing:_free",
                "owner != ownership.id",
                "not owner",
            ),
        ),
        _CONTRACT,
    ),
)
