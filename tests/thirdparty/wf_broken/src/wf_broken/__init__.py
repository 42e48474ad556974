"""A plugin for wf that cannot be imported."""
