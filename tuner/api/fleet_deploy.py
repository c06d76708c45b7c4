"""Writes what a fleet's workers on Step Functions are deployed from."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Final

from tuner import __version__
from tuner.aws.fleet_template import fleet_template
from tuner.errors import FleetError, InputError
from tuner.fleet.folder import writing
from tuner.fleet.state_machine import definition

if TYPE_CHECKING:
    from pathlib import Path

    from tuner.fleet.folder import FleetFolder

_DOCKERFILE: Final = """\
FROM public.ecr.aws/lambda/python:3.13
@INSTALL@
COPY handler.py ${LAMBDA_TASK_ROOT}/
CMD ["handler.handler"]
"""
_HANDLER: Final = '''\
"""Sweeps one function of a fleet, as the state machine hands it over."""

from pathlib import Path

from tuner.api.fleet_worker import handle


def handler(event, context):
    return handle(
        event,
        seconds_left=lambda: context.get_remaining_time_in_millis() / 1000,
        folder=Path("/tmp/tuner-fleet"),
    )
'''


def write_deployment(folder: FleetFolder, out: Path, *, wheel: Path | None = None) -> None:
    """Write template, state machine, worker and image into a new folder.

    Without `wheel` the image has this version from the package index. Raises InputError for a wheel
    that isn't there, and FleetError for a folder with something in it.
    """
    if wheel is not None and not (wheel.is_file() and wheel.suffix == ".whl"):
        raise InputError(f"{wheel} isn't a wheel: build one, or leave `wheel` out")
    items = folder.plan.items
    template = fleet_template(
        fleet_id=folder.plan.fleet_id,
        regions=[each.place.region for each in items] or ["*"],
        role_arns=[each.place.role_arn for each in items if each.place.role_arn],
        has_own_account=not items or any(each.place.role_arn is None for each in items),
    )
    files = {
        "template.yaml": template,
        "state_machine.asl.json": json.dumps(definition(), indent=2) + "\n",
        "Dockerfile": _DOCKERFILE.replace("@INSTALL@", _install(wheel)),
        "handler.py": _HANDLER,
    }
    with writing(out):
        out.mkdir(parents=True, exist_ok=True)
        if any(out.iterdir()):
            raise FleetError(f"{out} isn't empty: name a new folder with `out`")
        for name, text in files.items():
            (out / name).write_text(text, encoding="utf-8")
        if wheel is not None:
            shutil.copyfile(wheel, out / wheel.name)


def _install(wheel: Path | None) -> str:
    if wheel is None:
        return f"RUN pip install --no-cache-dir lambda-tuner=={__version__}"
    return f"COPY {wheel.name} /tmp/\nRUN pip install --no-cache-dir /tmp/{wheel.name}"
