"""To-dos about 学籍异动: who has to answer, whose suspension ends; and the panel on a child's page."""

from datetime import timedelta
from typing import Any

from django.db.models import Min, Q, QuerySet
from django.urls import reverse
from django.utils import timezone

from bureau import desk
from bureau.access.models import Account
from bureau.desk import ToDo
from bureau.organisation.models import School
from bureau.pages import navigation
from bureau.pages.navigation import NavItem
from students import panels
from students.models import Enrolment, Movement, Student
from students.panels import Event, Panel

State, Kind = Movement.State, Movement.Kind
SOON = timedelta(days=14)


def moves_to_answer(account: Account) -> list[ToDo]:
    """The receiving school claims, the sending one confirms; the bureau sees what is late and what is in dispute."""
    if not account.may("rosters.view"):
        return []
    today, page = timezone.localdate(), reverse("students:movements")
    seen = Movement.objects.visible_to(account)
    lapsed = _todo(
        "休学到期，请登记复学或延期",
        seen.lapsed(today),
        f"{page}?state=lapsed",
        late=True,
        by="until_on",
        icon="calendar-clock",
    )
    if account.scope.whole_county or not account.may("rosters.upload"):
        return [
            _todo("转学、联系函逾期未答复", seen.overdue(today), f"{page}?state=late", late=True),
            _todo(
                "转学两校意见不一，请协调",
                seen.filter(state=State.DENIED),
                f"{page}?state=denied",
                tone="amber",
            ),
            lapsed,
        ]
    mine = School.objects.visible_to(account).values("pk")
    inside = seen.filter(kind=Kind.IN_COUNTY)
    letters = seen.filter(state=State.ANNOUNCED).exclude(kind=Kind.IN_COUNTY)
    ending = seen.filter(state=State.RUNNING, until_on__range=(today, today + SOON))
    return [
        _todo(
            "有学生转来，请确认是否到校",
            inside.filter(state=State.ANNOUNCED, to_school__in=mine),
            f"{page}?state=announced&kind=in_county",
            tone="amber",
        ),
        _todo(
            "接收学校已接收，请确认转出",
            inside.filter(state=State.CLAIMED, school__in=mine),
            f"{page}?state=claimed",
            tone="amber",
        ),
        _todo(
            "转出学生还没有学校接收",
            inside.filter(state=State.ANNOUNCED, school__in=mine).overdue(today),
            f"{page}?state=late",
            late=True,
        ),
        _todo("转学联系函等待回执，请催办后登记", letters, f"{page}?state=announced"),
        _todo(
            "转学被对方不同意，请与县局联系",
            inside.filter(state=State.DENIED),
            f"{page}?state=denied",
            tone="amber",
        ),
        _todo("休学即将到期", ending, f"{page}?state=running", by="until_on", icon="calendar-clock"),
        lapsed,
    ]


def _todo(
    title: str,
    rows: QuerySet,
    url: str,
    *,
    tone: str = "blue",
    late: bool = False,
    by: str = "due_on",
    icon: str = "arrow-right-left",
) -> ToDo:
    count = rows.count()
    overdue = count if late else rows.overdue(timezone.localdate()).count()
    return ToDo(
        title, count, url, due_on=rows.aggregate(first=Min(by))["first"] if count else None,
        tone="red" if overdue else tone, late=overdue, unit="人", icon=icon,
    )  # fmt: skip


def waiting_for(account: Account) -> QuerySet[Movement]:
    """What the badge in the side bar counts: answers this account owes."""
    seen = Movement.objects.visible_to(account)
    if account.scope.whole_county or not account.may("rosters.upload"):
        return seen.overdue(timezone.localdate())
    mine = School.objects.visible_to(account).values("pk")
    return seen.filter(Q(state=State.ANNOUNCED, to_school__in=mine) | Q(state=State.CLAIMED, school__in=mine))


def panel_of(student: Student, account: Account) -> dict[str, Any] | None:
    if not account.may("rosters.view"):
        return None
    found = (
        Movement.objects.visible_to(account)
        .filter(enrolment__student=student)
        .select_related("school", "to_school")
    )
    stays = Enrolment.objects.none()
    if account.may("rosters.upload"):
        stays = Enrolment.objects.visible_to(account).filter(
            student=student, ended_on=None, school__isnull=False
        )
    if not found and not stays:
        return None
    return {"movements": found.order_by("-id"), "stays": stays.select_related("school")}


def events_of(student: Student, account: Account) -> list[Event]:
    if not account.may("rosters.view"):
        return []
    found = (
        Movement.objects.visible_to(account).filter(enrolment__student=student).exclude(state=State.WITHDRAWN)
    )
    return [
        Event(
            one.since_on, "movements", f"异动：{one.get_kind_display()}",
            "，".join(filter(None, [str(one.to_school or one.place), one.get_state_display()])), one.until_on, "amber",
            one.get_absolute_url(),
        )
        for one in found.select_related("to_school")
    ]  # fmt: skip


def plug_in() -> None:
    """Called once from `AppConfig.ready()`."""
    desk.register(moves_to_answer)
    panels.register(Panel("movements", "学籍异动", "students/_movements_panel.html", panel_of, events_of))
    navigation.register(
        NavItem("学籍异动", "arrow-right-left", "students:movements", "rosters.view", 32, waiting=waiting_for)
    )
