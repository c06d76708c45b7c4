"""`tuner watch --alarms`: a file of alarms to commit, and how each would have rung."""

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from tuner.cli import picture
from tuner.cli.screen import encoding, say, show_json, show_text, width

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tuner.api.reading import Caller, FilesRequest, LiveRequest
    from tuner.model.alarm import FunctionAlarms


def write_alarms(
    functions: "Sequence[str]",
    request: "FilesRequest | LiveRequest",
    caller: "Caller",
    *,
    format_name: Literal["cloudformation", "terraform"],
    out_file: Path | None,
    json: bool,
) -> int:
    """Write the file to `out_file` or stdout, and the replay to stdout or stderr.

    Raises what reading raises, and InputError for a file that can't be written.
    """
    from tuner.api.alarming import RENDERERS, alarms_from_files, alarms_live
    from tuner.api.reading import FilesRequest
    from tuner.cli.flags import shown
    from tuner.cli.reading import files_read

    if isinstance(request, FilesRequest):
        found = alarms_from_files(
            functions, request, state_dir=caller.state_dir, progress=files_read
        )
    else:
        found = alarms_live(functions, request, caller)
    found = shown(found)
    text = RENDERERS[format_name](found)
    if out_file is not None:
        picture.write(text.encode(), out_file)
    if json:
        from tuner.report.alarms import to_json

        file = None if out_file is None else str(out_file)
        show_json(to_json(found, format_name=format_name, file=file, text=text))
        return 0
    if out_file is None:
        show_text(text)
    _show_replay(found, out_file)
    return 0


def _show_replay(found: "Sequence[FunctionAlarms]", out_file: Path | None) -> None:
    """On stdout if the file is elsewhere, else on stderr: stdout is the file then."""
    from tuner.report.alarms import render

    table = render(found, width=width(), encoding=encoding())
    if out_file is not None:
        show_text(f"{table}\nWritten to {out_file}.\n")
        return
    for line in table.splitlines():
        say(line)
