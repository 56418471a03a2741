"""To-dos about 学生群体, and the panel on a child's page."""

from datetime import timedelta

from django.urls import reverse
from django.utils import timezone

from bureau import desk
from bureau.access.models import Account
from bureau.desk import ToDo
from bureau.organisation.terms import term_on
from bureau.pages import navigation
from bureau.pages.navigation import NavItem
from students import panels
from students.models import GroupFact, Student
from students.models.groups import check_by
from students.panels import Event, Panel

SOON = timedelta(days=7)
DUE, UNLISTED = "due", "unlisted"  # states of the ledger; students.views.groups offers them


def facts_to_check(account: Account) -> list[ToDo]:
    """This term's re-check, for the schools whose children they are; late after its last day."""
    if not account.may("rosters.upload") or account.scope.whole_county or account.county is None:
        return []
    today = timezone.localdate()
    term = term_on(account.county, today)
    if term is None:
        return []
    due = GroupFact.objects.visible_to(account).to_check(term).count()
    last = check_by(term)
    tone = "red" if today > last else "amber" if today + SOON >= last else "blue"
    return [
        ToDo(
            "留守、随迁等群体，请复核", due, f"{reverse('students:groups')}?state={DUE}", due_on=last, tone=tone,
            late=due if today > last else 0, detail="每学期核对一次，情况不变的一起确认", unit="人次", icon="users-round",
        ),
        ToDo(
            "群体来自部门名单，名单上已没有", GroupFact.objects.visible_to(account).off_the_list(today).count(),
            f"{reverse('students:groups')}?state={UNLISTED}", tone="amber", detail="核实后结束，或改为其他来源", unit="人次",
            icon="users-round",
        ),
    ]  # fmt: skip


def panel_of(student: Student, account: Account) -> dict | None:
    facts = (
        GroupFact.objects.standing()
        .filter(student=student)
        .select_related("site")
        .order_by("-valid_from", "-pk")
    )
    may_edit = account.may("rosters.upload")
    if not may_edit and not facts:
        return None
    return {"facts": facts, "student": student, "may_edit": may_edit, "today": timezone.localdate()}


def events_of(student: Student, account: Account) -> list[Event]:
    return [
        Event(
            one.valid_from,
            "groups",
            f"登记：{one.get_group_display()}",
            "，".join(filter(None, [one.get_source_display(), one.evidence])),
            one.valid_to,
            "amber",
        )
        for one in GroupFact.objects.standing().filter(student=student)
    ]


def plug_in() -> None:
    """Called once from `AppConfig.ready()`."""
    desk.register(facts_to_check)
    panels.register(Panel("groups", "学生群体", "students/_groups_panel.html", panel_of, events_of))
    navigation.register(NavItem("学生群体", "users-round", "students:groups", "students.view", 25))
