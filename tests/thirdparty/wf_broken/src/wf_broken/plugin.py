"""What the entry point names. It needs a library that this machine does not have."""

raise ImportError("libshatter.so.3: cannot open shared object file: No such file or directory")
