"""The distribution that `wf plugin new` writes: its names, its files, and what stands in them."""
