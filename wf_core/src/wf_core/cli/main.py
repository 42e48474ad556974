"""The entry point. `wf --version` is answered before anything else is imported."""

import sys


def main() -> int:
    """Run the command line of this process; the exit code (`wf_core.cli.exits`)."""
    arguments = sys.argv[1:]
    if arguments in (["--version"], ["-V"]):
        from importlib.metadata import version

        print(f"wf {version('wf-core')}")
        return 0
    from wf_core.cli.app import run

    return run(arguments)


if __name__ == "__main__":
    sys.exit(main())
