"""The saga machine: pure, table-driven, incremental. No clock, no IO, no randomness."""
