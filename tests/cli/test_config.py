"""Flag before TUNER_* before tuner.toml before [tool.tuner]."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.running import ROOT, one_line, run_here
from tests.sweeps import made_sweep, save_sweep
from tuner.cli import config
from tuner.cli.app import COMMANDS, FLEET, LOCAL, PRICES, _load
from tuner.cli.help import SETTINGS
from tuner.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

SWEEP = "examples/sweeps/mixed.jsonl"


def shown_region(*arguments: str, cwd: Path, **variables: str) -> str:
    ran = run_here("prices", "show", *arguments, cwd=cwd, **variables)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.splitlines()[1].split()[0]


def test_a_flag_wins_over_the_environment_and_that_over_files(tmp_path: Path) -> None:
    """The same option from four places: the nearest to the command is taken."""
    (tmp_path / "pyproject.toml").write_text('[tool.tuner]\nregion = "eu-west-1"\n')
    assert shown_region(cwd=tmp_path) == "eu-west-1"
    (tmp_path / "tuner.toml").write_text('region = "eu-west-2"\n')
    assert shown_region(cwd=tmp_path) == "eu-west-2"
    assert shown_region(cwd=tmp_path, TUNER_REGION="eu-west-3") == "eu-west-3"
    assert (
        shown_region("--region", "eu-north-1", cwd=tmp_path, TUNER_REGION="eu-west-3")
        == "eu-north-1"
    )


def test_the_users_own_file_gives_way_to_the_projects(tmp_path: Path) -> None:
    """A flag, a variable, the project's file, and last what the user has everywhere."""
    own, project = tmp_path / "own" / "lambda-tuner", tmp_path / "project"
    own.mkdir(parents=True)
    project.mkdir()
    (own / "config.toml").write_text('region = "eu-west-1"\n')
    home = str(own.parent)
    assert shown_region(cwd=project, XDG_CONFIG_HOME=home) == "eu-west-1"
    (project / "tuner.toml").write_text('region = "eu-west-2"\n')
    assert shown_region(cwd=project, XDG_CONFIG_HOME=home) == "eu-west-2"
    assert shown_region(cwd=project, XDG_CONFIG_HOME=home, TUNER_REGION="eu-west-3") == "eu-west-3"
    (own / "config.toml").write_text("regoin = 1\n")
    line = one_line(run_here("prices", "show", cwd=project, XDG_CONFIG_HOME=home))
    assert f"{own / 'config.toml'}: unknown key 'regoin'" in line


@pytest.mark.parametrize(
    "command",
    [
        ("tune", "gone", "--local", "demo"),
        ("cold", "gone", "--local", "demo"),
        ("prices", "refresh", "--from", "gone.json"),
    ],
)
def test_what_is_set_for_accounts_is_no_hindrance_without_one(command: tuple[str, ...]) -> None:
    """On this machine neither profile nor endpoint is asked for; as options they are refused."""
    ran = run_here(*command, TUNER_PROFILE="work", TUNER_ENDPOINT_URL="http://127.0.0.1:1")
    assert "gone" in one_line(ran)
    assert "leave out" in one_line(run_here(*command, "--profile", "work"))


@pytest.mark.parametrize("key", ["endpoint-url", "endpoint_url", "profile", "api-url"])
@pytest.mark.parametrize("name", ["tuner.toml", "pyproject.toml"])
def test_a_project_does_not_say_who_is_sent_credentials(
    tmp_path: Path, name: str, key: str
) -> None:
    """A checked-out repository may be anybody's; the user's own file may set it."""
    text = f'{key} = "https://collect.example"\n'
    (tmp_path / name).write_text(text if name == "tuner.toml" else "[tool.tuner]\n" + text)
    with pytest.raises(InputError, match="can't be set by a project") as caught:
        config.read_file(tmp_path)
    assert "config.toml" in str(caught.value)
    (tmp_path / "config.toml").write_text(text)
    assert config.read_users_own(tmp_path / "config.toml") == {
        key.replace("-", "_"): "https://collect.example"
    }


