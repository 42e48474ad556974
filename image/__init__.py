"""Images made without a registry and without a builder of images."""
