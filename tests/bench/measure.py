"""Times, memory and the lines a measurement prints."""

import gc
import resource
import statistics
import sys
import time
from collections.abc import Callable, Iterable


def seconds_of(work: Callable[[], object]) -> float:
    gc.collect()
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def side_by_side(works: dict[str, Callable[[], object]], *, times: int) -> dict[str, float]:
    """The median seconds of each piece of work, taken in turns so that a busy minute hits all of them."""
    taken: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(times):
        for name, work in works.items():
            taken[name].append(seconds_of(work))
    return {name: statistics.median(values) for name, values in taken.items()}


def peak_megabytes(*, of_children: bool = False) -> float:
    """The most memory this process (or the largest of its finished children) ever held."""
    who = resource.RUSAGE_CHILDREN if of_children else resource.RUSAGE_SELF
    return resource.getrusage(who).ru_maxrss / 1024


def say(text: str) -> None:
    """Tell on stderr what is going on."""
    print(f"… {text}", file=sys.stderr, flush=True)


def table(title: str, rows: Iterable[tuple[str, str, str]]) -> None:
    """Print (what, measured, aim) rows."""
    print(f"\n== {title}")
    for what, measured, aim in rows:
        print(f"  {what:<58} {measured:>16}  {aim}")
    sys.stdout.flush()