@pytest.mark.parametrize("given", ["/tmp/new.jsonl", "../new.jsonl"])
def test_a_project_has_nothing_written_elsewhere(tmp_path: Path, given: str) -> None:
    """Whether the file is there already or not; the user may set it everywhere."""
    (tmp_path / "tuner.toml").write_text(f'out = "{given}"\n')
    with pytest.raises(InputError, match="outside the project's folder; give --out"):
        config.read_file(tmp_path)
    (tmp_path / "tuner.toml").write_text('out = "kept/new.jsonl"\n')
    assert config.read_file(tmp_path) == {"out": "kept/new.jsonl"}


@pytest.mark.parametrize("given", ["/etc/passwd", "../secret.json", "link.json"])
def test_a_project_sends_no_file_from_elsewhere(tmp_path: Path, given: str) -> None:
    """Payloads that a project's file names lie in its folder, links followed."""
    project = tmp_path / "project"
    project.mkdir()
    (tmp_path / "secret.json").write_text("{}")
    (project / "link.json").symlink_to(tmp_path / "secret.json")
    (project / "tuner.toml").write_text(f'payload = ["{{}}", "{given}"]')
    with pytest.raises(InputError, match="outside the project's folder; give --payload"):
        config.read_file(project)


def test_an_unknown_key_is_one_line_that_names_the_known_ones(tmp_path: Path) -> None:
    """A misspelled key never passes silently."""
    (tmp_path / "tuner.toml").write_text('regoin = "eu-west-2"\n')
    ran = run_here("prices", "show", cwd=tmp_path)
    assert ran.returncode == 1
    line = one_line(ran)
    assert "tuner.toml: unknown key 'regoin'; did you mean region?" in line
    (tmp_path / "tuner.toml").write_text('xyzzy = "eu-west-2"\n')
    assert "known are account-gb-seconds" in one_line(run_here("prices", "show", cwd=tmp_path))


def test_help_is_there_even_with_a_broken_file(tmp_path: Path) -> None:
    """A file that cannot be read does not keep anybody from reading help."""
    (tmp_path / "tuner.toml").write_text("region = [")
    assert run_here("prices", "show", "--help", cwd=tmp_path).returncode == 0
    assert "not valid TOML" in one_line(run_here("prices", "show", cwd=tmp_path))


def test_a_bad_value_in_a_file_is_a_usage_error(tmp_path: Path) -> None:
    """Values from files pass the same checks as flags."""
    (tmp_path / "tuner.toml").write_text('time-weight = "lots"\n')
    ran = run_here("tune", "f", cwd=tmp_path)
    assert ran.returncode == 2
    assert "time-weight in the settings" in one_line(ran)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('tolerance = "2%"', {"tolerance": "2%"}),
        ("time_weight = 0.05", {"time_weight": "0.05"}),
        ("memory-sizes = [128, 256]", {"memory_sizes": "128,256"}),
        ('payload = "a.json"', {"payload": ["a.json"]}),
        ('payload = ["a.json", "b.json"]', {"payload": ["a.json", "b.json"]}),
        ("json = true", {"json": True}),
        ("", {}),
    ],
)
def test_a_file_may_write_values_in_tomls_own_types(
    tmp_path: Path, text: str, expected: dict[str, Any]
) -> None:
    """Numbers, lists and booleans mean what the flag's text means."""
    (tmp_path / "tuner.toml").write_text(text)
    assert config.read_file(tmp_path) == expected


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("pyproject.toml", b"tool = 5", "tool must be a table"),
        ("pyproject.toml", b"tool = [1]", "tool must be a table"),
        ("tuner.toml", b"seed = " + b"9" * 6000, "nested too deeply, or a number"),
        ("tuner.toml", b"seed = " + b"[" * 5000, "tuner.toml is not valid TOML"),
        ("tuner.toml", b"region = '\xff'", r"not UTF-8 \(at byte 10\)"),
        ("tuner.toml", b"region = 2026-99-99", "tuner.toml is not valid TOML"),
        ("tuner.toml", b"a" * 70_000 + b" = 1", "unknown key"),
    ],
)
def test_a_file_that_cannot_be_understood_is_one_line(
    tmp_path: Path, name: str, text: bytes, says: str
) -> None:
    """Whatever it holds, the file is named and what is wrong with it is said."""
    (tmp_path / name).write_bytes(text)
    with pytest.raises(InputError, match=says) as caught:
        config.read_file(tmp_path)
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 2000


