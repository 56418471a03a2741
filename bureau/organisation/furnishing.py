"""What a county needs before anybody works in it; the rooms plug it in from `AppConfig.ready()`.

furnishing.register(install)      install(county, by=account): twice is as good as once
"""

from collections.abc import Callable

from bureau.organisation.models import County

_furnishers: list[Callable[..., object]] = []


def register(furnisher: Callable[..., object]) -> None:
    if furnisher not in _furnishers:
        _furnishers.append(furnisher)


def furnish(county: County, *, by) -> None:
    """Called where a county comes into being or is imported again."""
    for furnisher in _furnishers:
        furnisher(county, by=by)
