"""`python -m wf_k8s.testing.simulation --seeds 10000`: play worlds; exit 1 where a rule broke."""

import sys

from wf_core.testing.simulation.__main__ import main
from wf_k8s.testing.simulation import KUBERNETES

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], KUBERNETES))
