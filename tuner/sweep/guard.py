"""Watches what comes back: which sizes fail and are left out, and what must stop a sweep.

It stops the sweep if it costs several times what was expected, if the function invokes itself,
always fails or returns only errors, or if whatever it calls begins to fail.
"""

from __future__ import annotations

from collections import Counter, deque
from typing import TYPE_CHECKING, Final, Literal

from tuner.decision.replies import ERRORS
from tuner.errors import ReportLineError
from tuner.logs import parse_reports
from tuner.model.invocation import Outcome, parse_trace
from tuner.sweep import findings
from tuner.sweep.outcome import import_failure

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from tuner.decision.policy import Trial
    from tuner.model.finding import Finding
    from tuner.model.invocation import Invocation, InvokeReply
    from tuner.model.plan import SweepPlan

_LEAST_INVOCATIONS: Final = 5
_TOO_MANY_TIMES: Final = 5.0
"""The estimate scales a mean of live traffic to other sizes, and may be off by up to this
factor."""
RECURSION_ERROR: Final = "RecursiveInvocationException"
"""Lambda's word for a loop that it stopped, sent to the last invoker (Invoke, Errors)."""
_WATCHED: Final = 8
_TOO_MANY_ERRORS: Final = 5
_LEAST_SIZES: Final = 2
_HANDFUL: Final = 5
_LEAST_SIZES_OF_ROW: Final = 3
_UNANSWERED: Final = (Outcome.LOST_REPLY, Outcome.SERVICE_ERROR)
# A function that sometimes fails keeps its sizes: with one failure in ten, three among the
# first five happen in 1% of all sizes.
_LEAST_ERRORS: Final = 3
_LEAST_ERRORS_ELSEWHERE: Final = 2
"""On another architecture, where a package may not run at all: one for each first try."""
_UNANSWERED_STREAK: Final = 5
_UNMEASURED_STREAK: Final = 3
LOOK_EVERY_S: Final = 60.0
"""CloudWatch's metrics have a point a minute."""


class RunawayGuard:
    """Looks at every reply and every invocation, and once a minute at the account's own metric.

    `count_dropped` returns how many invocations Lambda has dropped as recursive since the sweep
    began; None if that can't be known.
    """

    def __init__(
        self,
        plan: SweepPlan,
        *,
        count_dropped: Callable[[], int | None] = lambda: None,
        began_s: float = 0.0,
        current_mb: int = 0,
        takes_error_replies: bool = False,
    ) -> None:
        foresaw = plan.basis == "recent_duration" and plan.budget_usd is None
        count = max(plan.estimated_invocation_count, 1)
        self._cost = CostGuard(plan.estimated_cost_usd / count if foresaw else None)
        self._errors = ErrorGuard()
        self._repeats = RepeatGuard()
        self._replies = None if takes_error_replies else ReplyGuard(plan, current_mb)
        self._count_dropped = count_dropped
        self._next_look_s = began_s + LOOK_EVERY_S
        self._recursion: str | None = None
        self._import_failure: str | None = None
        self._has_run = False

    def remember(self, invocation: Invocation) -> None:
        """Count an invocation of an earlier run: after a good reply, not all replies are errors.

        What failed then may work now.
        """
        if self._replies is not None and invocation.reply_class not in ERRORS:
            self._replies.add(invocation)

    def look_at(self, reply: InvokeReply) -> None:
        """Check a reply before it is judged."""
        self._recursion = self._recursion or trace_came_back(reply)
        self._import_failure = self._import_failure or import_failure(reply)

    @property
    def cannot_load(self) -> bool:
        """Whether the function's code can't be imported, as far as is known."""
        return self._import_failure is not None and not self._has_run

    def alarm(self, invocation: Invocation, now_s: float) -> Finding | None:
        """Add one invocation; return why the sweep must stop, if it must."""
        if invocation.error_type == RECURSION_ERROR:
            self._recursion = "Lambda broke a loop of invocations"
        if self._recursion is None and now_s >= self._next_look_s:
            self._next_look_s = now_s + LOOK_EVERY_S
            if self._count_dropped():
                self._recursion = "Lambda dropped invocations of it as recursive"
        is_too_dear, is_failing = self._cost.add(invocation.cost_usd), self._errors.add(invocation)
        row = self._repeats.add(invocation)
        answers_errors = self._replies is not None and self._replies.add(invocation)
        self._has_run = self._has_run or invocation.outcome is Outcome.SUCCESS
        if self._import_failure is not None and self.cannot_load:
            return findings.import_fails(self._import_failure)
        if self._recursion is not None:
            return findings.recursion(self._recursion)
        if is_too_dear:
            return findings.RUNAWAY
        if row == "repeated event":
            return findings.repeated_event(invocation.error_type)
        if is_failing or row is not None:
            return findings.downstream_errors(invocation.error_type)
        return findings.ONLY_ERROR_REPLIES if answers_errors else None


