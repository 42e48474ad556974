"""Which controller leads: a Lease says so, and every claim is above its count of transitions."""
