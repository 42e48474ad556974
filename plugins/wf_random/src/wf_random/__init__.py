"""The demo kind of step for wf: sleeps, fails and is undone as told."""
