"""What every verb with `--store k8s:` pays before it says a word."""

import json
import subprocess
import sys
from pathlib import Path

PROGRAM = """
import asyncio, sys
from wf_k8s.client.access import Access
async def main():
    await (await Access("", sys.argv[1]).open()).close()
asyncio.run(main())
generated = [name for name in sys.modules if name.startswith("kubernetes.")]
print([name for name in generated if ".models." in name or ".api." in name])
"""


def test_reaching_a_cluster_imports_none_of_the_generated_models_and_calls(tmp_path: Path) -> None:
    """They are a thousand modules, and take seconds."""
    kubeconfig = tmp_path / "kubeconfig"
    context = {"name": "here", "context": {"cluster": "here", "user": "me"}}
    kubeconfig.write_text(
        json.dumps(
            {
                "current-context": "here",
                "contexts": [context],
                "clusters": [{"name": "here", "cluster": {"server": "https://127.0.0.1:1"}}],
                "users": [{"name": "me", "user": {"token": "t"}}],
            }
        )
    )
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(kubeconfig)], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