class CostGuard:
    """Compares what was spent with what the agreed plan expected for so many invocations.

    If the plan knew no duration, its estimate is already the worst case; if a budget was given,
    that's what was agreed to. In both cases nothing is foreseen, and the guard does nothing.
    """

    def __init__(self, foreseen_usd: float | None) -> None:
        self._foreseen_usd = foreseen_usd
        """Per invocation; None: nothing to compare with."""
        self._count = 0
        self._spent_usd = 0.0

    def add(self, cost_usd: float) -> bool:
        """Add one invocation; say whether they cost too much."""
        self._count += 1
        self._spent_usd += cost_usd
        if self._foreseen_usd is None or self._count < _LEAST_INVOCATIONS:
            return False
        return self._spent_usd > _TOO_MANY_TIMES * self._count * self._foreseen_usd


class ErrorGuard:
    """Tells errors that begin during a sweep from a function that always fails, or sometimes does.

    Five of the last eight answers at sizes that had succeeded are errors, at two sizes or more:
    with one error in ten, that happens by chance in fewer than one of 2,000 such windows.
    """

    def __init__(self) -> None:
        self._succeeded: set[int] = set()
        self._last: deque[tuple[int, bool]] = deque(maxlen=_WATCHED)

    def add(self, invocation: Invocation) -> bool:
        """Add one invocation; say whether errors rise."""
        size = invocation.memory_mb
        if invocation.outcome is Outcome.SUCCESS:
            self._succeeded.add(size)
        elif invocation.outcome is not Outcome.FUNCTION_ERROR:
            return False
        if size in self._succeeded:
            self._last.append((size, invocation.outcome is Outcome.FUNCTION_ERROR))
        failing = [size for size, has_failed in self._last if has_failed]
        return len(failing) >= _TOO_MANY_ERRORS and len(set(failing)) >= _LEAST_SIZES


class RepeatGuard:
    """Finds errors that memory can't explain, before they have cost an invocation at every size.

    For one payload, five in a row fail with the same error type, at three sizes or more, none below
    the smallest that has succeeded. If their events had succeeded just once, the function may
    accept each event only once.
    """

    def __init__(self) -> None:
        self._succeeded: Counter[tuple[str, int | None]] = Counter()
        self._smallest_mb: dict[str, int] = {}
        self._rows: dict[str, list[Invocation]] = {}

    def add(self, invocation: Invocation) -> Literal["repeated event", "errors"] | None:
        """Add one invocation; say what a run of errors shows, if there is one."""
        payload, size = invocation.payload, invocation.memory_mb
        if invocation.outcome is Outcome.SUCCESS:
            self._succeeded[payload, invocation.event_index] += 1
            self._smallest_mb[payload] = min(size, self._smallest_mb.get(payload, size))
            self._rows[payload] = []
            return None
        if invocation.outcome is not Outcome.FUNCTION_ERROR:
            return None
        if size < self._smallest_mb.get(payload, size + 1):
            return None  # memory may be why
        row = self._rows.setdefault(payload, [])
        if row and row[-1].error_type != invocation.error_type:
            row.clear()
        row.append(invocation)
        if len(row) < _HANDFUL or len({each.memory_mb for each in row}) < _LEAST_SIZES_OF_ROW:
            return None
        successes = [self._succeeded[payload, each.event_index] for each in row]
        return "repeated event" if set(successes) == {1} else "errors"


class ReplyGuard:
    """Finds a function whose replies to a payload are all errors (a proxy's 4xx and 5xx, a batch's
    failures): the answer will be refused, and more of them wouldn't change that.

    It takes a handful, at three sizes or more, one of them the current size or larger, since below
    it memory may be why. If a parameter is varied, another value may work, so all payloads count as
    one.
    """

    def __init__(self, plan: SweepPlan, current_mb: int) -> None:
        self._is_varied = plan.varied is not None
        self._least_sizes = min(_LEAST_SIZES_OF_ROW, len(plan.sizes_mb))
        self._must_reach_mb = min(current_mb, max(plan.sizes_mb))
        self._good: set[str] = set()
        self._errors: dict[str, list[int]] = {}

    def add(self, invocation: Invocation) -> bool:
        """Add one invocation; say whether there are enough errors, and nothing else."""
        if invocation.outcome is not Outcome.SUCCESS or invocation.reply_class is None:
            return False
        payload = "" if self._is_varied else invocation.payload
        if invocation.reply_class not in ERRORS:
            self._good.add(payload)
        if payload in self._good:
            return False
        sizes = self._errors.setdefault(payload, [])
        sizes.append(invocation.memory_mb)
        return (
            len(sizes) >= _HANDFUL
            and len(set(sizes)) >= self._least_sizes
            and max(sizes) >= self._must_reach_mb
        )


