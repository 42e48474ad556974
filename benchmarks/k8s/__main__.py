"""Measure on an etcd (with fsync) and a kube-apiserver of our own, print each figure beside its
budget, write them as JSON. Exit code 1: one was missed."""

import sys
from pathlib import Path

from benchmarks import parts
from benchmarks.k8s import added, cached, counted, pods, throughput

PARTS = {
    "requests": counted.measure,
    "added": added.measure,
    "pods": pods.measure,
    "throughput": throughput.measure,
    "cache": cached.measure,
}

if __name__ == "__main__":
    results = Path(__file__).parents[1] / "results-k8s.json"
    sys.exit(parts.run("benchmarks.k8s", __doc__, PARTS, results))
