"""What holds for every package of the project: no circles of imports, and a tour that is right."""

from __future__ import annotations

import graphlib

import grimp


def test_no_module_imports_what_imports_it() -> None:
    """No module needs one that needs it: not for types, not a package and its own modules."""
    graph = grimp.build_graph("tuner", cache_dir=None)
    imports = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    imports["tuner"] = set()  # the facade hands public names on, lazily

    graphlib.TopologicalSorter(imports).prepare()  # raises CycleError, which names the modules
