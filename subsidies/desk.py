"""What aid brings to the frame: side bar, to-dos of each signer, the child's panel and events."""

from django.db.models import Count
from django.urls import reverse
from django.utils import timezone

from bureau import desk
from bureau.access.models import Account
from bureau.desk import ToDo
from bureau.money import format_yuan
from bureau.organisation.terms import term_on
from bureau.pages import navigation
from bureau.pages.navigation import NavItem
from students import panels
from students.models import Determination, Student
from students.panels import Event, Panel
from subsidies.actions import granting
from subsidies.models import Grant, PublicNotice, TermClosing

STEP_TITLES = {
    "applied": "应助学生等待列入申请",
    "school_reviewed": "资助名单等待学校评审",
    "in_notice": "评审通过，等待公示",
    "submitted": "公示期满，等待上报",
    "county_approved": "资助等待县级审核",
    "finance_approved": "资助等待财政审核",
}


def lines_to_sign(account: Account) -> list[ToDo]:
    """Per step this account takes and programme: how many lines wait for it in the running term."""
    if not account.may("aid.view") or not account.county:
        return []
    term = term_on(account.county, timezone.localdate())
    if term is None or TermClosing.objects.filter(term=term).exists():
        return []
    counted = (
        Grant.objects.visible_to(account)
        .filter(term=term, programme__ended=False)
        .order_by()
        .values("programme", "programme__name", "programme__notice_days", "state")
        .annotate(count=Count("pk"))
    )
    todos = []
    for row in counted:
        for to, title in STEP_TITLES.items():
            if not account.may(granting.right_for(to)) or row["state"] not in _ready(
                to, row["programme__notice_days"]
            ):
                continue
            url = f"{reverse('subsidies:step_' + to, args=[row['programme']])}?term={term.code}"
            todos.append(
                ToDo(
                    title,
                    row["count"],
                    url,
                    tone="amber",
                    detail=f"{row['programme__name']} · {term}",
                    unit="人次",
                    icon="hand-coins",
                )
            )
    return todos


def _ready(to: str, notice_days: int) -> list[str]:
    if to == Grant.State.SUBMITTED:
        return [Grant.State.NOTICE_PASSED if notice_days else Grant.State.SCHOOL_REVIEWED]
    return granting.ready_for(to) if to != Grant.State.IN_NOTICE or notice_days else []


def notices_to_mind(account: Account) -> list[ToDo]:
    if not (account.may("aid.apply") or account.may("aid.review")) or account.scope.whole_county:
        return []
    today, url = timezone.localdate(), reverse("subsidies:notices")
    seen = PublicNotice.objects.visible_to(account)
    return [
        ToDo(
            "公示有异议未答复",
            seen.contested().count(),
            f"{url}?state=contested",
            tone="red",
            unit="份",
            icon="message-square-warning",
        ),
        ToDo(
            "公示期满，应撤下",
            seen.to_take_down(today).count(),
            f"{url}?state=down",
            tone="amber",
            unit="份",
            icon="file-x",
        ),
    ]


def determinations_to_decide(account: Account) -> list[ToDo]:
    url = reverse("subsidies:determinations")
    found = []
    for right, state, title in (
        ("aid.review", "applied", "困难认定申请等待评审"),
        ("aid.approve", "reviewed", "困难认定等待确认"),
    ):
        if account.may(right):
            waiting = Determination.objects.visible_to(account).filter(state=state).count()
            found.append(
                ToDo(title, waiting, f"{url}?state={state}", tone="amber", unit="人", icon="user-check")
            )
    return found


def panel_of(student: Student, account: Account) -> dict | None:
    """The child's aid, newest first; None for somebody who may not see aid or where there is none."""
    if not account.may("aid.view"):
        return None
    lines = (
        Grant.objects.visible_to(account)
        .filter(student=student)
        .select_related("programme", "term", "school")
        .order_by("-term__starts_on", "programme")
    )
    found = list(lines[:40])
    held = list(student.determinations.select_related("school_year").order_by("-valid_from"))
    return (
        {"lines": found, "determinations": held, "student": student, "may_apply": account.may("aid.apply")}
        if found or held or account.may("aid.apply")
        else None
    )


def events_of(student: Student, account: Account) -> list[Event]:
    if not account.may("aid.view"):
        return []
    lines = (
        Grant.objects.visible_to(account)
        .filter(student=student)
        .exclude(state="candidate")
        .select_related("programme", "term")
    )
    events = [
        Event(
            line.reference_on,
            "grants",
            f"{line.programme}：{line.get_state_display()}",
            f"{line.term}，{format_yuan(line.amount_fen)} 元",
            tone="green",
            url=line.get_absolute_url(),
        )
        for line in lines
    ]
    events += [
        Event(
            found.valid_from,
            "grants",
            f"困难认定：{found.get_tier_display()}（{found.get_state_display()}）",
            str(found.school_year),
            found.valid_to,
            tone="amber",
        )
        for found in student.determinations.select_related("school_year")
    ]
    return events


def plug_in() -> None:
    """Called once from `AppConfig.ready()`."""
    for provider in (lines_to_sign, notices_to_mind, determinations_to_decide):
        desk.register(provider)
    panels.register(Panel("grants", "资助", "subsidies/_panel.html", panel_of, events_of))
    navigation.register(
        NavItem("资助项目", "hand-coins", "subsidies:programmes", "aid.view", 62),
        NavItem("资助名册", "list-checks", "subsidies:grants", "aid.view", 63),
        NavItem("困难认定", "user-check", "subsidies:determinations", "aid.view", 64),
        NavItem("公示", "megaphone", "subsidies:notices", "aid.view", 65),
        NavItem("资金指标", "wallet", "subsidies:funds", "funds.view", 66),
    )
