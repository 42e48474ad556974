"""Telling a workflow's receiver over HTTP what happened (semantics F)."""

from wf_core.callbacks.body import body, wanted
from wf_core.callbacks.http import HttpSender

__all__ = ["HttpSender", "body", "wanted"]
