"""What the upper rooms add to the demo county once its rolls and lists are in; plugged in from `AppConfig.ready()`.

steps.register(step)      step(progress=tell): through the actions people use, as the demo's accounts
"""

from collections.abc import Callable

Step = Callable[..., object]

_steps: list[Step] = []


def register(step: Step) -> None:
    if step not in _steps:
        _steps.append(step)


def run_all(*, progress: Callable[[str], None]) -> None:
    for step in _steps:
        step(progress=progress)
