"""Finds all functions' sizes: the cheapest within a latency, the fastest within a cost, or the best
under a goal.

Cost adds up over functions, and a percentile of the whole does not; but no function's faster size
makes the whole slower. So the search goes down from the fastest sizes by what saves most for each
millisecond (a greedy descent, lazily evaluated), and then trades: every move of one function is
known exactly, pairs of moves are guessed by their sum and checked, until none is better.
"""

from __future__ import annotations

import heapq
import math
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tuner.decision.workflow.function_times import FunctionTimes
    from tuner.decision.workflow.latency import Latency
    from tuner.model.arrays import Floats

    Places = tuple[int, ...]
    Loss = Callable[[Floats, Floats], Floats]
    """Of latencies in ms and costs in USD; infinite where a limit is broken."""

_NEGLIGIBLE: Final = 1e-9
_CHECKED_COUNT: Final = 60
"""Pairs of moves that are checked in each round of trades."""
_MOST_ROUNDS: Final = 40
_SMALL_COUNT: Final = 300_000
"""Combinations of sizes. With more, functions have sizes so close that trades are enough."""
_MOST_LOOKS: Final = 4000


class SizeSearch:
    """Searches the places of all functions: 0 is a function's cheapest size, the last its fastest.

    Sizes that are both slower and dearer than another one have no place.
    """

    def __init__(
        self, functions: Sequence[FunctionTimes], latency: Latency, percentile: float
    ) -> None:
        self.options = tuple(_worthwhile(each) for each in functions)
        self._latency, self.percentile = latency, percentile
        self._known: dict[Places, float] = {}
        self._costs = [
            count * each.typical.cost_usd[list(columns)]
            for count, each, columns in zip(
                latency.call_counts, functions, self.options, strict=True
            )
        ]
        self._path: tuple[Places, ...] | None = None

    @property
    def fastest(self) -> Places:
        """Every function's fastest size."""
        return tuple(len(each) - 1 for each in self.options)

    def columns(self, places: Places) -> tuple[int, ...]:
        """The columns of the functions' sizes."""
        return tuple(each[place] for each, place in zip(self.options, places, strict=True))

    def duration_ms(self, places: Places) -> float:
        """The percentile of the whole."""
        found = self._known.get(places)
        if found is None:
            found = self._latency.percentile_ms(self.columns(places), self.percentile)
            self._known[places] = found
        return found

    def cost_of(self, number: int, place: int) -> float:
        """What a function adds to the cost of one execution."""
        return float(self._costs[number][place])

    def cost_usd(self, places: Places) -> float:
        """Of one execution's invocations."""
        return float(sum(costs[place] for costs, place in zip(self._costs, places, strict=True)))

    def cheapest(self, max_ms: float) -> Places | None:
        """The cheapest places whose percentile is at most `max_ms`; None if there are none."""
        if self.duration_ms(self.fastest) > max_ms:
            return None
        *_, lowest = self._descent(max_ms)
        found = self._traded(lowest, lambda ms, usd: np.where(ms <= max_ms, usd, np.inf))
        return _Branching(self, max_ms, found).best() if self._is_small else found

    @property
    def _is_small(self) -> bool:
        """Whether there are so few combinations that the best is found for sure."""
        return math.prod(map(len, self.options)) <= _SMALL_COUNT

    def fastest_within(self, max_cost_usd: float) -> Places | None:
        """The fastest places that cost at most `max_cost_usd`; None if there are none."""
        within = [each for each in self.frontier() if self.cost_usd(each) <= max_cost_usd]
        if not within:
            return None
        start = min(within, key=self.duration_ms)
        return self._traded(start, lambda ms, usd: np.where(usd <= max_cost_usd, ms, np.inf))

    def best(self, time_weight: float) -> Places:
        """The least log cost + `time_weight` × log duration."""

        def loss(ms: Floats, usd: Floats) -> Floats:
            logs = np.log(np.maximum(usd, 1e-30)) + time_weight * np.log(np.maximum(ms, 1e-9))
            return np.asarray(logs)

        return self._traded(min(self.frontier(), key=lambda each: self._of(each, loss)), loss)

    def frontier(self) -> tuple[Places, ...]:
        """Places from the fastest to the cheapest, each cheaper and slower than the one before."""
        if self._path is None:
            path = [*self._descent(math.inf), (0,) * len(self.options)]
            path.sort(key=lambda each: (self.duration_ms(each), self.cost_usd(each)))
            kept: list[Places] = []
            for each in path:
                if not kept or self.cost_usd(each) < self.cost_usd(kept[-1]):
                    kept.append(each)
            self._path = tuple(kept)
        return self._path

    def _of(self, places: Places, loss: Loss) -> float:
        ms, usd = np.array([self.duration_ms(places)]), np.array([self.cost_usd(places)])
        return float(loss(ms, usd)[0])

    def _descent(self, max_ms: float) -> Iterator[Places]:
        """From the fastest places to ever cheaper ones within `max_ms`: each step saves about the
        most for a millisecond.

        A step's worth is looked at again only when it comes first (Minoux's lazy greedy): what
        other functions do since rarely changes it.
        """
        places, heap = self.fastest, list[tuple[float, int, int]]()

        def add(number: int) -> None:
            for step in _steps(places[number]):
                if (worth := self._worth(places, number, step, max_ms)) is None:
                    return  # so is every larger step
                heapq.heappush(heap, (-worth, number, places[number] - step))

        for number in range(len(places)):
            add(number)
        yield places
        while heap:
            _, number, place = heapq.heappop(heap)
            if place >= places[number]:
                continue
            worth = self._worth(places, number, places[number] - place, max_ms)
            if worth is None:
                continue
            if heap and worth < -heap[0][0] * (1 - _NEGLIGIBLE):
                heapq.heappush(heap, (-worth, number, place))
                continue
            places = moved(places, number, place)
            yield places
            add(number)

    def _worth(self, places: Places, number: int, step: int, max_ms: float) -> float | None:
        """USD saved for each ms by a cheaper size of one function; None if that's too slow."""
        then = moved(places, number, places[number] - step)
        if (then_ms := self.duration_ms(then)) > max_ms:
            return None
        now_ms, costs = self.duration_ms(places), self._costs[number]
        saved_usd = float(costs[places[number]] - costs[places[number] - step])
        return saved_usd / max(then_ms - now_ms, _NEGLIGIBLE * max(now_ms, 1.0))

    def _traded(self, places: Places, loss: Loss) -> Places:
        """The least loss that moves of one or two functions at a time lead to."""
        least = self._of(places, loss)
        for _ in range(_MOST_ROUNDS):
            for then in self._moves(places, loss, least):
                if (found := self._of(then, loss)) < least - abs(least) * _NEGLIGIBLE:
                    places, least = then, found
                    break
            else:
                return places
        return places

    def _moves(self, places: Places, loss: Loss, least: float) -> Iterator[Places]:
        """Moves that should be better, the best first: of one function, or of two by the sum of
        what each does alone.
        """
        now_ms, now_usd = self.duration_ms(places), self.cost_usd(places)
        owner = np.concatenate([np.full(len(each), n) for n, each in enumerate(self.options)])
        place = np.concatenate([np.arange(len(each)) for each in self.options])
        ms = np.array(
            [
                self.duration_ms(moved(places, int(number), int(to)))
                for number, to in zip(owner, place, strict=True)
            ]
        )
        usd = np.concatenate(
            [costs - costs[at] for costs, at in zip(self._costs, places, strict=True)]
        )
        pair_ms = ms[:, None] + ms[None, :] - now_ms
        pair_usd = now_usd + usd[:, None] + usd[None, :]
        guess = loss(pair_ms, pair_usd)
        guess[(owner[:, None] >= owner[None, :])] = np.inf
        np.fill_diagonal(guess, loss(ms, now_usd + usd))
        first = np.argsort(guess, axis=None)[:_CHECKED_COUNT]
        for flat in first:
            one, other = divmod(int(flat), len(owner))
            if guess[one, other] >= least - abs(least) * _NEGLIGIBLE:
                return
            then = moved(places, int(owner[one]), int(place[one]))
            yield moved(then, int(owner[other]), int(place[other]))


