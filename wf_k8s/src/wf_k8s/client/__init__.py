"""The client of the API server: requests, lists and watches in bytes, with its failures told apart.

`kubernetes.aio` gives configuration, tokens, TLS and the pool; its models, its `Watch` and its
retries are not used.
"""
