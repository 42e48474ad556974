"""The configuration that operators write."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest
import yaml

from wf_core import config
from wf_core.config import (
    CallbackConfig,
    Ceilings,
    Config,
    ControllerConfig,
    Floors,
    NamespaceLimits,
    QueueConfig,
    QueueLimits,
    ShareBy,
    StepConfig,
    Strategy,
    Ttl,
)
from wf_core.errors import ConfigInvalid

OPERATORS_FILE = """\
namespace: workflow-system
throttleQPS: 100              # requests a second to the API server, all kinds together
idleTimeoutMillSeconds: 200000  # idle HTTP connections are closed after this
rpcTimeoutMillSeconds: 5000     # one API or callback request may take this long
controllerConfig:
  syncTimeout: 1m
  concurrency: 30             # hook calls at once
  queue:
    strategy: FIFO            # by creation time; FAIR: fair between queues
    maxRunningCount: 100      # workflows running at once
  steps:
  - kind: random
    qps: 1                    # hook calls a second of this kind
    concurrency: 10
    syncTimeout: 1m
"""

EVERY_KEY = """\
namespace: ns
throttleQPS: 7.5
idleTimeoutMillSeconds: 11
rpcTimeoutMillSeconds: 12
controllerConfig:
  syncTimeout: 13
  concurrency: 14
  grace: 15s
  workflowMemory: 512
  queue:
    strategy: FAIR
    maxRunningCount: 16
    queues:
      a:
        weight: 2.5
        maxRunningCount: 17
        ttlSecondsAfterFinished: {success: 20, rollBacked: 0, failed: 1d}
        namespaces: [n, other]
    shareBy: queue
    maxRunningCountPerNamespace: 22
    namespaces:
      n: {weight: 0.5, maxRunningCount: 23}
  sharePermits: true
  floors: {retryPeriod: 24}
  ceilings: {timeout: 25, retryLimit: 26}
  ttlSecondsAfterFinished: {success: 21, rollBacked: 1d12h, failed: 0}
  steps:
  - {kind: k, qps: 0.5, concurrency: 18, maxActive: 19, syncTimeout: 1h1m1s1ms}
callbacks:
  allowedHosts: [one.example.com, two.example.com]
  secretFile: secret
  oldSecretFile: older
  publicOnly: true
  giveUpAfter: 2h
  giveUpAfterDeletion: 90
"""

EVERYTHING = Config(
    namespace="ns",
    throttle_qps=7.5,
    idle_timeout_mill_seconds=11,
    rpc_timeout_mill_seconds=12,
    controller_config=ControllerConfig(
        sync_timeout=13.0,
        concurrency=14,
        grace=15.0,
        workflow_memory=512,
        queue=QueueConfig(
            Strategy.FAIR,
            16,
            {"a": QueueLimits(2.5, 17, Ttl(20.0, 0.0, 86_400.0), ("n", "other"))},
            ShareBy.QUEUE,
            22,
            {"n": NamespaceLimits(0.5, 23)},
        ),
        share_permits=True,
        floors=Floors(24.0),
        ceilings=Ceilings(25.0, 26),
        steps=(StepConfig("k", 0.5, 18, 19, 3661.001),),
        ttl=Ttl(21.0, 129_600.0, 0.0),
    ),
    callbacks=CallbackConfig(
        ("one.example.com", "two.example.com"), "secret", 7200.0, 90.0, True, "older"
    ),
)


def faults(text: str) -> list[str]:
    """What is wrong with a text, a line a fault."""
    with pytest.raises(ConfigInvalid) as caught:
        config.parse(text, "wf.yaml")
    lines = str(caught.value).splitlines()
    assert all(line.startswith("wf.yaml: ") for line in lines)
    return [line.removeprefix("wf.yaml: ") for line in lines]


def test_the_file_that_operators_have_loads_word_for_word() -> None:
    expected = Config(
        controller_config=ControllerConfig(steps=(StepConfig("random", 1.0, 10, None, 60.0),))
    )
    assert config.parse(OPERATORS_FILE, "wf.yaml") == expected


def test_defaults_are_those_the_operators_know() -> None:
    default = Config()
    assert default.namespace == "workflow-system"
    assert default.throttle_qps == 100
    assert default.idle_timeout_mill_seconds == 200_000
    assert default.rpc_timeout_mill_seconds == 5_000
    assert default.controller_config.sync_timeout == 60
    assert default.controller_config.concurrency == 30
    assert default.controller_config.queue == QueueConfig(Strategy.FIFO, 100, {})
    assert default.callbacks == CallbackConfig(None, None, 86_400, 600)


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n", "{}"])
def test_a_file_that_sets_nothing_gives_the_defaults(text: str) -> None:
    assert config.parse(text, "wf.yaml") == Config()


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, object]]:
    """Every single value of a configuration with the path of its fields."""
    if attrs.has(type(value)):
        for field in attrs.fields(type(value)):
            yield from leaves(getattr(value, field.name), f"{path}.{field.name}")
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from leaves(inner, f"{path}.{name}")
    elif isinstance(value, tuple) and value and attrs.has(type(value[0])):
        yield from leaves(value[0], f"{path}[0]")
    else:
        yield path, value


def test_seed_fault_16_every_key_is_read() -> None:
    parsed = config.parse(EVERY_KEY, "wf.yaml")
    assert parsed == EVERYTHING
    bare = Config(
        controller_config=ControllerConfig(
            queue=QueueConfig(queues={"a": QueueLimits()}, namespaces={"n": NamespaceLimits()}),
            steps=(StepConfig("other"),),
        )
    )
    unchanged = dict(leaves(bare))
    # A new field that the text above does not set is a field that nobody has shown to be read.
    assert not [path for path, value in leaves(parsed) if unchanged[path] == value]


@pytest.mark.parametrize("value", [Config(), EVERYTHING])
def test_what_is_shown_can_be_read_again(value: Config) -> None:
    shown = yaml.safe_dump(config.to_document(value))
    assert config.parse(shown, "wf.yaml") == value


def test_seed_fault_14_an_explicit_zero_is_kept_where_zero_means_something() -> None:
    parsed = config.parse(
        """\