class _Branching:
    """Branch and bound: places of one function after the other, the rest at their fastest for the
    latency and at their cheapest for the cost; what can't be better is left.
    """

    def __init__(self, search: SizeSearch, max_ms: float, found: Places) -> None:
        self._search, self._max_ms, self._best = search, max_ms, found
        self._least_usd = search.cost_usd(found)
        ranges = [
            search.cost_of(number, len(each) - 1) - search.cost_of(number, 0)
            for number, each in enumerate(search.options)
        ]
        self._order = sorted(range(len(ranges)), key=lambda number: -ranges[number])
        self._looks = 0

    def best(self) -> Places:
        """The cheapest within the limit."""
        base = sum(self._search.cost_of(number, 0) for number in range(len(self._order)))
        self._look(self._search.fastest, 0, base)
        return self._best

    def _look(self, places: Places, depth: int, least_usd: float) -> None:
        if depth == len(self._order):
            if least_usd < self._least_usd * (1 - _NEGLIGIBLE):
                self._best, self._least_usd = places, least_usd
            return
        number = self._order[depth]
        for place in range(self._first_within(places, number), len(self._search.options[number])):
            added = self._search.cost_of(number, place) - self._search.cost_of(number, 0)
            if least_usd + added >= self._least_usd * (1 - _NEGLIGIBLE):
                return
            if (looks := self._looks) >= _MOST_LOOKS:
                return
            self._looks = looks + 1
            self._look(moved(places, number, place), depth + 1, least_usd + added)

    def _first_within(self, places: Places, number: int) -> int:
        """The cheapest place of a function that is within the limit: a bisection."""
        low, high = 0, len(self._search.options[number]) - 1
        while low < high:
            middle = (low + high) // 2
            if self._search.duration_ms(moved(places, number, middle)) <= self._max_ms:
                high = middle
            else:
                low = middle + 1
        return low


def _worthwhile(function: FunctionTimes) -> tuple[int, ...]:
    """Columns of the allowed sizes, cheapest first; each is faster than all cheaper ones."""
    typical = function.typical
    duration = function.duration_ms + function.cold_share * typical.init_ms
    allowed = [column for column, is_allowed in enumerate(function.allowed) if is_allowed]
    kept: list[int] = []
    for column in sorted(allowed, key=lambda each: (typical.cost_usd[each], duration[each])):
        if not kept or duration[column] < duration[kept[-1]]:
            kept.append(column)
    return tuple(kept)


def _steps(most: int) -> Iterator[int]:
    """1, 2, 4 and so on, and the whole way."""
    step = 1
    while step < most:
        yield step
        step *= 2
    if most > 0:
        yield most


def moved(places: Places, number: int, place: int) -> Places:
    """The same places, but for one function's."""
    return (*places[:number], place, *places[number + 1 :])
