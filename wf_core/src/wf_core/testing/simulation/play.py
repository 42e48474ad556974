"""Plays a world: the shipped engine in virtual time, everything that goes wrong, and then the calm,
in which the world must come to rest as if all or nothing had happened.
"""

import asyncio
import contextlib
import logging
from collections.abc import Iterator, Mapping

import attrs

from wf_core.config.values import Ceilings
from wf_core.errors import EngineError
from wf_core.model.phases import RequestType
from wf_core.model.spec import Key
from wf_core.testing.simulation.memory import MEMORY
from wf_core.testing.simulation.observer import Observer
from wf_core.testing.simulation.people import People
from wf_core.testing.simulation.process import Process
from wf_core.testing.simulation.stage import Stage
from wf_core.testing.simulation.storage import Setup
from wf_core.testing.simulation.trace import Violation
from wf_core.testing.simulation.world import Happening, Submission, Trouble, What, World
from wf_core.testing.virtual_time import VirtualTimeError, run

_ROUND = 30.0
_ROUNDS = 400
"""Rounds of `_ROUND` seconds in which people answer what is blocked after all faults."""
_STILL = 900.0
"""Seconds for which a world at rest is watched: nothing may be saved in them."""
_MAX_TURNS = 200_000


@attrs.frozen
class Played:
    """A play that broke no rule: the hash and the lines of its trace, and what it met."""

    seed: int
    digest: str
    timeline: tuple[str, ...]
    met: Mapping[str, int]


def play(world: World, setup: Setup = MEMORY) -> Played:
    """Play a world from start to rest. Raises `Violation` with the timeline."""
    played: list[Stage] = []
    try:
        run(_Play(world, setup, played).whole(), max_turns=_MAX_TURNS)
    except Violation as violation:
        raise _told(violation, world, played) from None
    except (VirtualTimeError, Exception) as error:
        found = Violation("SHELL", f"{type(error).__name__}: {error}")
        raise _told(found, world, played) from error
    stage = played[0]
    return Played(
        world.seed, stage.trace.digest(), tuple(stage.trace.lines), dict(stage.coverage.counts)
    )


def _told(violation: Violation, world: World, played: list[Stage]) -> Violation:
    violation.seed = world.seed
    violation.timeline = tuple(played[0].trace.lines) if played else ()
    return violation