idleTimeoutMillSeconds: 0
controllerConfig:
  grace: 0
  queue: {maxRunningCount: 0, queues: {a: {maxRunningCount: 0}}}
  ttlSecondsAfterFinished: {success: 0}
callbacks: {allowedHosts: [], giveUpAfter: 0, giveUpAfterDeletion: 0s}
""",
        "wf.yaml",
    )
    assert parsed.idle_timeout_mill_seconds == 0
    assert parsed.controller_config.grace == 0
    assert parsed.controller_config.queue.max_running_count == 0
    assert parsed.controller_config.queue.queues["a"].max_running_count == 0
    assert parsed.controller_config.ttl == Ttl(success=0)
    assert parsed.callbacks == CallbackConfig((), None, 0, 0)


@pytest.mark.parametrize("zero", ["0", "-1", "false"])
def test_seed_fault_14_where_zero_and_false_mean_nothing_they_are_refused(zero: str) -> None:
    found = faults(
        f"""\
throttleQPS: {zero}
rpcTimeoutMillSeconds: {zero}
controllerConfig:
  syncTimeout: {zero}
  concurrency: {zero}
  queue: {{queues: {{a: {{weight: {zero}}}}}}}
  steps:
  - {{kind: k, qps: {zero}, concurrency: {zero}, maxActive: {zero}, syncTimeout: {zero}}}
"""
    )
    steps = "$.controllerConfig.steps[0]"
    assert [line.partition(": ")[0] for line in found] == [
        "$.throttleQPS",
        "$.rpcTimeoutMillSeconds",
        "$.controllerConfig.syncTimeout",
        "$.controllerConfig.concurrency",
        "$.controllerConfig.queue.queues.a.weight",
        f"{steps}.qps",
        f"{steps}.concurrency",
        f"{steps}.maxActive",
        f"{steps}.syncTimeout",
    ]
    assert all(f"'{zero}' is " in line for line in found)


def test_all_faults_are_named_at_once_with_path_place_and_nearest_name() -> None:
    assert faults(
        """\
namespce: x
throttleQPS: many
controllerConfig:
  concurency: 3
  concurrency: 1.5
  syncTimeout: 1x
  queue:
    strategy: FAR
    queues: {a: {wait: 2}, b: 3}
  steps:
  - {qps: 1}
  - k
callbacks:
  allowedHosts: localhost
  zzz:
