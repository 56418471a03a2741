"""What the bureau sets for its schools' year: how long they teach a stage, and whose villages are whose (学区)."""

from collections.abc import Iterable
from datetime import date, timedelta

from django.db import transaction
from django.db.models import F

from bureau import audit
from bureau.organisation.models import School, Stage, Village
from students.models import Catchment, Enrolment, Schooling


@transaction.atomic
def save_schooling(*, school: School, kind: str, stage: str, years: int, from_year: int, by) -> Schooling:
    """Set the length of a stage (学制) or the last year a school teaches; said again it is corrected.

    A new length is written to the children it is about, so that their grades are told right from now on.
    """
    _unwrite(school, stage)
    found, _ = Schooling.objects.update_or_create(
        school=school,
        kind=kind,
        stage=stage,
        from_year=from_year,
        defaults={"years": years, "county": school.county},
    )
    _write(school, stage)
    detail = {"place": school.code, "code": f"{kind}:{stage}", "count": years}
    audit.record(by=by, verb="students.schooling_saved", subject=found, county=school.county, detail=detail)
    return found


@transaction.atomic
def remove_schooling(*, schooling: Schooling, by) -> None:
    """Back to the usual length, or to all years taught."""
    school, stage = schooling.school, schooling.stage
    _unwrite(school, stage)
    detail = {"place": school.code, "code": f"{schooling.kind}:{stage}"}
    audit.record(
        by=by, verb="students.schooling_removed", subject=schooling, county=school.county, detail=detail
    )
    schooling.delete()
    _write(school, stage)


def _spans(school: School, stage: str) -> Iterable[tuple[int, int, int]]:
    """Each length with the entry years it is for: from the first on, up to and without the second."""
    rows = list(
        Schooling.objects.filter(school=school, stage=stage, kind=Schooling.Kind.LENGTH).order_by("from_year")
    )
    for row, after in zip(rows, [*rows[1:], None], strict=False):
        yield row.from_year, after.from_year if after else 9999, row.years


def _write(school: School, stage: str) -> None:
    """七年级 is the second year where 初中 lasts four: its children entered a year before what the usual length says."""
    here = Enrolment.objects.filter(school=school, stage=stage, ended_on=None)
    for since, until, years in _spans(school, stage):
        if stage == Stage.JUNIOR and years == 4:
            shifted = here.filter(programme_years=None, entered_in__gt=since, entered_in__lte=until)
            shifted.update(programme_years=years, entered_in=F("entered_in") - 1)
        else:
            here.filter(entered_in__gte=since, entered_in__lt=until).update(programme_years=years)


def _unwrite(school: School, stage: str) -> None:
    here = Enrolment.objects.filter(school=school, stage=stage, ended_on=None)
    for since, until, years in _spans(school, stage):
        set_so = here.filter(programme_years=years, entered_in__gte=since, entered_in__lt=until)
        if stage == Stage.JUNIOR and years == 4:
            set_so.update(programme_years=None, entered_in=F("entered_in") + 1)
        else:
            set_so.update(programme_years=None)


@transaction.atomic
def save_area(*, school: School, stage: str, villages: Iterable[Village], on: date, by) -> tuple[int, int]:
    """The villages whose children enter this stage here from `on` on; (added, given up). Earlier days stay as they were."""
    wanted = {village.pk: village for village in villages}
    open_ones = Catchment.objects.select_for_update().filter(school=school, stage=stage, valid_to=None)
    now = dict(open_ones.values_list("village", "pk"))
    gone = [pk for village, pk in now.items() if village not in wanted]
    Catchment.objects.filter(pk__in=gone, valid_from__gte=on).delete()
    Catchment.objects.filter(pk__in=gone).update(valid_to=on - timedelta(days=1))
    new = [village for pk, village in wanted.items() if pk not in now]
    Catchment.objects.bulk_create(
        Catchment(county=school.county, school=school, village=village, stage=stage, valid_from=on)
        for village in new
    )
    if new or gone:
        detail = {"place": school.code, "new": len(new), "left": len(gone)}
        audit.record(
            by=by, verb="students.catchment_saved", subject=school, county=school.county, detail=detail
        )
    return len(new), len(gone)
