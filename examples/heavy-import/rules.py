"""Builds its tables when it is imported, as large frameworks and models do."""

import re
from itertools import product

NAMES = ["".join(letters) for letters in product("bdfgklmnprst", "aeiou", "bdfgklmnprst", "aeiou")]
RULES = [
    re.compile(rf"/{name}/(?:(?P<id>\d+)|(?P<day>\d{{4}}-\d\d-\d\d)|latest)(?:\.(?:json|csv))?")
    for name in NAMES
]
