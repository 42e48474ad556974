"""The ports on a real machine: SQLite, memory, threads, the clock. Only here is IO."""
