"""`tuner live-check`: what the tool assumes of Lambda, beside what an account shows."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from tuner.cli import options
from tuner.cli.config import state_dir
from tuner.cli.flags import shown
from tuner.cli.groups import WhereOptions, spread
from tuner.cli.screen import agree, encoding, say, show_json, show_text, width
from tuner.errors import NotAgreedError, UsageError

if TYPE_CHECKING:
    from tuner.api.live_check.check import Place
    from tuner.model.live_check import LiveCheck

EPILOG = """\
tuner live-check --region eu-west-1 --function resize-images

tuner live-check --create lambda-tuner-live-check --role arn:aws:iam::123456789012:role/basic

tuner live-check --local --out here.json

tuner live-check --compare aws.json --against here.json"""


@spread
def live_check(
    *,
    where: WhereOptions,
    function: Annotated[
        str | None,
        options.where_option(
            metavar="FUNCTION", help="Also read this function, its log and its metrics."
        ),
    ] = None,
    on_this_machine: Annotated[
        bool,
        options.where_option(
            "--local",
            **options.without_settings("profile", "endpoint_url", "function"),
            help="Check a local Lambda started for it: both steps, no account needed.",
        ),
    ] = False,
    create: Annotated[
        str | None,
        options.limits_option(
            metavar="NAME",
            help="Second step: make a function of this name (lambda-tuner-…), probe and delete it.",
        ),
    ] = None,
    role: Annotated[
        str | None,
        options.limits_option(
            metavar="ARN",
            help="Role of that function, which needs no permission (default: FUNCTION's).",
        ),
    ] = None,
    yes: options.Yes = False,
    file: Annotated[
        Path | None,
        options.out_option(
            "Write what was found, without account id and names (default with --create: in the "
            "state folder)."
        ),
    ] = None,
    compare: Annotated[
        Path | None,
        options.output_option(
            metavar="FILE", help="Show how a check's file differs from the local Lambda here."
        ),
    ] = None,
    against: Annotated[
        Path | None, options.output_option(metavar="FILE", help="Compare with this file instead.")
    ] = None,
    json: options.JsonOutput = False,
) -> int:
    """Compare what the tool assumes of Lambda with what an account shows.

    The first step only reads: identity, limits, prices, and a FUNCTION if you name one. With
    --create a second one makes a function of its own, sweeps it in both isolations, kills a sweep
    and recovers, looks for reads that are behind, measures CPU shares, limits, failures and logs,
    and deletes the function. That takes a few minutes and costs less than a cent; if it is killed,
    tuner recover deletes the function.
    """
    if against is not None and compare is None:
        raise UsageError("--against needs --compare")
    if compare is not None:
        return _compare(compare, against, json=json)
    if on_this_machine:
        if where.profile or where.endpoint_url or function or role:
            raise UsageError("--local starts its own endpoint, with a function of its own")
        from tuner.api.live_check.check import DEFAULT_NAME

        found = _of_this_machine(create or DEFAULT_NAME, json=json)
    else:
        found = _of_account(where, function, create, role, yes=yes, json=json)
    if json:
        from tuner.api.live_check.file import to_document

        show_json(to_document(found))
    _write(found, file)
    return 0


def _of_this_machine(create: str | None, *, json: bool) -> "LiveCheck":
    """Check a local Lambda that is started for it; without `create` the first step alone."""
    from tuner.api.live_check.check import open_local_place

    with open_local_place(_tell) as place:
        read = _first_step(place, json=json)
        return read if create is None else _second_step(place, read, create, json=json)


def _of_account(
    where: WhereOptions,
    function: str | None,
    create: str | None,
    role: str | None,
    *,
    yes: bool,
    json: bool,
) -> "LiveCheck":
    from tuner.api.live_check.check import Place, role_of
    from tuner.aws.live_gateway import connect_live
    from tuner.lease.throwaway import check_name

    if create is not None:
        check_name(create)
    with connect_live(function=function, **where.part().connection) as gateway:
        place = Place(gateway, state_dir(), function, role, where.profile)
        read = _first_step(place, json=json)
        if create is None:
            return read
        role_of(place)  # before anything is asked
        say(_plan(place, create))
        if not (yes or agree("Make it, probe it and delete it?")):
            raise NotAgreedError("not agreed to: nothing was changed")
        return _second_step(place, read, create, json=json)


def _first_step(place: "Place", *, json: bool) -> "LiveCheck":
    from tuner.api.live_check.check import read_place

    read = read_place(place, on_step=_tell)
    _show(read, json=json)
    return read


def _second_step(place: "Place", read: "LiveCheck", name: str, *, json: bool) -> "LiveCheck":
    from tuner.api.live_check.check import check_place
    from tuner.sweep.io import StopSignal, stop_on_signals

    stop = StopSignal()
    with stop_on_signals(stop):
        found = check_place(place, read, name, on_step=_tell, stop=stop)
    _show(found, json=json, after=len(read.assumptions))
    return found


def _plan(place: "Place", name: str) -> str:
    from tuner.api.live_check.check import expected
    from tuner.api.live_check.probing import BUDGET_USD

    cost_usd, wall_s = expected(place)
    return (
        f"It makes the function {name} in {place.gateway.region}, and for a minute a copy of it, "
        f"and touches nothing else. About {wall_s / 60:.0f} min and ${cost_usd:.4f}; it stops "
        f"before ${BUDGET_USD}. If it is killed: tuner recover"
    )


def _compare(file: Path, against: Path | None, *, json: bool) -> int:
    from tuner.api.live_check.check import DEFAULT_NAME
    from tuner.api.live_check.comparison import compare
    from tuner.api.live_check.file import read_check
    from tuner.report.live_check import comparison_json, render_comparison

    first = read_check(file)
    if against is not None:
        second = read_check(against)
    else:
        second = _of_this_machine(DEFAULT_NAME if first.created else None, json=True)
    found = compare(first, second)
    if json:
        show_json(comparison_json(found))
    else:
        show_text(render_comparison(found, encoding=encoding()))
    return 0


def _show(found: "LiveCheck", *, json: bool, after: int = 0) -> None:
    from tuner.report import live_check

    if not json:
        show_text(live_check.render(shown(found), after=after, width=width(), encoding=encoding()))


def _write(found: "LiveCheck", file: Path | None) -> None:
    """Keep it where it's asked for; a check that made a function is always kept."""
    from tuner.api.live_check.file import write_check

    if file is None and not found.created:
        return
    stamp = found.made_at.replace(":", "").replace("+0000", "")
    place = file or state_dir() / "live-checks" / f"{found.environment}-{stamp}.json"
    write_check(found, place)
    say(f"saved as {place}")


def _tell(step: str) -> None:
    say(f"  {step}")
