"""When a schedule is due and what follows from that: pure, with the time handed in."""
