"""The world outside: what runs have done there, and what undos have taken back.

It is what a good kind makes of it (semantics B2): everything is done under a key, doing it again
does nothing, an undo first ends what is going and leaves a tombstone, and a run that comes after
the tombstone is refused.
"""

import attrs


@attrs.define
class Effect:
    """One key's effect: there from `done_at` on, gone from `undone_at` on (loop's seconds)."""

    done_at: float | None = None
    undone_at: float | None = None


class Outside:
    """Effects by the key of the run."""

    def __init__(self) -> None:
        self._effects: dict[str, Effect] = {}
        self._asked: dict[tuple[str, str], None] = {}

    def act(self, key: str, now: float, lasts: float = 0.0) -> bool:
        """Begin what is there after `lasts` seconds; False: refused, since it was undone."""
        effect = self._effects.setdefault(key, Effect())
        if effect.undone_at is not None:
            return False
        if effect.done_at is None:
            effect.done_at = now + lasts
        return True

    def undo(self, key: str, now: float, lasts: float = 0.0) -> None:
        """Begin to take it back, done after `lasts` seconds; what is going ends at once."""
        effect = self._effects.setdefault(key, Effect())
        if effect.done_at is not None and effect.done_at > now:
            effect.done_at = None
        if effect.undone_at is None:
            effect.undone_at = now + lasts

    def there(self, key: str, now: float) -> bool:
        """Whether the effect is there."""
        effect = self._effects.get(key)
        return (
            effect is not None and _past(effect.done_at, now) and not _past(effect.undone_at, now)
        )

    def done(self, key: str, now: float) -> bool:
        """Whether what was begun is there, or was once."""
        effect = self._effects.get(key)
        return effect is not None and _past(effect.done_at, now)

    def ask(self, key: str, purpose: str) -> None:
        """Ask a person about it, who answers once it is done."""
        self._asked[key, purpose] = None

    def asks(self, key: str, purpose: str) -> bool:
        """Whether a person was asked about it."""
        return (key, purpose) in self._asked

    def undone(self, key: str, now: float) -> bool:
        """Whether what was begun is taken back."""
        effect = self._effects.get(key)
        return effect is not None and _past(effect.undone_at, now)


def _past(at: float | None, now: float) -> bool:
    return at is not None and at <= now
