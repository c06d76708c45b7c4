"""The frame of the command line: help, versions, exit codes, streams."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib import import_module
from typing import TYPE_CHECKING

import pytest

from tests.cli.running import ROOT, one_line, run, run_here, variables_for
from tests.sweeps import made_sweep, save_sweep
from tuner import __version__
from tuner.cli import app, exit_status, main
from tuner.cli.app import COMMANDS, FLEET, LOCAL, PAYLOAD, PRICES

if TYPE_CHECKING:
    from pathlib import Path

EVERY = [
    *([name] for name, entry in COMMANDS.items() if not entry.target.isupper()),
    *(["prices", name] for name in PRICES),
    *(["payload", name] for name in PAYLOAD),
    *(["local", name] for name in LOCAL),
    *(["fleet", name] for name in FLEET),
]

LOCALLY = ("--local", "examples/template.yaml")


def loaded_modules(*arguments: str) -> set[str]:
    """Top-level modules that a command leaves in sys.modules."""
    code = (
        "import sys\nfrom tuner.cli.main import run\n"
        f"code = run({list(arguments)!r})\n"
        "print('\\n' + ' '.join(sorted({name.partition('.')[0] for name in sys.modules})))\n"
        "sys.exit(code)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return set(ran.stdout.splitlines()[-1].split())


HEAVY = {"boto3", "botocore", "scipy", "numpy", "matplotlib", "moto"}


def test_help_loads_nothing_heavy() -> None:
    """`tuner --help` and `tuner tune --help` load neither the SDK nor numerics."""
    assert not loaded_modules("--help") & HEAVY
    assert not loaded_modules("tune", "--help") & HEAVY


def test_a_policy_is_printed_without_the_sdk() -> None:
    """`tuner iam-policy` needs neither credentials nor boto3."""
    assert not loaded_modules("iam-policy", "resize-images") & HEAVY


def test_the_version_is_answered_without_typer() -> None:
    """`tuner --version` is the quickest command of all."""
    assert "typer" not in loaded_modules("--version")
    assert run("--version").stdout == f"tuner {__version__}\n"


def test_a_report_loads_numpy_alone() -> None:
    """`tuner report` takes half as long without scipy, of which only an observation needs any."""
    loaded = loaded_modules("report", "examples/sweeps/mixed.jsonl") & HEAVY
    assert loaded == {"numpy"}


@pytest.mark.parametrize("command", EVERY, ids=" ".join)
def test_every_command_has_help_with_examples(command: list[str]) -> None:
    """Help says what the command does in its first line and shows how it is called."""
    ran = run_here(*command, "--help", COLUMNS="100")
    assert ran.returncode == 0
    assert f"Usage: tuner {' '.join(command)}" in ran.stdout
    if command[0] in {"payload", "prices", "local", "fleet"} and len(command) == 1:
        return
    assert ran.stdout.count(f"tuner {' '.join(command)}") >= 2
    assert "--help" in ran.stdout


def test_without_arguments_help_is_shown_as_a_usage_error() -> None:
    """`tuner` alone shows what there is, and is no success."""
    ran = run()
    assert ran.returncode == 2
    assert "tune" in ran.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["tun"], "Did you mean 'tune'"),
        (["tune"], "FUNCTION"),
        (["tune", "f", "--gaol", "cost"], "No such option"),
        (["tune", "f", "--goal", "best"], "'cost', 'speed', 'balanced'"),
        (["tune", "f", "--memory-sizes", "512,256"], "ascending"),
        (["tune", "f", "--memory-sizes", "64"], "128 to 10240"),
        (["tune", "f", "--max-memory", "20000"], "128 to 10240"),
        (["tune", "f", "--percentile", "101"], "out of range"),
        (["tune", "f", "--concurrency", "0"], "--concurrency"),
        (["prices"], "Missing command"),
        (["report"], "SWEEP"),
    ],
)
def test_a_usage_error_is_one_line_and_exit_code_two(arguments: list[str], words: str) -> None:
    """It says what is wrong and where help is; stdout stays empty."""
    ran = run_here(*arguments)
    assert ran.returncode == 2
    line = one_line(ran)
    assert words in line
    assert "--help)" in line


def test_an_unknown_region_names_the_known_ones() -> None:
    """No price is ever a silent default."""
    ran = run_here("prices", "show", "--region", "eu-wset-1")
    assert ran.returncode == 1
    assert "eu-west-1" in one_line(ran)


def test_an_unexpected_exception_is_one_line_with_a_way_to_its_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its text stays hidden, since nobody knows what it quotes; TUNER_DEBUG shows all."""

    def fail(_arguments: list[str]) -> int:
        raise ValueError("a secret")

    monkeypatch.setattr("tuner.cli.app.run", fail)
    assert main.run(["tune"]) == 1
    said = capsys.readouterr().err
    assert said.startswith("tuner: unexpected ValueError at ")
    assert "TUNER_DEBUG=1" in said
    assert "secret" not in said
    monkeypatch.setenv("TUNER_DEBUG", "1")
    with pytest.raises(ValueError, match="a secret"):
        main.run(["tune"])


