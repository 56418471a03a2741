"""From a finished job to the page that shows what came out of it; rooms plug theirs in from `AppConfig.ready()`."""

from collections.abc import Callable

from bureau.jobs.models import Job

_pages: dict[str, Callable[[Job], str | None]] = {}


def register(kind: str, url_of: Callable[[Job], str | None]) -> None:
    """`url_of(job)` is asked for finished jobs of `kind`."""
    _pages[kind] = url_of


def url_of(job: Job) -> str | None:
    page = _pages.get(job.kind)
    return page(job) if page else None
