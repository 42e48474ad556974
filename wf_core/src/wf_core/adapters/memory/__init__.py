"""A store in this process's memory: for trying things out, and for tests in virtual time."""
