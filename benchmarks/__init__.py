"""What the engine costs, each figure beside its budget (`make bench`)."""
