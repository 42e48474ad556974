"""Steps that run an image as a pod, with another pod for the undo."""
