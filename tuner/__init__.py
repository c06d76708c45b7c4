"""How much memory should an AWS Lambda function have, and should it be on Lambda at all?"""

from __future__ import annotations

__version__ = "0.1.0"
