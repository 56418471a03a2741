"""What dropout control brings to the frame: side bar, to-dos of school, township and bureau, the child's panel and events."""

from django.db.models import Count, Min, Q
from django.urls import reverse
from django.utils import timezone

from bureau import desk
from bureau.access.models import Account
from bureau.access.roles import Role
from bureau.desk import ToDo
from bureau.pages import navigation
from bureau.pages.navigation import NavItem
from dropout.models import Case, ReturnOrder
from students import panels
from students.models import Student
from students.panels import Event, Panel

STAGES = {
    "suspected": ("疑似失学、辍学，请当日交办核查", "dropout.work"),
    "verifying": ("失学、辍学线索核查中", "dropout.work"),
    "confirmed": ("确认失学、辍学，请组成专班", "dropout.work"),
    "persuading": ("劝返中，按期走访", "dropout.work"),
    "ordered": ("限期复学通知书：送达、到期", "dropout.order"),
    "returned": ("已复学，确认在校后进入巩固观察", "dropout.work"),
    "placed_special": ("特教、送教安置待落实", "dropout.work"),
}


def cases_to_work(account: Account) -> list[ToDo]:
    """One line per stage: what waits, what is late, when the next is due."""
    if not account.may("dropout.view"):
        return []
    today = timezone.localdate()
    rows = Case.objects.visible_to(account).working().order_by().values("state")
    told = rows.annotate(count=Count("pk"), late=Count("pk", filter=Q(due_on__lt=today)), due=Min("due_on"))
    held = {row["state"]: row for row in told}
    return [
        ToDo(
            title, held[state]["count"], f"{reverse('dropout:cases')}?state={state}", due_on=held[state]["due"],
            tone="red" if held[state]["late"] else "amber", late=held[state]["late"], unit="人", icon="footprints",
        )
        for state, (title, right) in STAGES.items()
        if state in held and account.may(right)
    ]  # fmt: skip


def signatures_to_give(account: Account) -> list[ToDo]:
    """Watched children whose line has not signed, and those that can be struck off."""
    if not account.may("dropout.view"):
        return []
    today, url = timezone.localdate(), reverse("dropout:cases")
    seen = Case.objects.visible_to(account)
    asked = (
        ("dropout.sign_government", "巩固观察期满，请政府线签字", "unsigned_government", seen.unsigned("government", today)),
        ("dropout.sign_education", "巩固观察期满，请教育线签字", "unsigned_education", seen.unsigned("education", today)),
        ("dropout.decide", "双线已签字，请办理销号", "to_strike_off", seen.to_strike_off(today)),
    )
    return [
        ToDo(title, rows.count(), f"{url}?state={state}", tone="amber", unit="人", icon="signature")
        for right, title, state, rows in asked
        if account.may(right)
    ]


def contradictions(account: Account) -> list[ToDo]:
    """Out of school here, present on a roll there: somebody has to say which."""
    if not account.may("dropout.work"):
        return []
    seen = Case.objects.visible_to(account).seen_at_school()
    url = f"{reverse('dropout:cases')}?state=seen"
    return [ToDo("台账上失学、辍学，花名册上已在校，请确认复学", seen.count(), url, tone="red", unit="人", icon="split")]


def poor_out_of_school(account: Account) -> list[ToDo]:
    """The director sees a poor dropout the same day."""
    if not account.may("dropout.view") or not account.scope.roles & {Role.SUPERVISOR, Role.BASIC_EDUCATION_OFFICER}:
        return []
    count = Case.objects.visible_to(account).poor(timezone.localdate()).count()
    url = f"{reverse('dropout:cases')}?state=poor"
    return [ToDo("脱贫（监测）家庭学生失学、辍学", count, url, tone="red", detail="请当日过问", unit="人", icon="siren")]


def panel_of(student: Student, account: Account) -> dict | None:
    if not account.may("dropout.view"):
        return None
    case = Case.objects.visible_to(account).filter(student=student).select_related("government_lead", "education_lead").first()
    may_report = account.may("dropout.work") and (case is None or not case.is_open)
    return {"case": case, "student": student, "may_report": may_report} if case or may_report else None


def events_of(student: Student, account: Account) -> list[Event]:
    if not account.may("dropout.view"):
        return []
    case = Case.objects.visible_to(account).filter(student=student).first()
    if case is None:
        return []
    url = case.get_absolute_url()
    events = [Event(one.opened_on, "dropout", "控辍保学立案", one.get_kind_display(), one.ended_on, tone="red", url=url) for one in case.episodes.all()]
    events += [Event(one.visited_on, "dropout", f"走访劝返：{one.get_outcome_display()}", one.visitors, tone="amber", url=url) for one in case.visits.all()]
    events += [Event(one.issued_on, "dropout", f"限期复学通知书{one}", one.issuer, tone="red", url=url) for one in ReturnOrder.objects.filter(case=case)]
    return events


def plug_in() -> None:
    """Called once from `AppConfig.ready()`."""
    for provider in (poor_out_of_school, contradictions, cases_to_work, signatures_to_give):
        desk.register(provider)
    panels.register(Panel("dropout", "控辍保学", "dropout/_panel.html", panel_of, events_of))
    navigation.register(
        NavItem("控辍保学台账", "footprints", "dropout:cases", "dropout.view", 70),
        NavItem("适龄儿童", "users-round", "dropout:ledger", "dropout.view", 71),
        NavItem("入学率、辍学率", "percent", "dropout:rates", "dropout.view", 72),
        NavItem("办理期限", "timer", "dropout:deadlines", "dropout.view", 73),
    )
