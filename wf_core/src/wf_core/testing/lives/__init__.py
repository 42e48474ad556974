"""Calls of hooks in processes of their own, which are killed or told to stop as ordered.

`calling` is the side of whoever orders; `nursery` is the process that the others are forked from,
one for each call (`child`), which may die at any of its `boundaries`.
"""
