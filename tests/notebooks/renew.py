"""`make notebooks`: runs every twin and writes the notebook beside it, outputs and all."""

from __future__ import annotations

import sys

import nbformat

from tests.notebooks.pairs import TWINS, run


def main(names: list[str]) -> None:
    """Renew the named notebooks, or all."""
    for twin in TWINS:
        if names and twin.stem not in names:
            continue
        print(f"… {twin.stem}", file=sys.stderr)
        nbformat.write(run(twin), twin.with_suffix(".ipynb"))


if __name__ == "__main__":
    main(sys.argv[1:])