"""
    ) == [
        "$.namespce: unknown key; did you mean 'namespace'? (line 1, column 1)",
        "$.throttleQPS: 'many' is not a number (line 2, column 1)",
        "$.controllerConfig.concurency: unknown key; did you mean 'concurrency'? "
        "(line 4, column 3)",
        "$.controllerConfig.concurrency: '1.5' is not a whole number (line 5, column 3)",
        "$.controllerConfig.syncTimeout: '1x' is not a duration such as 90, 90s, 1h30m or 500ms "
        "(line 6, column 3)",
        "$.controllerConfig.queue.strategy: 'FAR' is none of FIFO, FAIR (line 8, column 5)",
        "$.controllerConfig.queue.queues.a.wait: unknown key; did you mean 'weight'? "
        "(line 9, column 18)",
        "$.controllerConfig.queue.queues.b: must be a mapping of keys (line 9, column 28)",
        "$.controllerConfig.steps[0].kind: is missing (line 11, column 5)",
        "$.controllerConfig.steps[1]: must be a mapping of keys (line 12, column 5)",
        "$.callbacks.allowedHosts: must be a list (line 14, column 3)",
        "$.callbacks.zzz: unknown key; known here: allowedHosts, secretFile, giveUpAfter, "
        "giveUpAfterDeletion, publicOnly, oldSecretFile (line 15, column 3)",
    ]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (
            "namespace:",
            "$.namespace: has no value; write one, or leave the key out for the default",
        ),
        ("namespace: ''", "$.namespace: '' is empty"),
        ("namespace: [a]", "$.namespace: must be a single value"),
        ("callbacks: {allowedHosts: [[a]]}", "$.callbacks.allowedHosts[0]: must be a single value"),
        ("controllerConfig: {queue: {queues: []}}", "must be a mapping of keys"),
        (
            "controllerConfig: {ttlSecondsAfterFinished: 60}",
            "$.controllerConfig.ttlSecondsAfterFinished: must be a mapping of keys",
        ),
        (
            "controllerConfig: {ttlSecondsAfterFinished: {rolledBack: 60}}",
            "unknown key; did you mean 'rollBacked'?",
        ),
        (
            "controllerConfig: {ttlSecondsAfterFinished: {failed: -1}}",
            "failed: '-1' is too small: the least is 0",
        ),
        ("controllerConfig: {steps: {}}", "$.controllerConfig.steps: must be a list"),
        ("- a", "$: must be a mapping of keys (line 1, column 1)"),
        ("a", "$: must be a mapping of keys"),
        ("namespace: !Secret x", "$.namespace: has the tag !Secret, which means nothing here"),
        ("namespace: x\nnamespace: y", "$.namespace: stands here again; the first is in line 1"),
        ("controllerConfig: {steps: [{kind: a}, {kind: a}]}", "'a' is limited by steps[0] already"),
        ("? [a]\n: b", "$: has a key that is no plain text"),
        ("callbacks: &c {allowedHosts: *c}", "an alias stands inside what it names"),
        ("a: b: c", "$: is not YAML: mapping values are not allowed here (line 1, column 5)"),
        ("a: 'b", "is not YAML: found unexpected end of stream"),
        ("a: \x07", "$: is not YAML: unacceptable character"),
        ("a: 1\n---\nb: 2", "is not YAML: but found another document"),
    ],
)
def test_a_fault_is_named(text: str, fault: str) -> None:
    assert any(fault in line for line in faults(text)), faults(text)


def test_an_alias_may_be_used_where_it_is_no_circle() -> None:
    text = "controllerConfig: {queue: {queues: {a: &low {weight: 0.5}, b: *low}}}"
    queues = config.parse(text, "wf.yaml").controller_config.queue.queues
    assert queues == {"a": QueueLimits(0.5), "b": QueueLimits(0.5)}


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("20", 20.0),
        ("'20'", 20.0),
        ("1.5", 1.5),
        ("1e1", 10.0),
        ("1m", 60.0),
        ("90s", 90.0),
        ("1h30m", 5400.0),
        ("500ms", 0.5),
        ("1.5h", 5400.0),
        ("7d", 604_800.0),
        ("1d12h", 129_600.0),
    ],
)
def test_durations_are_numbers_of_seconds_or_have_units(text: str, seconds: float) -> None:
    parsed = config.parse(f"callbacks: {{giveUpAfter: {text}}}", "wf.yaml")
    assert parsed.callbacks.give_up_after == seconds


@pytest.mark.parametrize("text", ["1:30", "1w", "m", "''", "30m1h", "1 m", "nan", ".inf", "-1s"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    assert "is not a duration" in faults(f"callbacks: {{giveUpAfter: {text}}}")[0]


def test_bounds_hold_for_values_made_in_code() -> None:
    with pytest.raises(ValueError, match="must be more than 0"):
        StepConfig("k", qps=0)
    with pytest.raises(ValueError, match="the least is 1"):
        ControllerConfig(concurrency=0)
    with pytest.raises(ValueError, match="must be more than 0"):
        QueueLimits(weight=float("nan"))


def test_a_file_is_read_and_named_in_its_faults(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text("namespace: mine\n", encoding="utf-8")
    assert config.load(file) == Config("mine")
    file.write_text("x: 1\n", encoding="utf-8")
    with pytest.raises(ConfigInvalid, match=f"^{file}: "):
        config.load(file)


def test_a_file_that_can_not_be_read_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigInvalid, match="no such file; create it"):
        config.load(tmp_path / "none.yaml")
    with pytest.raises(ConfigInvalid, match="can't be read"):
        config.load(tmp_path)
    (tmp_path / "binary").write_bytes(b"\xff")
    with pytest.raises(ConfigInvalid, match="is not UTF-8"):
        config.load(tmp_path / "binary")
