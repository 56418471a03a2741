"""The bureau sets how long a stage lasts, from a day on."""

from datetime import date

from django.db import transaction

from bureau import audit
from bureau.access.models import Account
from dropout.actions.steps import NotDone
from dropout.models import Deadline


@transaction.atomic
def set_deadline(*, stage: str, days: int, unit: str, valid_from: date, basis: str, by: Account) -> Deadline:
    """From `valid_from` on. A row of the same day is corrected; older ones stay for what was counted by them."""
    if by.county is None:
        raise NotDone("no_county", "账号没有所属的县。")
    row, _ = Deadline.objects.update_or_create(
        county=by.county, stage=stage, valid_from=valid_from,
        defaults={"days": days, "unit": unit, "basis": basis.strip()[:120], "set_by": by},
    )  # fmt: skip
    audit.record(by=by, verb="dropout.deadline_set", subject=row, county=by.county, detail={"days": days, "from": valid_from})
    return row
