"""`tuner report`: the answer again, from saved sweeps."""

from tuner.cli import exit_status, options, picture
from tuner.cli.commands import goal_flags, limits_flags, report_command, terms_flags
from tuner.cli.config import today
from tuner.cli.groups import GoalOptions, TrafficOptions, spread
from tuner.cli.saved import Sweeps, analyse
from tuner.cli.screen import show_answers

EPILOG = """\
tuner report resize-images

tuner report sweep.jsonl --goal speed --max-duration 800ms

tuner report resize-images --format markdown

tuner report resize-images --format html --rate 50/s --out resize-images.html

tuner report resize-images --format svg --out resize-images.svg"""


@spread
def report(
    sweeps: Sweeps,
    *,
    format_name: options.ReportFormat = "text",
    out_file: options.ReportFile = None,
    json: options.JsonOutput = False,
    explain: options.Explain = False,
    traffic: TrafficOptions,
    detailed_exitcode: options.DetailedExitcode = False,
    goal: GoalOptions,
    min_memory: options.MinMemory = None,
    max_memory: options.MaxMemory = None,
) -> int:
    """Show the answer of saved sweeps again, under the same goal or another.

    AWS isn't called: the sweep file holds everything the answer needs. Several sweeps with --format
    json give one JSON object per line, with --format html one page. A figure (png, svg) shows one
    sweep.
    """
    from tuner import session
    from tuner.api.answers import view

    shown = picture.check(format_name, out_file, json=json, sweep_count=len(sweeps))
    terms = traffic.terms()
    analyses = analyse(sweeps, goal, min_memory, max_memory)
    others = [*limits_flags(min_memory, max_memory), *terms_flags(terms)]
    if shown == "html":
        views = [
            view(analysis, source=name, terms=terms, today=today())
            for name, analysis in zip(sweeps, analyses, strict=True)
        ]
        picture.show_page(views, out_file, flags=others)
        answers = [each.recommendation for each in views]
        return exit_status.of_all(answers) if detailed_exitcode else 0
    answers = [session.recommend(each, terms, today=today()) for each in analyses]
    if shown in picture.FORMATS:
        picture.show_figure(analyses[0].answered, shown, out_file, answers[0])
    else:
        again = [
            report_command(answer, name, [*goal_flags(answer.goal, each.sweep.goal), *others])
            for name, answer, each in zip(sweeps, answers, analyses, strict=True)
        ]
        show_answers(answers, shown, again, explain=explain)
    return exit_status.of_all(answers) if detailed_exitcode else 0
