"""`tuner local serve`: a Lambda endpoint on this machine."""

from pathlib import Path
from typing import Annotated

import typer

from tuner.cli import options
from tuner.cli.values import parameters_of

EPILOG = """\
tuner local serve examples/template.yaml

tuner local serve template.yaml --port 9000 --region eu-west-1"""


def serve(
    template: Annotated[
        Path, typer.Argument(metavar="TEMPLATE", help="SAM template with the functions.")
    ],
    *,
    port: Annotated[
        int, typer.Option(min=0, max=65535, metavar="PORT", help="Port; 0 takes a free one.")
    ] = 0,
    region: options.Region = None,
    parameter: options.TemplateParameters = None,
    env: options.TemplateEnvironment = None,
    build: options.Build = False,
    allow_outside: options.AllowOutside = False,
) -> int:
    """Serve the functions of TEMPLATE on a Lambda endpoint of your own, until Ctrl-C.

    It runs the real handlers as your user, listens on this machine only, and gives each memory
    size the share of CPU that Lambda gives it.
    """
    from tuner.local import refuse_other_systems  # noqa: PLC0415 - not needed for --help

    refuse_other_systems()
    from tuner.cli.serving import serve_until_stopped  # noqa: PLC0415 - not needed for --help

    return serve_until_stopped(
        template,
        port=port,
        region=region or "us-east-1",
        parameters=parameters_of(parameter),
        environment=parameters_of(env, "--env"),
        build=build,
        allow_outside=allow_outside,
    )