@pytest.mark.parametrize(
    ("written", "meant"), [("regoin", "region"), ("max-memroy", "max-memory"), ("gaol", "goal")]
)
def test_a_misspelt_key_is_told_what_is_meant(tmp_path: Path, written: str, meant: str) -> None:
    """The nearest known key is offered first."""
    (tmp_path / "tuner.toml").write_text(f"{written} = 1\n")
    with pytest.raises(InputError, match=f"did you mean {meant}\\?"):
        config.read_file(tmp_path)


@pytest.mark.parametrize("key", ["cost-slack", "cost_slack"])
def test_a_slack_in_a_file_names_what_replaced_it(tmp_path: Path, key: str) -> None:
    """One line that says where it stands and what to write, for whichever command."""
    (tmp_path / "tuner.toml").write_text(f'{key} = "2%"\n')
    for command in (["tune", "f"], ["prices", "show"]):
        ran = run_here(*command, cwd=tmp_path)
        line = one_line(ran)
        assert ran.returncode == 1, line
        assert f"tuner.toml: '{key}' is no longer a setting" in line
        assert "--time-weight" in line


def test_a_format_can_be_set(tmp_path: Path) -> None:
    """By its name; --json counts more, and a format that a command doesn't have is blamed on it."""
    (tmp_path / "tuner.toml").write_text('format = "markdown"\n')
    sweep = str(ROOT / "examples" / "sweeps" / "mixed.jsonl")
    assert run_here("report", sweep, cwd=tmp_path).stdout.startswith("**RESIZE")
    assert run_here("report", sweep, "--json", cwd=tmp_path).stdout.startswith("{")
    assert '"kind": "error"' in run_here("report", "gone.jsonl", TUNER_FORMAT="json").stdout
    line = one_line(run_here("report", sweep, TUNER_FORMAT="csv"))
    assert "TUNER_FORMAT" in line


def test_a_setting_for_sweeps_means_nothing_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The demo replaces what --out names, and its function is an example; a fleet's folder and its
    sweeps at once are its own.
    """
    ran: list[list[str]] = []
    with monkeypatch.context() as patch:
        patch.setattr("tuner.cli.app.run", lambda arguments: ran.append(arguments) or 0)
        patch.setenv("TUNER_OUT", str(tmp_path / "kept.jsonl"))
        patch.setenv("TUNER_FUNCTION", "resize-images")
        _load("demo", COMMANDS["demo"], with_defaults=True).main([], standalone_mode=False)
    assert ran == [["tune", "mixed", "--local", "demo", "--yes"]]
    line = one_line(run_here("fleet", "plan", "--budget-usd", "1", TUNER_OUT="kept.jsonl"))
    assert "--out" in line
    line = one_line(run_here("fleet", "run", "nowhere", TUNER_CONCURRENCY="500"))
    assert "nowhere" in line  # 500 is too much for a fleet, not for a sweep


@pytest.mark.parametrize(
    ("command", "answered"),
    [
        (("apply", SWEEP, "--check", "--template", "examples"), "mixed would get"),
        (("iam-policy", "--for", "scan", "--athena", "s3://logs"), "athena:StartQueryExecution"),
        (("tune", "--resume", SWEEP, "--local", "demo", "--dry-run"), "mixed · local"),
    ],
)
def test_the_variable_for_a_function_is_no_hindrance_where_another_thing_is_named(
    command: tuple[str, ...], answered: str, tmp_path: Path
) -> None:
    """`TUNER_FUNCTION` stands for a function that nobody named; here the command line does."""
    ran = run_here(*command, TUNER_FUNCTION="elsewhere", TUNER_STATE_DIR=str(tmp_path))
    assert ran.returncode == 0, ran.stderr
    assert answered in ran.stdout + ran.stderr


def test_a_check_of_this_machine_is_of_no_function(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the variable for a function nor what is set for accounts is asked about beside it."""
    monkeypatch.setenv("TUNER_FUNCTION", "elsewhere")
    monkeypatch.setenv("TUNER_PROFILE", "work")
    command = _load("live-check", COMMANDS["live-check"], with_defaults=True)
    given = command.make_context("live-check", ["--local"]).params
    assert (given["function"], given["profile"]) == (None, None)


