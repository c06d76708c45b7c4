"""Arrays by what they hold, for annotations alone: nothing imports this when it runs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Integers = NDArray[np.int_]
Indices = NDArray[np.intp]
