"""A step for wf that greets somebody on a card."""
