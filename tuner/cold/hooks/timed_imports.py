"""Stands in for a function's own module: loads it, and times each import as -X importtime does.

Its handler answers [[module, ms, ms without its own imports, depth], ...] in place of the
function's. The names in @ are filled in. Python 3.6 and later; it imports nothing of the tool.
"""

import importlib
import importlib.util
import os
import sys
import threading
from time import perf_counter
from typing import Any

MODULE = "@MODULE@"
FILE = "@FILE@"
HANDLER = "@HANDLER@"
IS_PACKAGE = FILE.endswith("__init__.py")
MACHINERY: Any = importlib._bootstrap
FOUND: Any = []
OPEN: Any = []  # for each import under way, the seconds of those inside it
FIND_AND_LOAD: Any = MACHINERY._find_and_load
THREAD = threading.get_ident()


def timed(name: str, load: Any) -> Any:
    """Load what isn't loaded yet, and note how long that took: where -X importtime does too."""
    if threading.get_ident() != THREAD:
        return load()
    depth = len(OPEN)
    OPEN.append(0.0)
    began = perf_counter()
    try:
        return load()
    finally:
        took, inside = perf_counter() - began, OPEN.pop()
        if OPEN:
            OPEN[-1] += took
        FOUND.append([name, took * 1000, (took - inside) * 1000, depth])


def find_and_load(name: str, import_: Any) -> Any:
    """In place of importlib's own, which C calls for every module that isn't loaded."""
    return timed(name, lambda: FIND_AND_LOAD(name, import_))


def load_timed() -> None:
    """Load the function's module under its own name, from beside this one."""
    folder = os.path.dirname(os.path.abspath(__file__))
    places = [folder] if IS_PACKAGE else None
    spec: Any = importlib.util.spec_from_file_location(
        MODULE, os.path.join(folder, FILE), submodule_search_locations=places
    )
    module = importlib.util.module_from_spec(spec)
    stand_in = sys.modules.get(MODULE)
    sys.modules[MODULE] = module
    MACHINERY._find_and_load = find_and_load
    try:
        timed(MODULE, lambda: spec.loader.exec_module(module))
    finally:
        MACHINERY._find_and_load = FIND_AND_LOAD
        if stand_in is not None:
            sys.modules[MODULE] = stand_in


load_timed()


def answer(event: Any, context: Any) -> Any:
    """What was found."""
    return FOUND


globals()[HANDLER] = answer
