"""`tuner recover`: finish what an interrupted sweep left."""

from tuner.cli import options
from tuner.cli.screen import agree, say, show_text

EPILOG = """\
tuner recover --dry-run

tuner recover --yes --profile staging"""

LEFT_CHANGED = 4


def recover(
    *,
    profile: options.Profile = None,
    region: options.Region = None,
    endpoint_url: options.EndpointUrl = None,
    yes: options.Yes = False,
    dry_run: options.DryRun = False,
) -> int:
    """Restore what interrupted sweeps left changed, and delete the versions they made.

    Looks through the journals of this machine, says what is to be done, and does it once you
    agree. Versions that existed before, or that an alias points at, are never deleted.
    """
    from tuner import api  # noqa: PLC0415 - not needed for --help
    from tuner.cli.state import state_dir  # noqa: PLC0415 - as above
    from tuner.errors import TunerError  # noqa: PLC0415 - as above

    folder = state_dir()
    unfinished = api.find_unfinished(folder)
    if not unfinished:
        show_text("Nothing is left of any sweep.\n")
        return 0
    failed = 0
    for journal in unfinished:
        try:
            with api.open_recovery(
                journal, profile=profile, region=region, endpoint_url=endpoint_url, state_dir=folder
            ) as recovery:
                for line in recovery.describe():
                    show_text(f"{line}\n")
                if not dry_run and (yes or recovery.is_empty or agree("Do it?")):
                    recovery.carry_out()
                    show_text("Done: nothing of this sweep is left.\n")
                elif not dry_run:
                    failed += 1
        except TunerError as error:
            say(f"tuner: {error}")
            failed += 1
    return LEFT_CHANGED if failed else 0
