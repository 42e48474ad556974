"""From the `parameters` of a document to a kind's own parameter class.

Only `invalid` is imported with the registry; the rest brings cattrs in, at the first decoding.
"""
