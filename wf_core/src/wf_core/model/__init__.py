"""Frozen values: what a user writes (`spec`), what is saved (`state`), what people ask."""
