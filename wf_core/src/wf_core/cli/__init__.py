"""The command line `wf`."""
