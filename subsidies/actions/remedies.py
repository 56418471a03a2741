"""What an office does about missed and wrong aid: put the child on the list, or send the line back."""

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet

from bureau.states import IllegalMove
from students.actions.settling import NotSettled, Remedy
from students.models import Discrepancy
from subsidies.actions import granting, listing
from subsidies.actions.refusals import NotDone
from subsidies.models import Grant, Programme


def _claim_aid(work: QuerySet, *, by, reason: str) -> Mapping[str, Any]:
    """A candidate line for each child and programme named; it goes the ordinary way, also when the others are paid. Source: 补发."""
    found = list(
        work.filter(subject_kind="student_programme").values_list("county", "term", "student", "subject_id")
    )
    for county, term in {(county, term) for county, term, _, _ in found}:
        for code in {subject.partition(":")[2] for c, t, _, subject in found if (c, t) == (county, term)}:
            programme = Programme.objects.select_related("county").filter(county=county, code=code).first()
            if programme is None:
                continue
            students = [
                student
                for c, t, student, subject in found
                if (c, t) == (county, term) and subject.endswith(f":{code}")
            ]
            held = programme.county.terms.select_related("school_year").get(pk=term)
            try:
                listing.list_candidates(programme=programme, term=held, by=by, students=students)
            except NotDone as refused:
                raise NotSettled(refused.code, refused.message) from refused
            lines = Grant.objects.of(programme, held).filter(
                student__in=students, state=Grant.State.CANDIDATE
            )
            granting.advance(programme=programme, term=held, to=Grant.State.APPLIED, by=by, grants=lines)
    return {}


def _return_aid(work: QuerySet, *, by, reason: str) -> Mapping[str, Any]:
    """The line goes back to the school, with its money where finance had approved it."""
    keys = [
        subject.replace("-", "")
        for subject in work.filter(subject_kind="grant").values_list("subject_id", flat=True)
    ]
    lines = Grant.objects.filter(pk__in=keys).exclude(state=Grant.State.RETURNED)
    try:
        granting.send_back(grants=lines, by=by, reason=reason)
    except (NotDone, IllegalMove) as refused:
        raise NotSettled(refused.code, refused.message) from refused
    except PermissionDenied as refused:
        raise NotSettled(
            "no_right", "这一步不归您退回：已上报的由资助中心退回，财政已审核的由计财股退回。"
        ) from refused
    return {}


REMEDIES = (
    Remedy(
        "claim_aid",
        "列入资助申请（补报、补发）",
        Discrepancy.State.FIXED,
        _claim_aid,
        needs_student=True,
        right="aid.apply",
    ),
    Remedy(
        "return_aid",
        "退回这条资助",
        Discrepancy.State.FIXED,
        _return_aid,
        needs_reason=True,
        right="aid.view",
    ),
)
