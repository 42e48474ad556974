"""`python -m wf_k8s.testing.mutants`: hunt the mutants; exit 1 where one survives."""

import sys

from wf_core.testing.mutants.__main__ import main
from wf_k8s.testing.mutants import AREAS

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], AREAS, "wf_k8s.testing.mutants"))
