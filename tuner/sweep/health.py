"""Which sizes fail and are left out, and whether the function fails altogether."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from tuner.model.invocation import Outcome

if TYPE_CHECKING:
    from collections.abc import Collection

    from tuner.decision.policy import Trial
    from tuner.model.invocation import Invocation
    from tuner.model.plan import SweepPlan

_UNANSWERED = (Outcome.LOST_REPLY, Outcome.SERVICE_ERROR)
# A function that fails now and then shall keep its sizes: with one failure in ten, three among the
# first five happen in 1 % of all sizes.
_LEAST_ERRORS: Final = 3
_UNANSWERED_STREAK: Final = 5
_UNMEASURED_STREAK: Final = 3


class Health:
    """Counts outcomes, size by size."""

    def __init__(self) -> None:
        self._outcomes: dict[int, Counter[Outcome]] = {}
        self._error_types: set[str | None] = set()
        self._unanswered_streak = 0
        self._unmeasured_streak = 0

    def count(self, invocation: Invocation) -> str | None:
        """Take an invocation; return why its size should take no further part, if it should."""
        outcomes = self._outcomes.setdefault(invocation.memory_mb, Counter())
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

    def forget_streaks(self) -> None:
        """What was unreachable before may be reached now."""
        self._unanswered_streak = self._unmeasured_streak = 0

    @property
    def success_count(self) -> int:
        """Successes at all sizes."""
        return sum(outcomes[Outcome.SUCCESS] for outcomes in self._outcomes.values())

    @property
    def is_unreachable(self) -> bool:
        """Whether several calls in a row were not answered."""
        return self._unanswered_streak >= _UNANSWERED_STREAK

    @property
    def is_unmeasurable(self) -> bool:
        """Whether several successes in a row did not tell how long they took."""
        return self._unmeasured_streak >= _UNMEASURED_STREAK

    def common_error(self, published_mb: Collection[int]) -> str | None:
        """Return the error type if every call at every published size has failed with it."""
        errors = sum(outcomes[Outcome.FUNCTION_ERROR] for outcomes in self._outcomes.values())
        total = sum(outcomes.total() for outcomes in self._outcomes.values())
        tried_all = all(size in self._outcomes for size in published_mb)
        if errors < total or errors < _LEAST_ERRORS or not tried_all:
            return None
        return next(iter(self._error_types)) if len(self._error_types) == 1 else None


class LeftOut:
    """The sizes that take no further part, at all or with one value of a varied parameter.

    What fails with one value may do with another.
    """

    def __init__(self, plan: SweepPlan) -> None:
        self._values = {
            each.name: f"{each.variant.parameter}={each.variant.value}"
            for each in plan.payloads
            if each.variant is not None
        }
        self.sizes_mb: set[int] = set()
        """Those that are left out with whatever value."""
        self._with_value: set[tuple[int, str]] = set()

    def value_of(self, payload: str) -> str | None:
        """The value that a payload was made with: `batch_size=5`; None where nothing is varied."""
        return self._values.get(payload)

    def has(self, trial: Trial) -> bool:
        """Whether a trial's size is left out, at all or with its payload's value."""
        value = self._values.get(trial.payload, "")
        return trial.memory_mb in self.sizes_mb or (trial.memory_mb, value) in self._with_value

    def add(self, memory_mb: int, value: str | None = None) -> None:
        """Leave a size out, or leave it out with a value."""
        if value is None:
            self.sizes_mb.add(memory_mb)
        else:
            self._with_value.add((memory_mb, value))
