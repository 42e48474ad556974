"""The simulation that breaks everything: the shipped engine in random worlds on virtual time.

    played = play(generate(123))   # raises Violation where a rule of design 7 is broken

A seed gives a world (`worlds.generate`): workflows, limits, what hooks do, where processes crash,
what saves meet, what people ask. `play` runs it on one thread in virtual time, checks the rules
(the modules `invariants_*` and `queues`) at every save and every call, and at the end, when all
faults have stopped and people have answered everything, that the world outside is as if all of
each workflow had happened or none of it. I16 (all stores hold the same) is
not checked here: the store contract replays histories on every store.

`python -m wf_core.testing.simulation --seeds 10000` plays many and prints what they met.
"""

from wf_core.testing.simulation.play import Played, play
from wf_core.testing.simulation.shrink import shrink
from wf_core.testing.simulation.trace import Violation
from wf_core.testing.simulation.world import World, from_json, to_json
from wf_core.testing.simulation.worlds import generate

__all__ = ["Played", "Violation", "World", "from_json", "generate", "play", "shrink", "to_json"]
