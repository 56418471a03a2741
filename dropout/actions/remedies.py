"""What an office does about a child nobody finds: a case is opened, which is followed from there."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from bureau.organisation.models import County
from dropout.actions.opening import of_questions, open_cases
from students.actions.settling import ACCEPTED_DAYS, Remedy
from students.models import Discrepancy


def _open_case(work: QuerySet, *, by, reason: str) -> Mapping[str, Any]:
    """The child's one case, new or opened again; the question rests with it while its evidence stays the same."""
    today = timezone.localdate()
    for county in County.objects.filter(pk__in=work.values("county")):
        open_cases(county=county, found=of_questions(work.filter(county=county)), by=by, today=today)
    return {"accepted_until": today + timedelta(days=ACCEPTED_DAYS)}


REMEDIES = (
    Remedy("open_case", "立案核查（控辍保学）", Discrepancy.State.ACCEPTED, _open_case, needs_reason=True, needs_student=True),
)
