"""Ends while it is imported."""

import sys

print("about to go")
sys.stdout.flush()
sys.exit(3)
