"""困难认定: applied for, reviewed, confirmed by three people; ended or adjusted at any time."""

from datetime import date

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from bureau import audit, states
from bureau.access.models import Account
from bureau.organisation.models import School, SchoolYear
from students.models import Determination, Student
from subsidies.actions.refusals import NotDone

SIGNED = {"reviewed": "reviewed_by", "confirmed": "confirmed_by"}


@transaction.atomic
def apply(
    *,
    student: Student,
    school_year: SchoolYear,
    school: School | None,
    tier: str,
    category: str,
    evidence: str,
    valid_from: date,
    by: Account,
) -> Determination:
    """An application for a school year. Raises NotDone while another one of that year is under way or in force."""
    if not (category or evidence.strip()):
        raise NotDone("ground", "请写明依据的名单类别，或家庭困难情况和证明。")
    try:
        with transaction.atomic():
            made = Determination.objects.create(
                county=student.county, student=student, school_year=school_year, school=school, tier=tier, category=category,
                evidence=evidence, valid_from=valid_from, applied_by=by,
            )  # fmt: skip
    except IntegrityError as error:
        raise NotDone("exists", "本学年已有认定或正在办理的申请，调整请先终止原来的。") from error
    audit.record(by=by, verb="subsidies.determination_applied", subject=made, detail={"tier": tier})
    return made


@transaction.atomic
def move(
    *, determinations: QuerySet[Determination], to: str, by: Account, reason: str = "", on: date | None = None
) -> int:
    """Take one step with each; nobody signs twice. Raises NotDone where he did; ended ones end on `on`."""
    chosen = Determination.objects.filter(pk__in=determinations.visible_to(by).values("pk")).order_by()
    subject = chosen.first()
    if subject is None:
        return 0
    also: dict = {"note": reason[:200]} if reason else {}
    if to in SIGNED:
        also[SIGNED[to]] = by
    if to == Determination.State.ENDED:
        also["valid_to"] = on
    if to == Determination.State.APPLIED:
        also |= {"applied_by": by, "reviewed_by": None, "confirmed_by": None}
    try:
        with transaction.atomic():
            moved = states.move(chosen, to=to, by=by, reason=reason, also=also)
    except IntegrityError as error:
        raise NotDone("same_person") from error
    audit.record(
        by=by, verb="subsidies.determination_moved", subject=subject, detail={"count": moved, "to": to}
    )
    return moved