class _Play:
    """One play; `played` gets the stage as soon as there is one."""

    def __init__(self, world: World, setup: Setup, played: list[Stage]) -> None:
        self._world = world
        self._setup = setup
        self._played = played

    async def whole(self) -> None:
        """Everything: trouble, calm, rest, the end."""
        self._stage = stage = Stage(self._world)
        self._played.append(stage)
        self._observer = Observer(stage)
        stage.storage = self._setup.storage(stage, self._observer)
        self._people = People(stage, self._observer)
        stage.lone = self._world.operator.engines == 1 and not any(
            each.what is What.TAKE_OVER for each in self._world.happenings
        )
        supervisor = asyncio.create_task(self._supervise())
        with _faults_of_the_engine(stage):
            try:
                await self._trouble()
                await self._rest()
                if stage.violation is None:
                    self._observer.at_rest()
                    wrong = await stage.storage.mistaken()
                    if wrong is not None:
                        stage.broken("I16", wrong)
                    await self._end()
            finally:
                supervisor.cancel()
                for process in stage.processes:
                    process.kill()
                    await process.gone()
        if stage.violation is not None:
            raise stage.violation

    async def _trouble(self) -> None:
        """What the world says happens, in order, until its calm."""
        world, stage = self._world, self._stage
        for _ in range(world.operator.engines):
            self._launch()
        todo: list[Submission | Happening | Trouble] = sorted(
            [*world.submissions, *world.happenings, *world.troubles], key=lambda each: each.at
        )
        for each in todo:
            await asyncio.sleep(max(0.0, each.at - stage.now))
            if stage.violation is not None:
                return
            if isinstance(each, Submission):
                await self._submit(each)
            elif isinstance(each, Trouble):
                stage.met(f"trouble {each.what}")
                stage.note(f"TROUBLE {each.what} {each.workflow} ({each.seconds:g} s)")
                await stage.storage.befall(each)
            else:
                await self._happen(each)
        await asyncio.sleep(max(0.0, world.calm_at - stage.now))

    async def _submit(self, each: Submission) -> None:
        stage, metadata = self._stage, each.workflow.metadata
        key = Key(metadata.namespace, metadata.name)
        stage.note(f"people submit {key}")
        stored = await stage.storage.people.create(each.workflow, stage.wall)
        self._observer.submitted(key, stored.workflow)
        if not self._world.operator.serves:
            for process in stage.alive:
                process.adopt(key)

    async def _happen(self, each: Happening) -> None:
        stage = self._stage
        key = self._world.key(each.workflow)
        stage.met(f"happening {each.what}")
        match each.what:
            case What.REQUEST:
                await self._people.ask(key, each.type or RequestType.CANCEL, each.step)
            case What.HELP:
                await self._people.help(key, each.pick)
            case What.DELETE:
                await self._people.delete(key)
            case What.CLOCK_JUMP:
                stage.clock_offset += each.seconds
                stage.note(f"the wall clock jumps by {each.seconds:g} s")
            case What.STORE_AWAY:
                stage.store_away_until = stage.now + each.seconds
                stage.note(f"the store is away for {each.seconds:g} s")
            case What.RECEIVER_DOWN:
                stage.receiver_down_until = stage.now + each.seconds
                stage.note(f"receivers are down for {each.seconds:g} s")
            case _ if stage.alive:
                await self._happen_to(stage.alive[0], each, key)

    async def _happen_to(self, process: Process, each: Happening, key: Key) -> None:
        match each.what:
            case What.WAKE:
                process.start(self._wake(process, key, each.step or ""))
            case What.CRASH:
                process.kill()
                await process.gone()
            case What.STOP:
                self._stage.detached(process.stop())
            case What.TAKE_OVER:
                self._take_over(process)

    async def _wake(self, process: Process, key: Key, step: str) -> None:
        process.engine.wake(key, step)

    def _take_over(self, process: Process) -> None:
        """The ownership of a process is void without its knowing, and another one starts."""
        self._stage.note(f"p{process.number} loses what it owns and does not know")
        process.zombie = True
        self._stage.storage.usurp(process)
        self._launch()

    def _launch(self) -> None:
        process = Process(self._stage, self._observer)
        self._stage.processes.append(process)
        self._stage.changed_at = self._stage.now
        process.begin()

    async def _supervise(self) -> None:
        """Start another process for one that died, after a while."""
        stage = self._stage
        while True:
            await stage.died.wait()
            stage.died.clear()
            if len(stage.alive) < self._world.operator.engines:
                await asyncio.sleep(self._world.operator.restart)
                while len(stage.alive) < self._world.operator.engines:
                    self._launch()

    # The calm after all faults

    async def _rest(self) -> None:
        """Nothing goes wrong any more, people answer everything: it must come to rest (I10)."""
        stage = self._stage
        stage.note("-- calm: faults stop, hooks return, people answer what is blocked")
        stage.calm.set()
        # What was held back comes now: who could not read the store until now begins now.
        stage.changed_at = stage.now
        stage.store_away_until = stage.receiver_down_until = 0.0
        stage.storage.calm()
        for process in stage.alive:
            lifted = not self._world.operator.serves and process.ceilings != Ceilings()
            if process.lacking or process.zombie or lifted:
                await self._replace(process)
        for _ in range(_ROUNDS):
            await asyncio.sleep(_ROUND)
            if stage.violation is not None:
                return
            settled = stage.now - stage.changed_at > 2 * _ROUND
            if await self._people.help_all() and settled and stage.alive:
                break
            await self._restart_after_engine_faults()
        else:
            stage.broken("I10", f"no rest: {self._people.what_moves()}")
            return
        saves = stage.saves
        await asyncio.sleep(_STILL)
        if stage.saves != saves:
            stage.broken("I10", f"{stage.saves - saves} saves after everything came to rest")

    async def _restart_after_engine_faults(self) -> None:
        """A save that the store called invalid leaves its workflow alone until the next start."""
        for process in self._stage.alive:
            if process.invalid:
                await self._replace(process)

    async def _replace(self, process: Process) -> None:
        await process.stop()
        await process.gone()

    async def _end(self) -> None:
        """Engines that stop in good order leave no claim behind (C5)."""
        stage = self._stage
        for process in stage.alive:
            await process.stop()
        wrong = stage.storage.left_claimed()
        if wrong is not None:
            stage.broken("C5", wrong)


@contextlib.contextmanager
def _faults_of_the_engine(stage: Stage) -> Iterator[None]:
    """The engine logs its own faults and goes on; to the simulation each is a violation."""
    logger = logging.getLogger("wf")
    listener = _Listener(stage)
    propagate = logger.propagate
    logger.propagate = False
    logger.addHandler(listener)
    try:
        yield
    finally:
        logger.removeHandler(listener)
        logger.propagate = propagate


class _Listener(logging.Handler):
    def __init__(self, stage: Stage) -> None:
        super().__init__(logging.ERROR)
        self._stage = stage

    def emit(self, record: logging.LogRecord) -> None:
        if not record.exc_info or record.exc_info[1] is None:
            return
        error = record.exc_info[1]
        if isinstance(error, EngineError) and str(error).startswith("the store refused a save"):
            return  # the world said so
        import traceback

        place = traceback.extract_tb(error.__traceback__)
        where = " < ".join(f"{f.name}:{f.lineno}" for f in reversed(place[-4:]))
        self._stage.broken("SHELL", f"{type(error).__name__}: {error} ({where})")
