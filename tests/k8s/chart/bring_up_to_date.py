"""`make chart`: writes what the chart has from the code, and what it renders for each case."""

import sys
import tempfile
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[3]
sys.path.insert(0, str(ROOT))


def main() -> None:
    from tests.cluster.binaries import HELM, find
    from tests.k8s.chart_helm import CASES, CHART, Helm, from_the_code, without_definition

    from wf_core.codec import dump_plain

    for name, document in from_the_code().items():
        (CHART / "files" / name).write_text(dump_plain(document))
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