def test_a_fraction_of_a_day_is_for_logs(tmp_path: Path) -> None:
    """Beside a rate, a break-even reads no days; CloudWatch's traffic takes whole ones."""
    (tmp_path / "tuner.toml").write_text("days = 0.5\n")
    sweep = str(ROOT / SWEEP)
    assert run_here("break-even", sweep, "--rate", "50/s", cwd=tmp_path).returncode == 0
    line = one_line(run_here("break-even", sweep, "--traffic", "cloudwatch", cwd=tmp_path))
    assert "days in the settings" in line


def test_a_slack_in_the_environment_names_what_replaced_it(tmp_path: Path) -> None:
    """One line where the command has a goal; others, `recover` above all, run as ever."""
    for command in (["tune", "f"], ["report", "f"]):
        ran = run_here(*command, cwd=tmp_path, TUNER_COST_SLACK="2%")
        line = one_line(ran)
        assert ran.returncode == 1, line
        assert "TUNER_COST_SLACK is no longer a setting" in line
        assert "--time-weight" in line
    ran = run_here("prices", "show", cwd=tmp_path, TUNER_COST_SLACK="2%")
    assert ran.returncode == 0, ran.stderr


@pytest.mark.parametrize("text", ["yes = true", "dry-run = true"])
def test_a_folder_does_not_agree_for_you(tmp_path: Path, text: str) -> None:
    """What agrees to a cost cannot be set by a file that came with a folder."""
    (tmp_path / "tuner.toml").write_text(text)
    with pytest.raises(InputError, match="can't be set in a file"):
        config.read_file(tmp_path)


@pytest.mark.parametrize("text", ["region = {a = 1}", "region = ['a']"])
def test_a_value_of_the_wrong_shape_is_refused(tmp_path: Path, text: str) -> None:
    """An option that takes one value gets no list or table."""
    (tmp_path / "tuner.toml").write_text(text)
    with pytest.raises(InputError, match="region takes one value"):
        config.read_file(tmp_path)


def test_a_tool_table_that_is_none_is_refused(tmp_path: Path) -> None:
    """[tool] tuner = 3 is told, not ignored."""
    (tmp_path / "pyproject.toml").write_text("[tool]\ntuner = 3\n")
    with pytest.raises(InputError, match="this must be a table"):
        config.read_file(tmp_path)


def test_the_environment_gives_one_payload_whole() -> None:
    """Inline JSON with spaces in TUNER_PAYLOAD is one payload; an empty variable is none."""
    given = {"TUNER_PAYLOAD": '{"a": 1}', "TUNER_REGION": "", "TUNER_YES": "1", "TUNER_DEBUG": "1"}
    assert config.read_environment(given) == {"payload": ['{"a": 1}'], "yes": "1"}


