"""How long a test waits for what must come."""

PATIENCE = 240.0
"""Seconds. This bounds what hangs and says nothing of how fast anything is: no load reaches it. It
is less than what pytest allows a test, so that the one who waits says what did not come."""
