"""The controller: one process that runs the workflows of a cluster while it leads."""
