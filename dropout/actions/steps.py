"""What every step of a case has in common: the locked case, a day that can be true, the transition, and the next deadline."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Max

from bureau import states
from bureau.states import Transition
from dropout.models import Case, Episode
from dropout.models.cases import ENDED
from dropout.models.deadlines import counted

State = Case.State


class NotDone(Exception):
    """The step cannot be taken; `code` for programs, `message` for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


@dataclass(frozen=True)
class When:
    """The day a step took effect. Earlier than today it is entered late, and needs a word why."""

    on: date
    today: date
    late_because: str = ""


def locked(case: Case, *sources: str) -> tuple[Case, Episode]:
    """The case as it is now, held until the transaction ends, and its episode. Raises NotDone where it moved on."""
    found = Case.objects.select_for_update(of=["self"]).select_related("county", "student__person").get(pk=case.pk)
    if found.state not in sources:
        raise NotDone("moved_on", f"这个个案现在是“{found.get_state_display()}”，不能这样办。请刷新后再看。")
    return found, found.episodes.get(ended_on=None)


def check_day(case: Case, episode: Episode, when: When) -> None:
    """Not in the future, not before the episode began nor before the last step; back-dated only with a reason.

    Source: docs/rules/dropout.md, “补录”.
    """
    if when.on > when.today:
        raise NotDone("in_the_future", "日期不能晚于今天。")
    if when.on < episode.opened_on:
        raise NotDone("before_the_case", f"日期不能早于立案日期（{episode.opened_on}）。")
    last = Transition.objects.of(case).aggregate(last=Max("effective_on"))["last"]
    if last and when.on < last:
        raise NotDone("before_last_step", f"日期不能早于上一步（{last}）。")
    if when.on < when.today and not when.late_because.strip():
        raise NotDone("reason_required", "日期早于今天的，请写明补录的原因。")


def take(
    case: Case, episode: Episode, *, to: str, when: When, by, reason: str = "", due_on: date | None = None,
    also: Mapping[str, Any] | None = None, facts: Mapping[str, Any] | None = None,
) -> None:  # fmt: skip
    """The case goes to `to`; `also` are columns of the case, `facts` of the episode. An ended case ends its episode.

    The next deadline is that of the new stage, unless `due_on` gives another.
    """
    ends = to in ENDED
    due = None if ends else due_on or counted(case.county, to, when.on)
    said = reason.strip() + (f"（补录：{when.late_because.strip()}）" if when.on < when.today else "")
    one = Case.objects.filter(pk=case.pk)
    states.move(one, to=to, by=by, reason=said, effective_on=when.on, also={"due_on": due, **(also or {})})
    told = {**(facts or {}), **({"ended_on": when.on, "outcome": to} if ends else {})}
    if told:
        Episode.objects.filter(pk=episode.pk).update(**told)


def needed(text: str, code: str, message: str) -> str:
    if not text.strip():
        raise NotDone(code, message)
    return text.strip()
