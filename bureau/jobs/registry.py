"""Which function does which kind of job. Functions register themselves in their app's `tasks` module."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.utils.module_loading import autodiscover_modules

from bureau.jobs.errors import UnknownKind

JobFunction = Callable[..., dict[str, Any] | None]


@dataclass(frozen=True)
class Kind:
    """`title` is what the jobs page calls it; `exclusive` names what two running jobs may not share."""

    name: str
    function: JobFunction
    title: str
    exclusive: str | None

    def exclusive_key(self, county_id: Any, params: dict[str, Any]) -> str | None:
        return self.exclusive.format(county=county_id, **params) if self.exclusive else None


_kinds: dict[str, Kind] = {}


def job(kind: str, *, title: str = "", exclusive: str | None = None) -> Callable[[JobFunction], JobFunction]:
    """Register `function(run: Job, **params)` as what a job of this kind does.

    `exclusive` is a pattern over `county` and the parameters, such as `"students.reconcile:{county}"`: of the jobs
    whose pattern comes out the same only one runs at a time, the others wait their turn. The function may return
    the job's result; it must bear being started again after a crash, from `run.cursor`.
    """

    def register(function: JobFunction) -> JobFunction:
        known = _kinds.get(kind)
        if known and (known.function.__module__, known.function.__qualname__) != (
            function.__module__,
            function.__qualname__,
        ):
            raise ValueError(f"two functions for job kind {kind!r}")
        _kinds[kind] = Kind(kind, function, title or kind, exclusive)
        return function

    return register


def find(kind: str) -> Kind:
    """The registered kind; raises UnknownKind."""
    if kind not in _kinds:
        autodiscover_modules("tasks")
    if kind not in _kinds:
        raise UnknownKind(kind)
    return _kinds[kind]