def trace_came_back(reply: InvokeReply) -> str | None:
    """Return what in a reply shows that its own trace passed through the function before.

    Lambda counts a trace's passes through a function in the header's Lineage (`…:hash:count`,
    several separated by `|`). And a report of another request with this call's trace id belongs to
    a call that this one made.
    """
    fields = parse_trace(reply.trace_header)
    for part in fields.get("Lineage", "").split("|"):
        count = part.rpartition(":")[2]
        if count.isdecimal() and int(count[:4]) > 1:
            return "its trace header came back"
    root = fields.get("Root")
    try:
        reports = parse_reports(reply.log_tail) if root else ()
    except ReportLineError:
        return None
    own = reply.request_id
    if any(each.xray_trace_id == root and own not in (None, each.request_id) for each in reports):
        return "its log holds another invocation of the same trace"
    return None


class Health:
    """Counts outcomes, by size, and where architectures are compared, by architecture."""

    def __init__(self) -> None:
        self._outcomes: dict[tuple[int, str | None], Counter[Outcome]] = {}
        self._error_types: set[str | None] = set()
        self._unanswered_streak = 0
        self._unmeasured_streak = 0

    def count(self, invocation: Invocation, other: str | None = None) -> str | None:
        """Add an invocation; return why its size should be left out, if it should. `other` is its
        architecture, if that isn't the function's own.
        """
        outcomes = self._outcomes.setdefault((invocation.memory_mb, other), Counter())
        outcomes[invocation.outcome] += 1
        answered = invocation.outcome not in _UNANSWERED
        self._unanswered_streak = 0 if answered else self._unanswered_streak + 1
        if invocation.outcome is Outcome.SUCCESS:
            measured = invocation.report is not None
            self._unmeasured_streak = 0 if measured else self._unmeasured_streak + 1
        match invocation.outcome:
            case Outcome.OUT_OF_MEMORY:
                return "the function runs out of memory"
            case Outcome.TIMEOUT:
                return "the function times out"
            case Outcome.FUNCTION_ERROR:
                self._error_types.add(invocation.error_type)
                errors = outcomes[Outcome.FUNCTION_ERROR]
                if errors >= _LEAST_ERRORS and errors > outcomes[Outcome.SUCCESS]:
                    return f"the function fails ({invocation.error_type})"
        return None

    def fails_on(self, other: str) -> bool:
        """Whether only an architecture that isn't the function's own fails, with every call."""
        there = Counter[Outcome]()
        for (_, where), outcomes in self._outcomes.items():
            there += outcomes if where == other else Counter()
        errors, successes = there[Outcome.FUNCTION_ERROR], there[Outcome.SUCCESS]
        return errors >= _LEAST_ERRORS_ELSEWHERE and not successes and self.success_count > 0

    def forget_streaks(self) -> None:
        """What was unreachable before may be reachable now."""
        self._unanswered_streak = self._unmeasured_streak = 0

    @property
    def success_count(self) -> int:
        """Successes at all sizes."""
        return sum(outcomes[Outcome.SUCCESS] for outcomes in self._outcomes.values())

    @property
    def is_unreachable(self) -> bool:
        """Whether several calls in a row got no answer."""
        return self._unanswered_streak >= _UNANSWERED_STREAK

    @property
    def is_unmeasurable(self) -> bool:
        """Whether several successes in a row couldn't be timed."""
        return self._unmeasured_streak >= _UNMEASURED_STREAK

    def common_error(self, published_mb: Collection[int]) -> str | None:
        """Return the error type if every call at every published size has failed with it."""
        errors = sum(outcomes[Outcome.FUNCTION_ERROR] for outcomes in self._outcomes.values())
        total = sum(outcomes.total() for outcomes in self._outcomes.values())
        tried_all = {size for size, _ in self._outcomes} >= set(published_mb)
        if errors < total or errors < _LEAST_ERRORS or not tried_all:
            return None
        return next(iter(self._error_types)) if len(self._error_types) == 1 else None


class LeftOut:
    """The sizes that are left out, entirely or with one value of a varied parameter.

    What fails with one value may work with another.
    """

    def __init__(self, plan: SweepPlan) -> None:
        self._values = {
            each.name: f"{each.variant.parameter}={each.variant.value}"
            for each in plan.payloads
            if each.variant is not None
        }
        self.sizes_mb: set[int] = set()
        """Those left out with every value."""
        self._with_value: set[tuple[int, str]] = set()

    def value_of(self, payload: str) -> str | None:
        """The value that a payload was made with: `batch_size=5`; None if nothing is varied."""
        return self._values.get(payload)

    def has(self, trial: Trial) -> bool:
        """Whether a trial's size is left out, entirely or with its payload's value."""
        value = self._values.get(trial.payload, "")
        return trial.memory_mb in self.sizes_mb or (trial.memory_mb, value) in self._with_value

    def add(self, memory_mb: int, value: str | None = None) -> None:
        """Leave a size out, or leave it out with a value."""
        if value is None:
            self.sizes_mb.add(memory_mb)
        else:
            self._with_value.add((memory_mb, value))
