"""Random graphs: which steps each step comes after, by index. Edges point to smaller indices."""

from random import Random

Graph = tuple[tuple[int, ...], ...]
_SIZES = (1, 1, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 5, 5, 6, 7, 8, 10, 12)
_LARGE = 0.03


def random_graph(chance: Random) -> Graph:
    """A chain, a fan, a diamond, layers or a random graph of 1 to 60 steps, mostly small."""
    size = chance.randint(12, 60) if chance.random() < _LARGE else chance.choice(_SIZES)
    return chance.choice((_chain, _fan, _diamond, _layers, _sparse))(chance, size)


def _chain(_: Random, size: int) -> Graph:
    return tuple((i - 1,) if i else () for i in range(size))


def _fan(_: Random, size: int) -> Graph:
    return tuple((0,) if i else () for i in range(size))


def _diamond(_: Random, size: int) -> Graph:
    middle = range(1, size - 1)
    return tuple(
        () if i == 0 else (0,) if i in middle else (tuple(middle) or (0,)) for i in range(size)
    )


def _layers(chance: Random, size: int) -> Graph:
    layer = [0]
    for _ in range(size - 1):
        layer.append(layer[-1] + (chance.random() < 0.4))
    return tuple(
        tuple(j for j in range(i) if layer[j] == layer[i] - 1 and chance.random() < 0.7)
        for i in range(size)
    )


def _sparse(chance: Random, size: int) -> Graph:
    return tuple(
        tuple(sorted(chance.sample(range(i), min(i, chance.choice((0, 1, 1, 2))))))
        for i in range(size)
    )
