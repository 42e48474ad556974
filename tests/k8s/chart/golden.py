"""Writes what the chart renders for the values of each case: `python tests/k8s/chart/golden.py`."""

import sys
import tempfile
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[3]
sys.path.insert(0, str(ROOT))


def main() -> None:
    from tests.cluster.binaries import HELM, find
    from tests.k8s.chart_helm import CASES, Helm, without_definition

    program = find(HELM, print)["helm"]
    with tempfile.TemporaryDirectory() as folder:
        helm = Helm(program, Path(folder))
        for case in sorted(CASES.glob("*.values.yaml")):
            rendered = helm.template(values=yaml.safe_load(case.read_text()) or {})
            target = case.with_name(case.name.replace(".values.", ".golden."))
            target.write_text(without_definition(rendered))
            print(f"wrote {target.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