EACH_TIME = {
    "build", "control", "env", "out_file", "out_folder", "parameter", "payload_size", "raw",
    "regions", "saved",
    "recorded", "vary", "after", "allow_outside", "before", "code", "hooks_each",
    "resume", "take_over",
    "environment", "keep", "older_than", "prune", "since", "stale",
    "allow_local", "author", "forge", "key", "number", "repository", "template",
    "token_env", "start", "end", "logs", "forget", "purpose", "was", "check", "stage",
    "memory_size",
    "by", "tags", "deploys", "revenue", "bill_file",
    "deployed",
    "metrics_only", "restart", "sort", "source", "top",
    "alias", "live", "step_timeout", "steps", "stop_at", "unqualified",
    "against", "architectures", "compare", "create", "file", "ledger", "on_this_machine", "role",
    "functions", "scan", "settings", "tag",
    "alarms", "arrivals", "artillery", "backlog", "bucket", "downstream", "engine", "in_flight",
    "phase", "sizes", "state_machine", "wheel",
    "batch_size", "batch_window", "event_size", "event_trigger", "max_delay", "need", "pathways",
    "calls", "choice", "error_rate", "executions", "fleet", "items", "overhead", "state_time",
    "substitution", "sweep",
    "per_invocation", "overheads", "log_class", "retention_days", "account_log_gb",
    "athena", "results", "work_group", "at_once", "harmless",
}  # fmt: skip


def test_every_option_of_every_command_can_be_set_by_its_name() -> None:
    """The list of keys is the union of all commands' options, but for what is told anew each time:
    a figure's file (`out` means the sweep), price lists, how payloads and code are made, commands
    to be run, the rates of a load, the sweep to go on from or to take over, what to write into
    which code, and where a comment goes
    (a pull request's own files do not say who is sent the token).
    """
    names = set()
    for name, entry in {**COMMANDS, **PRICES, **LOCAL, **FLEET}.items():
        command = _load(name, entry, with_defaults=False)
        for param in command.params:
            is_setting = getattr(param, "rich_help_panel", None) == SETTINGS
            if param.param_type_name == "option" and (is_setting or not param.hidden):
                names.add("format" if param.name == "format_name" else param.name)
    assert names - EACH_TIME == config.KEYS | config.ENVIRONMENT_ONLY


IN_2030 = "1893456000"
SOON = "1790000000"  # 2026-09-21: 21 days after us-east-1's Lambda prices were confirmed
REPORTS = [
    ("report", "text"),
    ("report", "json"),
    ("report", "markdown"),
    ("report", "html"),
    ("break-even", "text"),
    ("break-even", "json"),
    ("break-even", "markdown"),
]


@pytest.mark.parametrize(("command", "form"), REPORTS)
def test_old_prices_are_a_warning_in_every_report(command: str, form: str) -> None:
    """Whatever the format, it says how old they are and what renews them."""
    ran = run_here(command, SWEEP, "--format", form, SOURCE_DATE_EPOCH=IN_2030)
    assert ran.returncode == 0, ran.stderr
    said = " ".join(ran.stdout.split()).replace("\\-", "-")
    assert "days ago: run tuner prices refresh" in said


@pytest.mark.parametrize("form", ["text", "json", "markdown"])
def test_a_comparison_warns_as_well(form: str, tmp_path: Path) -> None:
    """It weighs costs, and so it rests on prices."""
    pair = [save_sweep(tmp_path / f"{seed}.jsonl", made_sweep(seed=seed)) for seed in (1, 2)]
    ran = run_here("compare", *pair, "--format", form, SOURCE_DATE_EPOCH=IN_2030)
    assert "days ago: run tuner prices refresh" in " ".join(ran.stdout.split())


def test_prices_that_are_not_old_are_not_warned_of() -> None:
    """90 days are borne; the break-even's other prices are older than Lambda's."""
    ran = run_here("report", SWEEP, SOURCE_DATE_EPOCH=SOON)
    assert "prices refresh" not in " ".join(ran.stdout.split())
    costs = run_here("break-even", SWEEP, SOURCE_DATE_EPOCH=SOON)
    assert "prices refresh" in " ".join(costs.stdout.split())


def test_what_is_no_time_is_one_clear_line() -> None:
    """SOURCE_DATE_EPOCH is named."""
    ran = run_here("report", SWEEP, SOURCE_DATE_EPOCH="yesterday")
    assert "SOURCE_DATE_EPOCH" in one_line(ran)
