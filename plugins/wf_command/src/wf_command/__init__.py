"""Steps for wf that run a local command, with another for the undo."""
