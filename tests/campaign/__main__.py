"""`make campaign`: workflows on a real API server while everything around them breaks."""

import argparse
import sys
import tempfile
from pathlib import Path

from tests.campaign.campaign import Plan, run
from tests.cluster.binaries import CONTROL_PLANE, AssetMissingError, UnavailableError, find


def main() -> int:
    """Run one campaign and print what it came to."""
    parser = argparse.ArgumentParser(prog="python -m tests.campaign", description=__doc__)
    parser.add_argument("--workflows", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--patience", type=float, default=3600.0, help="seconds until it is hung")
    options = parser.parse_args()
    try:
        programs = find(CONTROL_PLANE, lambda text: print(text, file=sys.stderr, flush=True))
    except (UnavailableError, AssetMissingError) as error:
        print(error, file=sys.stderr)
        return 1
    folder = Path(tempfile.mkdtemp(prefix="wf-campaign-"))
    print(f"its logs: {folder}", flush=True)
    report = run(Plan(options.workflows, options.seed, patience=options.patience), programs, folder)
    print(report)
    return 1 if report.faults else 0


if __name__ == "__main__":
    sys.exit(main())
