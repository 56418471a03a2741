"""公示: posters are put up, objections written down and answered, posters taken down on their day."""

from datetime import date

from django.db import transaction
from django.db.models import QuerySet

from bureau import audit, states
from bureau.access.models import Account
from bureau.calendars import workdays
from bureau.organisation.models import Term
from subsidies.actions.refusals import NotDone
from subsidies.models import Grant, Objection, Programme, PublicNotice

PLACE = "学校公示栏"


def post(
    lines: QuerySet[Grant], *, programme: Programme, term: Term, by: Account, on: date, place: str = ""
) -> list[PublicNotice]:
    """One poster per school with these lines on it; call inside the transaction that moves them.

    Lines that come back from an objection keep the poster they stand on while it hangs.
    """
    until = workdays(programme.county).add(on, max(1, programme.notice_days))
    fresh = lines.exclude(state=Grant.State.OBJECTED)
    by_school: dict = {}
    for school, name, class_name in fresh.order_by("school", "class_name", "name").values_list(
        "school_id", "name", "class_name"
    ):
        by_school.setdefault(school, []).append([name, class_name])
    posted = []
    for school, shown in by_school.items():
        notice = PublicNotice.objects.create(
            county=programme.county, programme=programme, term=term, school_id=school, place=place or PLACE,
            posted_on=on, ends_on=until, lines=shown, posted_by=by,
        )  # fmt: skip
        fresh.filter(school=school).update(notice=notice)
        posted.append(notice)
    return posted


@transaction.atomic
def object_to(
    *, notice: PublicNotice, grant: Grant | None, text: str, received_on: date, by: Account
) -> Objection:
    """Write an objection down. It counts from the day of posting to the last day, that day included; raises NotDone else."""
    if not notice.posted_on <= received_on <= notice.ends_on:
        raise NotDone("outside_notice", "异议应在公示期内收到；公示期过后的，按疑点或投诉办理。")
    made = Objection.objects.create(
        notice=notice, grant=grant, text=text, received_on=received_on, recorded_by=by
    )
    if grant is not None:
        line = Grant.objects.filter(pk=grant.pk, notice=notice, state=Grant.State.IN_NOTICE)
        if line.exists():
            states.move(line, to=Grant.State.OBJECTED, by=by, reason=text)
    audit.record(by=by, verb="subsidies.objection_recorded", subject=notice, county=notice.county)
    return made


@transaction.atomic
def answer(*, objection: Objection, upheld: bool, text: str, on: date, by: Account) -> None:
    """Answer once: upheld, the line is refused; not upheld, it goes on hanging. Raises NotDone when it was answered before."""
    told = Objection.objects.unanswered().filter(pk=objection.pk)
    if not told.update(upheld=upheld, answer=text, answered_on=on, answered_by=by):
        raise NotDone("answered", "这条异议已经答复过了。")
    if objection.grant_id:
        line = Grant.objects.filter(pk=objection.grant_id, state=Grant.State.OBJECTED)
        if upheld and line.exists():
            states.move(line, to=Grant.State.REJECTED, by=by, reason=text)
            line.model.objects.get(pk=objection.grant_id).claims.all().delete()
        elif line.exists():
            states.move(line, to=Grant.State.IN_NOTICE, by=by, reason=text)
    audit.record(
        by=by, verb="subsidies.objection_answered", subject=objection.notice, county=objection.notice.county
    )


@transaction.atomic
def take_down(*, notice: PublicNotice, on: date, by: Account) -> None:
    """The poster is off the board. Raises NotDone before its time is over, or when it is down already."""
    if on <= notice.ends_on:
        raise NotDone("notice_running")
    if not PublicNotice.objects.filter(pk=notice.pk, removed_on=None).update(removed_on=on, removed_by=by):
        raise NotDone("taken_down", "这份公示已经撤下。")
    audit.record(by=by, verb="subsidies.notice_removed", subject=notice, county=notice.county)
