"""The engine with the real adapters."""

import asyncio
import logging
import time
from collections.abc import Iterable
from pathlib import Path

import pytest
from tests.core.callbacks.receiver import answers, receiving

from wf_core.config import CallbackConfig, Config
from wf_core.engine import local
from wf_core.errors import DocumentInvalid, StoreUnavailable
from wf_core.kinds import StepCall, StepKind
from wf_core.library import resume, run
from wf_core.model.phases import Phase
from wf_core.model.spec import Callback, Key, TimeToLive
from wf_core.model.state import Stored
from wf_core.plugins import Registry
from wf_core.testing.bench import chain


class Quick(StepKind):
    name = "quick"

    def run(self, call: StepCall) -> None:
        call.folder.joinpath("made").write_text(call.key)
        call.checkpoint()

    def rollback(self, call: StepCall) -> None:
        del call


class Stubborn(StepKind):
    name = "stubborn"

    def run(self, call: StepCall) -> None:
        del call
        time.sleep(0.4)

    def rollback(self, call: StepCall) -> None:
        del call


class Needy(StepKind):
    name = "needy"

    def run(self, call: StepCall) -> None:
        raise AssertionError(f"{call.step} must not begin")

    def rollback(self, call: StepCall) -> None:
        del call

    def lacks(self, parameters: object, *, namespace: str) -> Iterable[str]:  # noqa: ARG002
        yield f"no lamp for {namespace}"


def test_c8_what_an_engine_lacks_is_found_at_admission_before_any_step_begins() -> None:
    registry = local.registry_of([Needy(), Quick()])

    async def story() -> Stored:
        async with local.open_engine("memory:", None, registry) as engine:
            stored = await engine.create(chain("a", "b", kind="needy"))
            serving = asyncio.ensure_future(engine.serve())
            await asyncio.sleep(0)  # it serves from its first turn on
            ended = await engine.wait(Key("default", stored.workflow.metadata.name))
            await engine.stop()
            await serving
            return ended

    ended = asyncio.run(story())
    assert ended.head.phase is Phase.FAILED
    assert "no lamp for default" in (ended.head.error or "")
    assert [step.attempt for step in ended.steps] == [0, 0]


def test_c8_a_kind_that_fails_to_look_for_what_it_needs_says_so() -> None:
    class Broken(Needy):
        def lacks(self, parameters: object, *, namespace: str) -> Iterable[str]:  # noqa: ARG002
            raise ValueError("oops")

    with pytest.raises(DocumentInvalid, match="failed to look for what it needs: ValueError: oops"):
        run(chain("a", kind="needy"), plugins=[Broken()])


def test_the_addresses_follow_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    env = {"XDG_STATE_HOME": str(tmp_path)}
    assert local.state_folder(env) == tmp_path / "wf"
    assert local.default_store(env) == f"sqlite:{tmp_path / 'wf' / 'wf.db'}"
    assert local.default_store({"WF_STORE": "memory:"}) == "memory:"
    assert local.hook_folder("memory:", env) == tmp_path / "wf" / "steps"
    assert local.hook_folder(f"sqlite:{tmp_path}/x.db", env) == tmp_path / "x.db.steps"
    monkeypatch.setenv("HOME", str(tmp_path))
    assert local.state_folder({}) == tmp_path / ".local" / "state" / "wf"


@pytest.mark.parametrize("store", ["memory:", "sqlite:{}/wf.db"])
def test_a_workflow_runs_on_each_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, store: str
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    result = run(chain("a", "b", kind="quick"), plugins=[Quick()], store=store.format(tmp_path))
    assert result.head.phase is Phase.SUCCESS
    assert len(list(tmp_path.rglob("made"))) == 2


def test_an_unknown_kind_is_refused_before_anything_runs_and_the_claim_is_free(
    tmp_path: Path,
) -> None:
    store = f"sqlite:{tmp_path}/wf.db"
    with pytest.raises(DocumentInvalid, match="quick"):
        run(chain("a", kind="quick"), plugins=[Stubborn()], store=store)
    assert resume("order", plugins=[Quick()], store=store).head.phase is Phase.SUCCESS


def test_a_store_that_cannot_be_opened_says_what_to_do() -> None:
    with pytest.raises(StoreUnavailable, match="install"):
        run(chain("a", kind="quick"), plugins=[Quick()], store="nothing:here")


def test_a_hook_that_ignores_the_stop_keeps_the_store_open(
    caplog: pytest.LogCaptureFixture,
) -> None:
    from wf_core.config.values import ControllerConfig

    config = Config(controller_config=ControllerConfig(grace=0.05))
    registry = local.registry_of([Stubborn()])

    async def story() -> None:
        async with local.open_engine("memory:", config, registry) as engine:
            await engine.create(chain("a", kind="stubborn"))
            await engine.adopt(Key("default", "order"))
            await asyncio.sleep(0.1)
        with caplog.at_level(logging.WARNING):
            busy = [engine.busy]
        await engine.store.load(Key("default", "order"))
        await asyncio.sleep(0.5)
        busy.append(engine.busy)
        assert busy == [True, False]
        await engine.store.close()

    asyncio.run(story())
    assert "claimed until the process ends" in caplog.text


@pytest.mark.parametrize("store", ["memory:", "sqlite:{}/wf.db"])
def test_what_is_over_age_goes_from_each_store_while_it_is_served(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, store: str
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    registry = local.registry_of([Quick()])
    brief = chain("a", kind="quick", ttl_seconds_after_finished=TimeToLive(success=0.05))

    async def story() -> None:
        async with local.open_engine(store.format(tmp_path), None, registry) as engine:
            serving = asyncio.ensure_future(engine.serve())
            await engine.create(brief)
            async with asyncio.timeout(20):
                while (await engine.store.list()).rows:
                    await asyncio.sleep(0.01)
            await engine.stop()
            await serving

    asyncio.run(story())


def test_what_is_installed_is_taken_where_no_plugins_are_given() -> None:
    assert isinstance(local.registry_of(None), Registry)


def test_f_callbacks_are_signed_at_what_the_machines_clock_says_now(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A receiver refuses what is five minutes off. The machine was asleep, or its clock was set."""
    (tmp_path / "secret").write_text("wfmaster_c2VjcmV0")
    config = Config(callbacks=CallbackConfig(secret_file=str(tmp_path / "secret")))
    registry = local.registry_of([Quick()])
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    real = time.time

    async def story() -> list[int]:
        async with receiving(answers(200)) as receiver:
            async with local.open_engine("memory:", config, registry) as engine:
                monkeypatch.setattr(time, "time", lambda: real() + 3600)
                await engine.create(chain("a", kind="quick", callback=Callback(receiver.url())))
                await engine.adopt(Key("default", "order"))
                await engine.wait(Key("default", "order"))
            return [int(each.headers["webhook-timestamp"]) for each in receiver.got]

    before = real()
    signed = asyncio.run(story())
    assert signed
    assert min(signed) - before >= 3599
