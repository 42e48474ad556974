"""Steps that are HTTP requests, with another request for the undo."""