def test_an_interrupt_is_exit_code_130(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C before anything was begun says nothing more."""

    def interrupt(_arguments: list[str]) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr("tuner.cli.app.run", interrupt)
    assert main.run(["tune"]) == 130


def test_a_closed_pipe_is_quiet() -> None:
    """`tuner prices show | head -1` ends without a complaint."""
    script = f"{sys.executable} -m tuner prices show --json | head -c 1"
    ran = subprocess.run(
        ["bash", "-c", script], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ran.stdout == "{"
    assert ran.stderr == ""


def test_a_policy_is_json_alone_on_stdout() -> None:
    """What a machine reads is on stdout, and nothing else is."""
    ran = run_here("iam-policy", "resize-images", "--region", "eu-west-1")
    assert ran.returncode == 0
    assert "managed one (aws iam create-policy" in ran.stderr
    policy = json.loads(ran.stdout)
    assert policy["Version"] == "2012-10-17"
    assert "eu-west-1" in ran.stdout


def test_a_policy_that_fits_a_user_has_no_advice() -> None:
    """Only what is over the 2,048 characters of an inline policy needs another place."""
    ran = run_here("iam-policy", "f", "--isolation", "version")
    fits = len("".join(ran.stdout.split())) <= 2048
    assert (ran.stderr == "") == fits


@pytest.mark.parametrize("purpose", ["observe", "verify", "scan", "spend"])
def test_what_only_reads_has_a_policy_of_its_own(purpose: str) -> None:
    """Without a function it's for all of them; a sweep's needs one."""
    policy = json.loads(run_here("iam-policy", "--for", purpose).stdout)
    assert "logs:StartQuery" in [each["Action"] for each in policy["Statement"]]
    assert run_here("iam-policy", "f", "--for", purpose).returncode == 0
    ran = run_here("iam-policy")
    assert (ran.returncode, "name the FUNCTION" in ran.stderr) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "code", "exit_code"),
    [
        (["report", "gone.jsonl", "--json"], "sweep_file_error", 1),
        (["report", "gone.jsonl", "--format", "json"], "sweep_file_error", 1),
        (["report", "--json"], "usage_error", 2),
        (["tune", "f", "--json", "--goal", "best"], "usage_error", 2),
        (["tune", "f", "--json", "--min-memory", "512", "--max-memory", "256"], "usage_error", 2),
        (["compare", "a", "b", "--json", "--format", "html"], "usage_error", 2),
        (["report", "a", "--json", "--format", "html"], "usage_error", 2),
        (["prices", "show", "--json", "--region", "eu-wset-1"], "price_error", 1),
        (["payload", "check", "gone.json", "--json"], "payload_error", 1),
        (["break-even", "gone.jsonl", "--json"], "sweep_file_error", 1),
        (["compare", "gone.jsonl", "gone.jsonl", "--json"], "sweep_file_error", 1),
        (["tune", "f", "--payload", "gone.json", "--json"], "payload_error", 1),
        (["prices", "refresh", "--from", "gone.json", "--json"], "price_error", 1),
        (["recover", "--function", "no function", "--json"], "usage_error", 2),
    ],
)
def test_an_error_is_one_object_where_json_is_asked_for(
    arguments: list[str], code: str, exit_code: int
) -> None:
    """A machine reads what went wrong where it reads the answer; the line is on stderr as ever."""
    ran = run_here(*arguments)
    assert ran.returncode == exit_code
    found = json.loads(ran.stdout)
    message = ran.stderr.strip().removeprefix("tuner: ")
    assert found == {
        "schema_version": 1, "kind": "error", "code": code, "message": message,
        "exit_code": exit_code,
    }  # fmt: skip


def test_a_setting_asks_for_json_as_the_option_does(tmp_path: Path) -> None:
    """TUNER_JSON and tuner.toml count for errors as for answers; what stands behind -- does not."""
    assert json.loads(run_here("report", "gone.jsonl", TUNER_JSON="1").stdout)["kind"] == "error"
    own = tmp_path / "lambda-tuner"
    own.mkdir()
    (own / "config.toml").write_text("json = true\n")
    ran = run_here("report", "gone.jsonl", cwd=own, XDG_CONFIG_HOME=str(tmp_path))
    assert json.loads(ran.stdout)["kind"] == "error"
    (tmp_path / "tuner.toml").write_text("json = true\n")
    assert json.loads(run_here("report", "gone.jsonl", cwd=tmp_path).stdout)["exit_code"] == 1
    assert run_here("report", "--", "--json").stdout == ""


def answers_in_json(command: list[str]) -> bool:
    """Whether the command has the option --json."""
    entry = COMMANDS[command[0]]
    for name in command[1:]:
        module, _, table = entry.target.partition(":")
        entry = getattr(import_module(f"tuner.cli.{module}"), table)[name]
    loaded = app._load(command[-1], entry, with_defaults=False)
    return any("--json" in parameter.opts for parameter in loaded.params)


WITH_JSON = [command for command in EVERY if answers_in_json(command)]


@pytest.mark.parametrize("command", WITH_JSON, ids=" ".join)
def test_every_command_with_json_tells_every_error_as_one_object(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wrong usage, a file that cannot be read, and what nobody foresaw; by option or setting."""
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "tuner.toml").write_text("json = \n")

    def fail(_command: object, _context: object) -> None:
        raise ValueError("a secret")

    for asked, variables in ((["--json"], {}), ([], {"TUNER_JSON": "1"})):
        told = {
            "usage_error": run_here(*command, "--no-such-option", *asked, **variables),
            "input_error": run_here(*command, *asked, cwd=broken, **variables),
        }
        with monkeypatch.context() as patch:
            patch.setattr("typer.core.TyperCommand.parse_args", lambda *_: [])
            patch.setattr("typer.core.TyperCommand.invoke", fail)
            told["unexpected_error"] = run_here(*command, *asked, **variables)
        for code, ran in told.items():
            found = json.loads(ran.stdout)
            assert (found["kind"], found["code"]) == ("error", code)
            assert found["exit_code"] == ran.returncode == (2 if code == "usage_error" else 1)
            assert "a secret" not in ran.stdout


