"""What became of every recorded scenario, by class."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from tests.recorded.comparison import HANDLER

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from tests.recorded.comparison import Result

NOT_REPLAYED: Final[tuple[tuple[str, str], ...]] = (
    (
        "test_create_lambda_exceptions empty_architectures",
        "the SDK refuses it, and nothing is sent",
    ),
    ("update_table_response$", "a reply of DynamoDB"),
    ("delete_function_url_config_qualifier_alias_doesnotmatch_arn", "AWS failed inside"),
    ("TestLambdaDLQ::test_dead_letter_queue receive_result", "events that fail are only logged"),
    ("test_assume_role|test_lambda_different_iam_keys", "roles are kept, and never assumed"),
    ("test_runtime_introspection_arm", "this machine's processors are x86-64"),
    ("test_lambda_host_prefix_api_operation", "about other services' host names"),
)
"""Why a scenario, or a step of one, isn't played: "scenario step" has the pattern."""


def why_not(scenario: str, step: str = "") -> str | None:
    """Why a scenario or step isn't played; None if nothing says it."""
    found = (why for pattern, why in NOT_REPLAYED if re.search(pattern, f"{scenario} {step}"))
    return next(found, None)


def unaccounted(recorded: Mapping[str, Any], result: Result) -> list[str]:
    """Name what isn't played, and for which nothing says why."""
    played = {*result.scenarios}
    scenarios = (
        name
        for name, each in recorded.items()
        if name not in played and each["recorded-content"] and why_not(name) is None
    )
    steps = (f"{name} {step}" for name, step in result.not_replayed if why_not(name, step) is None)
    return [*scenarios, *steps]


def summary(result: Result, on_purpose: Collection[Any]) -> str:
    """Give the counts of replies of the API, and of what handlers said."""
    older = [
        each
        for each in result.differences
        if any(reason.is_older and reason.covers(each) for reason in on_purpose)
    ]
    lines = []
    for kind, wanted in (("the API", False), ("what handlers said", True)):
        same = sum(
            n for (_, operation), n in result.same.items() if (operation == HANDLER) == wanted
        )
        differ = sum((each.operation == HANDLER) == wanted for each in result.differences)
        since = sum((each.operation == HANDLER) == wanted for each in older)
        share = same / max(same + differ - since, 1)
        lines.append(
            f"{kind}: {same} fields and errors as on AWS, {differ - since} not, {share:.2%}; "
            f"{since} as AWS has answered since"
        )
    lines.append(
        f"{len(result.scenarios)} scenarios played, {result.steps.total()} steps compared, "
        f"{len(result.refused)} refused by name, {len(result.not_replayed)} not played"
    )
    return "\n".join(lines)


def by_class(recorded: Mapping[str, Any], result: Result) -> str:
    """Give the counts by class: of scenarios, then of fields and errors."""
    classes = list(dict.fromkeys(_class_of(name) for name in recorded))
    rows = [[name, *_row(name, recorded, result)] for name in classes]
    rows.append(["all", *(sum(row[n] for row in rows) for n in range(1, len(_COLUMNS) + 1))])
    lines = [f"{'class':32}" + "".join(f"{name:>10}" for name in _COLUMNS)]
    lines += [f"{row[0]:32}" + "".join(f"{each:10}" for each in row[1:]) for row in rows]
    return "\n".join(lines)


_COLUMNS: Final = ("scenarios", "compared", "refused", "no reply", "not played",
                   "same", "differ")  # fmt: skip


def _row(name: str, recorded: Mapping[str, Any], result: Result) -> list[Any]:
    own = [each for each in recorded if _class_of(each) == name]
    compared = [each for each in own if result.steps[each]]
    refused = {scenario for scenario, _ in result.refused} - {*compared}
    empty = [each for each in own if not recorded[each]["recorded-content"]]
    named = len(refused.intersection(own))
    return [
        len(own),
        len(compared),
        named,
        len(empty),
        len(own) - len(compared) - named - len(empty),
        sum(count for (each, _), count in result.same.items() if _class_of(each) == name),
        sum(_class_of(each.scenario) == name for each in result.differences),
    ]


def words(result: Result) -> str:
    """Give the words by which scenarios or parts of them were refused, with the counts of steps."""
    counts = Counter[str]()
    last = ""
    for said in result.refused.values():
        last = re.sub(r"the runtime \S+", "the runtime …", said) or last
        counts[last] += 1
    return "\n".join(f"{count:5}  {said}" for said, count in counts.most_common())


def reasons(result: Result, on_purpose: Iterable[Any]) -> str:
    """Give the reasons of differences with how many fields each explains."""
    lines = []
    for reason in on_purpose:
        count = sum(map(reason.covers, result.differences))
        lines.append(f"{count:5}  {reason.why}")
    return "\n".join(lines)


def _class_of(scenario: str) -> str:
    return scenario.partition("::")[0].removeprefix("Test")
