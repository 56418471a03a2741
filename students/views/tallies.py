"""What stands behind the numbers of a roster's page, where rows of an earlier one are carried over into it."""

from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

from django.db.models import Count

from bureau.sheets.codes import CODES, ERROR, WARNING
from students.models import Roster, RosterRow

COUNTS = ("accepted", "rejected", "new", "changed", "unchanged", "absent")
Place = tuple[Any, str | None, int | None]  # (roster whose file it is, sheet, row)


@dataclass(frozen=True)
class Tally:
    """Counts of all rows that would be applied; `carried` of them are not the file's own."""

    accepted: int
    rejected: int
    new: int
    changed: int
    unchanged: int
    absent: int
    carried: int = 0
    carried_rejected: int = 0


@dataclass(frozen=True)
class Seen:
    """A kind of warning a person ticks before he confirms."""

    code: str
    title: str
    count: int
    example: str


def tally_of(roster: Roster) -> Tally:
    own = Tally(**{name: getattr(roster, name) for name in COUNTS})
    if not roster.completes_id:
        return own
    carried = RosterRow.objects.filter(roster=roster, carried=True).order_by()
    counted = carried.values_list("status", "verdict").annotate(Count("pk"))
    more: Counter[str] = Counter()
    for status, verdict, count in counted:
        more[status] += count
        if status == RosterRow.Status.ACCEPTED:
            more[verdict] += count
    added = {name: getattr(own, name) + more[name] for name in COUNTS}
    return replace(own, **added, carried=more["accepted"] + more["rejected"], carried_rejected=more["rejected"])


def warnings_of(roster: Roster) -> list[Seen]:
    """The warnings on what would be applied, by kind: those of the file, and those nobody has ticked of carried rows."""
    found = [problem for problem in _on_good_rows(roster.problems) if problem["level"] == WARNING]
    waiting = set(
        RosterRow.objects.filter(roster=roster, carried=True, settled=False, status=RosterRow.Status.ACCEPTED)
        .values_list("origin", "sheet", "row")
        if roster.completes_id
        else []
    )
    for origin, problems in problems_of({place[0] for place in waiting}).items():
        found += [p for p in problems if p["level"] == WARNING and (origin, p["sheet"], p["row"]) in waiting]
    counts = Counter(problem["code"] for problem in found)
    first = {problem["code"]: problem["message"] for problem in reversed(found)}
    titles = {code: CODES[code].title if code in CODES else first[code] for code in counts}
    return [Seen(code, titles[code], count, first[code]) for code, count in counts.most_common()]


def problems_of(rosters: set[Any]) -> dict[Any, list[dict[str, Any]]]:
    return dict(Roster.objects.filter(pk__in=rosters).values_list("pk", "problems")) if rosters else {}


def _on_good_rows(problems: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Problems of the tables, and of rows without an error: a row with one is not applied."""
    bad = {(p["sheet"], p["row"]) for p in problems if p["level"] == ERROR}
    return [p for p in problems if p["row"] is None or (p["sheet"], p["row"]) not in bad]
