"""The store `k8s:`: a workflow is a custom resource, its state the status, a save a patch."""
