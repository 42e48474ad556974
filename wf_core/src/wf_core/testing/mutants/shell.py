"""Faults of the shell around the machine."""

from wf_core.testing.mutants.mutant import Edit, Mutant

DEATHS = ("tests/core/engine/test_engine_deaths.py",)

MUTANTS = (
    Mutant(
        "folder-of-whoever-resumes",
        "a hook is called in the folder of the engine, not in that of its workflow",
        (
            Edit(
                "wf_core.engine.hooks:Hooks._step_call",
                "folder = saga.head.folder",
                "folder = None",
            ),
        ),
        ("tests/command/test_command_folder.py",),
    ),
    Mutant(
        "ceilings-ignored",
        "a new document begins that asks for more than a ceiling allows",
        (
            Edit(
                "wf_core.engine.refusal:document_faults",
                "if head.phase is Phase.PENDING:",
                "if False:",
            ),
        ),
    ),
    Mutant(
        "a-lower-ceiling-stops-what-has-begun",
        "what has begun is refused under a ceiling that is lower than its document asks",
        (
            Edit(
                "wf_core.engine.refusal:document_faults",
                "if head.phase is Phase.PENDING:",
                "if True:",
            ),
            Edit(
                "wf_core.engine.engine:Engine._runner",
                "try:\n",
                "try:\n"
                "        if (why := unstartable(stored.workflow, self._services, stored.head)):\n"
                "            raise why\n",
            ),
        ),
    ),
    Mutant(
        "effects-before-the-save",
        "hooks are called before their intent is saved",
        (
            Edit(
                "wf_core.engine.runner:Runner._turn",
                "await self._save()",
                "self._perform()\n        await self._save()",
            ),
        ),
    ),
    Mutant(
        "lost-saves-ignored",
        "an engine that lost its workflow to another goes on",
        (Edit("wf_core.engine.runner:Runner._save", "if answer is Saved.LOST:", "if False:"),),
    ),
    Mutant(
        "unknown-is-saved",
        "a save whose answer was lost is taken for saved",
        (
            Edit(
                "wf_core.engine.runner:Runner._save",
                "answer = await self._read_back(changes)",
                "answer = Saved.SAVED",
            ),
        ),
    ),
    Mutant(
        "claim-never-saved",
        "an engine calls hooks before its claim is saved",
        (
            Edit(
                "wf_core.saga.ledger:Ledger.prepare_effects",
                "not self._claimed",
                "False",
            ),
        ),
    ),
    Mutant(
        "key-by-attempt",
        "the idempotency key differs from attempt to attempt",
        (
            Edit(
                "wf_core.engine.hooks:Hooks._step_call",
                "run_key = idempotency_key(uid, spec.name, Hook.RUN)",
                "run_key = idempotency_key(uid, f'{spec.name}{step.attempt}', Hook.RUN)",
            ),
        ),
    ),
    Mutant(
        "keys-collide",
        "steps of the same name in two workflows share a key",
        (
            Edit(
                "wf_core.engine.hooks:idempotency_key",
                "{uid}/{step}/{hook}",
                "{step}/{hook}",
            ),
        ),
    ),
    Mutant(
        "previous-forgotten",
        "a call is not told what the last attempt left",
        (
            Edit(
                "wf_core.engine.hooks:Hooks._step_call",
                "Previous(step.previous, step.resource, step.attributes)",
                "Previous()",
            ),
        ),
    ),
    Mutant(
        "checkpoint-before-the-save",
        "a checkpoint returns before it is saved",
        (
            Edit(
                "wf_core.engine.hooks:Hooks._checkpoint",
                "self._handed_in.append(done)",
                "done(True)",
            ),
        ),
    ),
    Mutant(
        "released-while-hooks-run",
        "an engine that stops gives up claims whose hooks still run",
        (
            Edit(
                "wf_core.engine.engine:Engine._stop",
                "if not runner.hooks.running and runner.error is None:",
                "if True:",
            ),
        ),
    ),
    Mutant(
        "taken-up-beside-its-old-hooks",
        "a workflow that was given up is taken up again while its hooks still run",
        (Edit("wf_core.engine.engine:Engine._load", "if key in self._given_up:", "if False:"),),
    ),
    Mutant(
        "panic-swallowed",
        "a call that fails for good never reports",
        (
            Edit(
                "wf_core.engine.hooks:Hooks._report",
                "self._post(Reported(call.step, call.call, outcome))",
                "getattr(outcome, 'message', '') == 'no' or "
                "self._post(Reported(call.step, call.call, outcome))",
            ),
        ),
    ),
    Mutant(
        "never-looked-at-again",
        "a workflow that could not be taken up is not tried again",
        (
            Edit(
                "wf_core.engine.follower:Follower.later",
                "self._later[key] = None",
                "pass",
            ),
        ),
    ),
    Mutant(
        "requests-unseen",
        "requests that come while a workflow runs are not seen",
        (
            Edit(
                "wf_core.engine.noticing:Noticing.learn",
                " or seen.request_seq > runner.last_request:",
                ":",
            ),
        ),
    ),
    Mutant(
        "stop-counts-as-failure",
        "a hook that is stopped with its engine has failed",
        (
            Edit(
                "wf_core.engine.runner:Runner._turn",
                "if services.closing:",
                "if False:",
            ),
        ),
        ("tests/core/engine",),
    ),
    Mutant(
        "time-is-no-event",
        "the shell does not wake when the machine's timer fires",
        (Edit("wf_core.engine.runner:Runner._woken", "self.kick()", "pass"),),
    ),
    Mutant(
        "deaths-beside-others-counted",
        "a call is blamed for a death of its process beside others",
        (
            Edit(
                "wf_core.saga.attempts:too_often",
                "killed(ledger, i, now) if alone else None",
                "killed(ledger, i, now)",
            ),
        ),
        DEATHS,
    ),
    Mutant(
        "deaths-alone-uncounted",
        "a call that kills its process alone is called for ever",
        (
            Edit(
                "wf_core.saga.attempts:killed",
                "deaths.counted(ledger.steps[i], now)",
                "ledger.steps[i].deaths",
            ),
        ),
        DEATHS,
    ),
    Mutant(
        "killers-that-live-now-and-then-missed",
        "an answer clears the deaths of a hook that kills and lives in turn",
        (
            Edit(
                "wf_core.saga.deaths:kept",
                "0 if _long_ago(step, now) else step.deaths",
                "0",
            ),
        ),
        DEATHS,
    ),
    Mutant(
        "deaths-never-forgiven",
        "deaths that lie hours apart are held against a step whose calls live",
        (
            Edit(
                "wf_core.saga.deaths:counted",
                "0 if lived and _long_ago(step, now) else step.deaths",
                "step.deaths",
            ),
        ),
        DEATHS,
    ),
    Mutant(
        "all-at-once-after-a-death",
        "what was open at a death is begun again at once, so that nobody is ever alone",
        (
            Edit(
                "wf_core.engine.isolation:Isolation.admits",
                "if not self.careful:",
                "if True:",
            ),
        ),
        DEATHS,
    ),
    Mutant(
        "slow-killers-missed",
        "the time that a call has alone does not grow from death to death",
        (
            Edit(
                "wf_core.engine.isolation:Isolation.left",
                "FIRST_WHILE * 2 ** min(deaths - 1, 20)",
                "FIRST_WHILE",
            ),
        ),
        DEATHS,
    ),
    Mutant(
        "stopped-is-dead",
        "a hook that ignores its stop counts as the death of its process",
        (Edit("wf_core.engine.engine:Engine._stop", "self._isolation.close()", "pass"),),
        DEATHS,
    ),
    Mutant(
        "killer-taken-up-for-ever",
        "a workflow that kills whoever takes it up is taken up again and again",
        (
            Edit(
                "wf_core.engine.isolation:Isolation.kills",
                "if deaths < MAX_DEATHS:",
                "if True:",
            ),
        ),
        DEATHS,
    ),
)
