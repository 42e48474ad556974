"""The store `k8s:`: workflows are custom resources, their state is the status, a save is a patch."""
