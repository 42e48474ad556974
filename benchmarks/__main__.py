"""Measure, print each figure beside its budget, write them as JSON. Exit code 1: one was missed."""

import sys
from pathlib import Path

from benchmarks import admitting, durable, memory, parts, saves, scale, startup

PARTS = {
    "saves": saves.measure,
    "durable": durable.measure,
    "scale": scale.measure,
    "admission": admitting.measure,
    "startup": startup.measure,
    "memory": memory.measure,
}

if __name__ == "__main__":
    results = Path(__file__).with_name("results.json")
    sys.exit(parts.run("benchmarks", __doc__, PARTS, results))
