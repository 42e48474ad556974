"""The pages of reference, each made from the code that it tells of: see `docs.generate`."""
