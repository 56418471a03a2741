"""What the API answers: states, counts and verdicts on the rows an office pushed itself. Never anything we hold of a person.

A row is told by its place among the pushed rows, the first is 1; in the kept file the header stands above it.
"""

from collections import defaultdict
from typing import Any

from django.db.models import Case, IntegerField, Max, Value, When

from bureau.jobs import Job
from students.actions.registers import row_verdicts
from students.intake.known import register_names
from students.models import Delivery, ExchangeToken, Sighting, Snapshot
from students.sheets import sheets_of

STATES = {
    "open": "正在推送",
    "waiting": "已结束推送，等待整理",
    "reading": "正在读取、核对",
    "held": "退出的人较多，等待县教育局确认",
    "closed": "已入库",
    "refused": "无法读取，见 file_error",
    "dropped": "县教育局决定不采用",
    "stopped": "处理中断，请再调用一次 close",
    "abandoned": "超过 7 天没有结束，已清除",
}
COUNTS = ("rows", "accepted", "rejected", "warned", "skipped", "added", "removed", "changed", "same")
VERDICTS = {"unlinked": 0, "proposed": 1, "linked": 2}  # a row of several people counts by its best
HEADER_LINES = 1


def told_registers(token: ExchangeToken) -> list[dict[str, Any]]:
    """The lists the token may push, and of which day the newest one is."""
    titles = register_names(token.county)
    closed = Snapshot.objects.closed().filter(county=token.county_id, register__name__in=token.registers)
    newest = dict(closed.values_list("register__name").annotate(Max("as_of")).order_by())
    return [
        {
            "name": name,
            "title": titles[name],
            "newest_as_of": newest[name].isoformat() if name in newest else None,
            "headers": [column.header for column in sheets_of(name)[0].columns],
        }
        for name in token.registers
        if name in titles
    ]


def state_of(delivery: Delivery) -> str:
    if delivery.purged_at:
        return "abandoned"
    if delivery.closed_at is None:
        return "open"
    if delivery.is_stuck:
        return "stopped"
    return str(delivery.snapshot.state) if delivery.snapshot else "waiting"


def told_delivery(delivery: Delivery) -> dict[str, Any]:
    """A list as far as it has come, without its problems."""
    snapshot = delivery.snapshot
    closed = snapshot is not None and snapshot.state == Snapshot.State.CLOSED
    return {
        "id": str(delivery.pk),
        "register": delivery.register,
        "as_of": delivery.as_of.isoformat(),
        "scope": delivery.township.code if delivery.township else None,
        "partial": delivery.partial,
        "state": state_of(delivery),
        "received_rows": delivery.rows,
        "job": _told_job(delivery.working),
        "counts": {name: getattr(snapshot, name) for name in COUNTS} if closed else None,
        "verdicts": row_verdicts(snapshot) if closed else None,
        "file_error": snapshot.file_error if snapshot else None,
    }


def told_problems(delivery: Delivery, *, offset: int, limit: int) -> dict[str, Any]:
    """A page of what the reading found, in the order of the rows."""
    problems = delivery.snapshot.problems if delivery.snapshot else []
    return {
        "count": len(problems),
        "next_offset": offset + limit if offset + limit < len(problems) else None,
        "items": [
            {
                "row": _place(problem["row"]),
                "column": problem["column"],
                "level": problem["level"],
                "code": problem["code"],
                "message": problem["message"],
            }
            for problem in problems[offset : offset + limit]
        ],
    }


def told_rows(snapshot: Snapshot, *, verdict: str | None, after: int, limit: int) -> dict[str, Any]:
    """Rows behind `after`: their verdict of today and the codes of their problems.

    A row that was rejected or passed over has no verdict; it is told only where no verdict is asked for.
    """
    best = Case(
        *(When(entry__link_state=state, then=Value(rank)) for state, rank in VERDICTS.items()), output_field=IntegerField()
    )
    sightings = Sighting.objects.filter(snapshot=snapshot, row__gt=after + HEADER_LINES)
    seen = sightings.order_by("row").values("row").annotate(best=Max(best))
    if verdict:
        seen = seen.filter(best=VERDICTS[verdict])
    words = {rank: state for state, rank in VERDICTS.items()}
    found = {row - HEADER_LINES: words[rank] for row, rank in seen.values_list("row", "best")[: limit + 1]}
    codes = defaultdict(list)
    for problem in snapshot.problems:
        if problem["row"] is not None:
            codes[_place(problem["row"])].append(problem["code"])
    if verdict is None:
        # Beyond the last row of a full page stand rows that were not asked for yet.
        last = max(found) if len(found) > limit else None
        apart = {row for row in codes if row > after and (last is None or row < last)} - found.keys()
        found |= dict.fromkeys(apart)
    rows = sorted(found)
    return {
        "items": [{"row": row, "verdict": found[row], "problems": codes[row]} for row in rows[:limit]],
        "next_after": rows[limit - 1] if len(rows) > limit else None,
    }


def _place(line: int | None) -> int | None:
    return None if line is None else line - HEADER_LINES


def _told_job(job: Job | None) -> dict[str, Any] | None:
    if job is None:
        return None
    return {
        "id": str(job.pk),
        "state": str(job.state),
        "done": job.done,
        "total": job.total,
        "message": job.error_text or job.message,
    }
