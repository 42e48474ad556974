"""Who this process runs as."""

import os
import pwd


def account() -> str:
    """The name of the machine's account; its number where it has no name.

    Not what the environment says: that is anybody's to set.
    """
    uid = os.getuid()
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:  # as in a container
        return f"uid {uid}"
