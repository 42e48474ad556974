"""A kind of step that waits for a person: `wf approve` lets it go on, `wf reject` undoes all."""
