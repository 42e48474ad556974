"""`wf run --chaos`: an author's real hooks under crashes, failures and late answers.

Every life of the engine is a process of its own on a store of its own (`child`, `lives`); what it
is to meet is decided before it starts, from a seed (`plan`). `trial` drives one run through all its
lives, `campaign` many runs, and `story` tells of the one that broke the promise.
"""
