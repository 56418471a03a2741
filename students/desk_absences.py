"""To-dos about children a roll left out, children without a number, and children two schools have."""

from django.db.models import Min
from django.urls import reverse
from django.utils import timezone

from bureau.access.models import Account
from bureau.desk import ToDo
from students.models import Absence, Enrolment, Student


def children_left_out(account: Account) -> list[ToDo]:
    """Explanations a school owes; suspicions its township and the bureau see as well."""
    if not account.may("rosters.view"):
        return []
    seen = Absence.objects.visible_to(account)
    page = reverse("students:absences")
    suspected = ToDo(
        "疑似辍学：名册未出现，逾期未说明",
        seen.filter(state=Absence.State.SIGNALLED).count(),
        f"{page}?state={Absence.State.SIGNALLED}",
        tone="red",
        detail="请立即家访，核实孩子在哪里",
        unit="人",
        icon="user-x",
    )
    if not account.may("rosters.upload") or account.scope.whole_county:
        return [suspected]
    waiting = seen.filter(state=Absence.State.OPEN)
    late = waiting.overdue(timezone.localdate()).count()
    return [
        suspected,
        ToDo(
            "名册未出现的学生，请说明去向",
            waiting.count(),
            f"{page}?state={Absence.State.OPEN}",
            due_on=waiting.aggregate(due=Min("due_on"))["due"],
            tone="red" if late else "amber",
            late=late,
            detail="到期没有说明的，列为疑似辍学",
            unit="人",
            icon="user-search",
        ),
    ]


def numbers_missing(account: Account) -> list[ToDo]:
    """证件待补: children admitted without a number."""
    if not account.may("rosters.upload") or account.scope.whole_county:
        return []
    pending = Student.objects.visible_to(account).number_pending().order_by()
    today = timezone.localdate()
    late = pending.filter(number_due_on__lt=today).count()
    return [
        ToDo(
            "先入册的学生，证件待补",
            pending.count(),
            f"{reverse('students:students')}?number=pending",
            due_on=pending.aggregate(due=Min("number_due_on"))["due"],
            tone="red" if late else "amber",
            late=late,
            detail="补齐前不发放资助；在下一份花名册中填上即可",
            unit="人",
            icon="id-card",
        )
    ]


def children_at_two_schools(account: Account) -> list[ToDo]:
    """Both schools are told, each of its own child only. The county looks at the list; counting all would be slow here."""
    if not account.may("rosters.upload") or account.scope.whole_county:
        return []
    return [
        ToDo(
            "学生同时出现在另一所学校的花名册上",
            Enrolment.objects.visible_to(account).contested().count(),
            reverse("students:contested"),
            tone="amber",
            detail="请核对孩子实际在哪所学校",
            unit="人",
            icon="split",
        )
    ]


PROVIDERS = (children_left_out, numbers_missing, children_at_two_schools)
