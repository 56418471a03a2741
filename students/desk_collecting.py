"""What collections bring to the desk: for schools what is owed and by when, for the bureau who asks to be let in."""

from datetime import timedelta

from django.urls import reverse
from django.utils import timezone

from bureau.access.models import Account
from bureau.desk import ToDo
from bureau.organisation.models import School
from students.intake.deliveries import deliveries
from students.models import Collection, UnlockRequest

SOON = timedelta(days=3)
REFUSAL_STAYS = timedelta(days=7)


def rolls_owed(account: Account) -> list[ToDo]:
    """One line per collection that runs, or is over and not locked, while a school of this account owes its roll.

    Whoever sees the whole county is told only when the time is up: then it is his to press.
    """
    if not account.may("rosters.view") or not account.county:
        return []
    today, schools = timezone.localdate(), School.objects.visible_to(account)
    begun = Collection.objects.visible_to(account).filter(locked_at=None, opens_on__lte=today, term__ends_on__gte=today)
    todos = []
    for one in begun.select_related("term", "county"):
        if account.scope.whole_county and not one.is_late(today):
            continue
        owed = sum(delivery.is_owed for delivery in deliveries(one, schools))
        late = owed if one.is_late(today) else 0
        soon = one.closes_on - today <= SOON
        todos.append(
            ToDo(
                f"{one}{'逾期未报，请催办' if account.scope.whole_county else '应上报'}",
                owed,
                f"{one.get_absolute_url()}?state=owed",
                due_on=one.closes_on,
                tone="red" if late else "amber" if soon else "blue",
                late=late,
                detail="上传并确认入库后才算上报",
                unit="所学校",
                icon="calendar-check",
            )
        )
    return todos


def unlock_requests(account: Account) -> list[ToDo]:
    """The bureau answers; the school reads the answer."""
    if not account.may("rosters.view"):
        return []
    today, url = timezone.localdate(), reverse("students:unlock_requests")
    seen = UnlockRequest.objects.visible_to(account)
    if account.scope.whole_county:
        if not account.may("collections.edit"):
            return []
        return [ToDo("解锁申请待答复", seen.waiting().count(), f"{url}?state=waiting", tone="amber", icon="lock-open")]
    granted = seen.in_force(today).exclude(collection__locked_at=None)
    until = granted.order_by("until_on").values_list("until_on", flat=True).first()
    refused = seen.filter(granted=False, decided_at__date__gte=today - REFUSAL_STAYS)
    return [
        ToDo("已同意解锁，请在期限内上传并入库", granted.count(), f"{url}?state=granted", due_on=until, tone="amber", icon="lock-open"),
        ToDo("解锁申请未获同意，请看答复", refused.count(), f"{url}?state=refused", tone="grey", icon="lock"),
    ]


def collected_rolls(account: Account) -> bool:
    """Whether the bureau has said by when the rolls of the running term are due."""
    today = timezone.localdate()
    return Collection.objects.visible_to(account).filter(kind="roll", term__starts_on__lte=today, term__ends_on__gte=today).exists()