def test_only_commands_with_json_are_asked_for_it_by_a_setting() -> None:
    """What is listed for that is what there is: a text answer's error stays a line."""
    assert {" ".join(command) for command in WITH_JSON} == exit_status._HAVE_JSON


@pytest.mark.parametrize(
    "arguments",
    [
        ["report", "a.jsonl", "--out", "a.html"],
        ["report", "a.jsonl", "b.jsonl", "--format", "svg"],
        ["break-even", "examples/sweeps/mixed.jsonl", "--rate", "1/s", "--per-month", "5M"],
        ["prices", "refresh", "--from", "a.json", "--region", "eu-west-1"],
        ["recover", "--take-over", "x"],
        ["tune", "f", *LOCALLY, "--endpoint-url", "http://127.0.0.1:1"],
        ["tune", "f", *LOCALLY, "--max-invocations", "3"],
        ["tune", "f", "--code", "examples", "--isolation", "version"],
        ["tune", "f", "--build"],
        ["tune", "f", "--hooks-each"],
        ["tune", "cpu-bond", *LOCALLY],
        ["tune", "no function", *LOCALLY],
        ["tune", "arn:aws:lambda:eu-west-1:123456789012:function:cpu-bound", *LOCALLY],
        ["tune", "cpu-bound", *LOCALLY, "--max-memory", "3539"],
        ["tune", "cpu-bound", *LOCALLY, "--memory-sizes", "128,10240"],
        ["tune", "cpu-bound", *LOCALLY, "--budget-usd", "0.000000001"],
        ["tune", "cpu-bound", *LOCALLY, "--exhaustive", "--budget-usd", "0.000000001"],
        ["tune", "cpu-bound", *LOCALLY, "--exhaustive", "--max-invocations", "2"],
        ["tune", "cpu-bound", *LOCALLY, "--once-each", "--payload", "{}"],
        ["tune", "f", "--once-each", "--payload", "{}", "--region", "us-east-1"],
    ],
)
def test_options_that_cannot_be_meant_so_are_wrong_usage(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code 2 in every command, before any endpoint is started or asked."""

    def started(*_arguments: object, **_options: object) -> None:
        raise AssertionError("an endpoint was started")

    monkeypatch.setattr("tuner.local.child_process.start_local_lambda", started)
    monkeypatch.setattr("tuner.local.execution.host.own_core_count", lambda: 2)
    ran = run_here(*arguments)
    assert ran.returncode == 2, ran.stderr
    one_line(ran)


def test_a_wrong_variable_is_blamed_on_itself(tmp_path: Path) -> None:
    """Not on an option that was not given; so is a wrong setting of a file."""
    line = one_line(run_here("tune", "f", TUNER_GOAL="best"))
    assert "Invalid value for TUNER_GOAL: 'best'" in line
    (tmp_path / "tuner.toml").write_text('goal = "best"\n')
    line = one_line(run_here("tune", "f", cwd=tmp_path))
    assert "Invalid value for goal in the settings: 'best'" in line
    assert "'--goal'" in one_line(run_here("tune", "f", "--goal", "best", TUNER_GOAL="cost"))


@pytest.mark.parametrize(
    ("closed", "exit_code", "said"),
    [
        (">&-", 1, "tuner: stdout is closed"),
        (">/dev/full", 1, "tuner: stdout can't be written (No space left on device)"),
        ("2>&-", 0, ""),
        ("<&-", 0, ""),
    ],
)
def test_a_closed_stream_gives_no_traceback(closed: str, exit_code: int, said: str) -> None:
    """One line where the answer has nowhere to go; the other streams may be missing."""
    ran = subprocess.run(
        ["bash", "-c", f"{sys.executable} -m tuner prices show --region us-east-1 {closed}"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == exit_code
    assert ran.stderr.startswith(said)
    assert len(ran.stderr.splitlines()) == bool(said)


@pytest.mark.parametrize("to", [">&-", ">/dev/full"])
@pytest.mark.parametrize(
    "words",
    [
        "--version", "--help", "tune -h", "iam-policy f", "payload show sqs", "payload sources",
        "report examples/sweeps/mixed.jsonl --format html",
        "break-even examples/sweeps/mixed.jsonl --format svg",
    ],
)  # fmt: skip
def test_an_answer_that_cannot_be_written_is_one_line(words: str, to: str) -> None:
    """Text, help and pictures alike: what is wrong is stdout, and nothing else."""
    ran = subprocess.run(
        ["bash", "-c", f"{sys.executable} -m tuner {words} {to}"],
        cwd=ROOT, env=variables_for(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 1
    assert "tuner: stdout " in ran.stderr.splitlines()[-1]
    assert "Traceback" not in ran.stderr
    assert "unexpected" not in ran.stderr


def test_a_folder_lists_its_sweeps(tmp_path: Path) -> None:
    """The line names what could have been meant, and an empty folder says that it is one."""
    ran = run_here("report", str(tmp_path))
    assert ran.returncode == 1
    assert "is a folder without sweeps" in one_line(ran)
    save_sweep(tmp_path / "a.jsonl", made_sweep())
    (tmp_path / "notes.jsonl").write_text("{}\n")
    line = one_line(run_here("report", tmp_path.name, cwd=tmp_path.parent))
    assert "give one of its sweeps" in line
    assert f"{tmp_path.name}/a.jsonl" in line
    assert "notes" not in line


def test_a_policy_for_no_function_is_refused() -> None:
    """A name that Lambda would not take is told in one line."""
    ran = run_here("iam-policy", "no function")
    assert ran.returncode == 2
    assert "not the name or ARN" in one_line(ran)


def test_prices_are_shown_as_json_with_exact_decimals() -> None:
    """Prices keep the digits that were published."""
    ran = run_here("prices", "show", "--region", "us-east-1", "--json")
    shown = json.loads(ran.stdout)
    [x86] = [entry for entry in shown["lambda"] if entry["architecture"] == "x86_64"]
    assert shown["kind"] == "prices"
    assert x86["duration_tiers"][0]["price_usd_per_gb_second"] == "0.0000166667"
    assert x86["duration_tiers"][-1]["upper_bound_gb_seconds"] is None


@pytest.mark.parametrize(
    ("words", "position", "completed"),
    [("tuner re", "1", ["report", "recover"]), ("tuner tune --mem", "2", ["--memory-sizes"])],
)
def test_shell_completion_knows_commands_and_options(
    words: str, position: str, completed: list[str]
) -> None:
    """A shell that asks for completions gets the commands, and the options of one."""
    asked = {"COMP_WORDS": words, "COMP_CWORD": position, "_TUNER_COMPLETE": "complete_bash"}
    ran = subprocess.run(
        [sys.executable, "-c", "from tuner.cli.main import main; main()"],
        cwd=ROOT,
        env={**os.environ, **asked},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.stdout.split() == completed
