"""Exits with 0 if the accounts show what $WF_EXPECT says: all of the transfer, or none."""

import os
import sys

from tests.barrier.addresses import connect

EXPECTED = {
    "all": [("ann", 70), ("bob", 130), ("transit", 0)],
    "none": [("ann", 100), ("bob", 100), ("transit", 0)],
}


def main(address: str) -> int:
    connection = connect(address)
    cursor = connection.cursor()
    cursor.execute("SELECT name, balance FROM account ORDER BY name")
    found = [tuple(row) for row in cursor.fetchall()]
    cursor.close()
    connection.close()
    print(found)
    return int(found != EXPECTED[os.environ["WF_EXPECT"]])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
