"""The machine's clock."""

import time

import pytest

from wf_core.adapters.clock import SystemClock


def test_it_tells_the_wall_time() -> None:
    before = time.time()
    now = SystemClock().now()
    assert before - 1 <= now <= time.time() + 1


def test_setting_the_wall_clock_moves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = SystemClock()
    first = clock.now()
    monkeypatch.setattr(time, "time", lambda: 0.0)
    assert first <= clock.now() < first + 60


def test_it_goes_on_with_monotonic_time(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = iter([100.0, 107.5])
    monkeypatch.setattr(time, "monotonic", lambda: next(ticks))
    monkeypatch.setattr(time, "time", lambda: 1_000_000.0)
    assert SystemClock().now() == 1_000_007.5
