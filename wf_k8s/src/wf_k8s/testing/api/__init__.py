"""An API server in memory, for the simulation alone: it does what a real one was seen to do
(patches with tests, versions, finalizers, watches, 410), and what befalls one can be ordered.

It proves nothing of the real one: tests/k8s run the same store against that.
"""
