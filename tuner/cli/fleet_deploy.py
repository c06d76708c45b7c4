"""`tuner fleet deploy`: what workers on Step Functions are deployed from."""

from pathlib import Path
from typing import Annotated

from tuner.cli import options
from tuner.cli.fleet import Folder
from tuner.cli.screen import say

EPILOG = """\
tuner fleet deploy fleet --out infra

tuner fleet deploy fleet --out infra --wheel dist/lambda_tuner-0.1.0-py3-none-any.whl"""


def deploy(
    folder: Folder,
    *,
    out_folder: Annotated[
        Path, options.output_option("--out", metavar="FOLDER", help="Folder of the template, new.")
    ],
    wheel: Annotated[
        Path | None,
        options.measure_option(
            metavar="FILE", help="Wheel of tuner for workers (default: this version's, from PyPI)."
        ),
    ] = None,
) -> int:
    """Write the template of a state machine whose workers sweep the fleet's functions.

    Nothing is deployed: the folder has a SAM template with bucket and roles, every action of them
    with its reason, and the worker's image.
    """
    from tuner.api.fleet_deploy import write_deployment
    from tuner.fleet.folder import FleetFolder

    write_deployment(FleetFolder.open(folder), out_folder, wheel=wheel)
    say(f"Wrote {out_folder}. Deploy it: sam build && sam deploy --guided, in that folder")
    return 0
