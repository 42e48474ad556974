"""A process that runs a step's hook behind the barrier and stands still to be killed, before its
commit or after: `python -m tests.barrier.half_done ADDRESS before|after`."""

import sys

from tests.barrier.addresses import connect
from tests.barrier.bank import add, run_of

from wf_core.barrier import barrier
from wf_core.kinds import Success

SAID = Success(attributes={"by": "the killed one"})


def main(address: str, when: str) -> None:
    connection = connect(address)
    with barrier(run_of("u1"), connection) as passage:
        assert passage.first
        add(connection, "ann", -10)
        passage.answer = SAID
        if when == "before":
            stand_still()
    stand_still()


def stand_still() -> None:
    print("here", flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main(*sys.argv[1:])
