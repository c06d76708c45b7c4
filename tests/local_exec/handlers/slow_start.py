"""Takes longer to import than an init may last, unless a file says that it was slow before."""
# ruff: noqa: PTH110, PTH123

import os
import time

if not os.path.exists("/tmp/was-slow"):
    open("/tmp/was-slow", "w").close()
    time.sleep(60)


def handler(event, context):
    return "ready"
