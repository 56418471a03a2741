"""To-dos of the turn of the year: who is to be handed over, who has not reported, whose destination or aid is open."""

from collections.abc import Iterable
from datetime import date
from typing import Any
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone

from bureau import desk
from bureau.access.models import Account
from bureau.desk import ToDo
from bureau.jobs import Job, results
from bureau.organisation.models import School, Stage
from bureau.pages import navigation
from bureau.pages.navigation import NavItem
from students import panels
from students.models import Leaver, Student, YearPlan
from students.models.turning import NEXT_STAGE
from students.panels import Event, Panel


def leavers_to_follow(account: Account) -> list[ToDo]:
    """What a school owes about its own leavers and about those handed over to it; the county looks at its lists."""
    if not account.may("rosters.upload") or account.scope.whole_county or account.county is None:
        return []
    plan = (
        YearPlan.objects.filter(county=account.county)
        .select_related("school_year")
        .order_by("-school_year__starts_in")
        .first()
    )
    if plan is None:  # no year has been turned here yet
        return []
    mine = School.objects.visible_to(account).values("pk")
    rows = Leaver.objects.filter(school_year=plan.school_year)
    own, awaited = rows.filter(enrolment__school__in=mine), rows.filter(to_school__in=mine)
    return [*_own(own, plan), *_awaited(awaited, plan)]


def _own(rows: QuerySet[Leaver], plan: YearPlan) -> list[ToDo]:
    waiting = rows.not_arrived().filter(destination="")
    return [
        _todo(
            "毕业学生还没有移交", waiting.filter(enrolment__stage__in=list(NEXT_STAGE), to_school=None), plan, plan.report_by,
            "handover", {}, detail="整班移交给要升入的学校", icon="send",
        ),
        _todo(
            "初中毕业生还没有登记去向", waiting.filter(enrolment__stage=Stage.JUNIOR), plan, plan.destination_by,
            "leavers", {"stage": "junior", "state": "unknown"}, detail="升学、就业或在家，可成批登记", icon="route",
        ),
    ]  # fmt: skip


def _awaited(rows: QuerySet[Leaver], plan: YearPlan) -> list[ToDo]:
    return [
        _todo(
            "移交来的新生还没有报到", rows.missing(), plan, plan.report_by, "leavers", {"state": "missing"},
            detail="来了的登记报到；没来的联系家长和原学校", icon="user-search",
        ),
        _todo(
            "升学受助学生待核对", rows.aided().filter(aid=""), plan, plan.aid_by, "aided", {"state": "open"},
            detail="续助、不再符合或未报到", icon="hand-heart",
        ),
    ]  # fmt: skip


def _todo(
    title: str,
    rows: QuerySet[Leaver],
    plan: YearPlan,
    due_on: date,
    page: str,
    query: dict[str, str],
    *,
    detail: str,
    icon: str,
) -> ToDo:
    late, count = due_on < timezone.localdate(), rows.count()
    asked = urlencode({"year": plan.school_year.starts_in} | query)
    return ToDo(
        title, count, f"{reverse(f'students:{page}')}?{asked}", due_on=due_on, tone="red" if late else "amber",
        late=count if late else 0, detail=detail, unit="人", icon=icon,
    )  # fmt: skip


def panel_of(student: Student, account: Account) -> dict[str, Any] | None:
    """What was handed over, reported and recorded when the child finished a stage."""
    found = list(_of(student, account))
    return {"leavers": told_of(found)} if found else None


def told_of(found: list[Leaver]) -> list[Leaver]:
    arrived = set(Leaver.objects.filter(pk__in=[one.pk for one in found]).arrived().values_list("pk", flat=True))
    for one in found:
        one.has_arrived = one.pk in arrived
    return found


def events_of(student: Student, account: Account) -> Iterable[Event]:
    for one in _of(student, account):
        if one.to_school and one.handed_on:
            yield Event(one.handed_on, "enrolment", f"移交到{one.to_school}", f"{one.enrolment.school}毕业")
        if one.destination:
            detail = "，".join(filter(None, [one.get_where_display(), one.place, one.evidence]))
            day = timezone.localdate(one.recorded_at)
            yield Event(day, "whereabouts", f"毕业去向：{one.get_destination_display()}", detail)


def _of(student: Student, account: Account) -> QuerySet[Leaver]:
    seen = Leaver.objects.visible_to(account).filter(enrolment__student=student)
    return seen.select_related("enrolment__school", "to_school", "school_year").order_by("-pk")


def _page_of_promotion(job: Job) -> str:
    return reverse("students:promotion", args=[job.params["promotion"]])


def plug_in() -> None:
    """Called once from `AppConfig.ready()`."""
    desk.register(leavers_to_follow)
    panels.register(Panel("leavers", "毕业与升学", "students/_turning_panel.html", panel_of, events_of))
    results.register("students.stage_promotion", _page_of_promotion)
    results.register("students.apply_promotion", _page_of_promotion)
    navigation.register(NavItem("学年更替", "calendar-sync", "students:year", "students.view", 37))
