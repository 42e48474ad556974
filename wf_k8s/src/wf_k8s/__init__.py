"""Runs workflows on Kubernetes: the custom resource, its store and its controller."""
