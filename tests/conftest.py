"""Nothing that the machine's owner keeps is read: prices are the bundled ones."""

import os

os.environ["XDG_DATA_HOME"] = "/nonexistent"
