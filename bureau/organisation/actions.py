"""What is done to the county's places and calendar; every change is audited."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from django.db import transaction
from django.utils import timezone

from bureau import audit
from bureau.access.models import Account
from bureau.organisation.furnishing import furnish
from bureau.organisation.models import (
    County,
    Holiday,
    School,
    SchoolCode,
    SchoolYear,
    Term,
    Township,
    Village,
)
from bureau.organisation.plan import Plan


@transaction.atomic
def import_organisation(*, plan: Plan, by_name: str, account_of) -> County:
    """Store a county file: rows are found by code, what the file names is updated, nothing is deleted.

    `account_of(by_name, county)` gives the account to be recorded; it can exist only once the county does.
    """
    code, name = plan.county
    county, _ = County.objects.update_or_create(code=code, defaults={"name": name})
    by = account_of(by_name, county)
    townships = _store_townships(county, plan)
    _store_villages(county, plan, townships)
    _store_schools(county, plan, townships)
    for term in plan.terms:
        save_term(county=county, code=term.code, starts_on=term.starts_on, ends_on=term.ends_on, by=None)
    set_holidays(county=county, days=plan.holidays, by=None)
    furnish(county, by=by)
    audit.record(by=by, verb="organisation.imported", subject=county, detail=plan.counts)
    return county


def _store_townships(county: County, plan: Plan) -> dict[str, Township]:
    held = {township.code: township for township in county.townships.all()}
    for position, given in enumerate(plan.townships):
        township = held.setdefault(given.code, Township(county=county, code=given.code))
        township.name, township.position = given.name, position
    _upsert(Township, [held[given.code] for given in plan.townships], ["name", "position"])
    return held


def _store_villages(county: County, plan: Plan, townships: dict[str, Township]) -> None:
    held = {village.code: village for village in county.villages.all()}
    changed = []
    for given in plan.townships:
        for code, name in given.villages:
            village = held.setdefault(code, Village(county=county, code=code))
            village.name, village.township = name, townships[given.code]
            changed.append(village)
    _upsert(Village, changed, ["name", "township"])


def _store_schools(county: County, plan: Plan, townships: dict[str, Township]) -> None:
    held = {school.code: school for school in county.schools.all()}
    changed = []
    for given in plan.schools:
        school = held.setdefault(given.code, School(county=county, code=given.code, name=given.name))
        _rename(school, given.name)
        school.township = townships[given.township]
        for field, value in given.given.items():
            setattr(school, field, value)
        changed.append(school)
    for given in plan.schools:
        if given.managed_by:
            held[given.code].managed_by = held[given.managed_by]
    fields = [
        "name",
        "aliases",
        "township",
        "stages",
        "ownership",
        "opened_on",
        "closed_on",
        "teaching_point",
    ]
    _upsert(School, changed, [*fields, "managed_by"])


def _upsert(model, rows: list, fields: list[str]) -> None:
    model.objects.bulk_create([row for row in rows if row._state.adding])
    model.objects.bulk_update([row for row in rows if not row._state.adding], fields, batch_size=200)


def _rename(school: School, name: str) -> None:
    """The former name stays an alias, so that files which still carry it are understood."""
    if school.name != name:
        school.aliases = [*(alias for alias in school.aliases if alias != name), school.name]
        school.name = name


@transaction.atomic
def save_school(*, school: School, values: dict[str, Any], by: Account) -> School:
    """Store a new or edited school. An old code and an old name stay known."""
    new, former_code, former_name = school._state.adding, school.code, school.name
    for field, value in values.items():
        setattr(school, field, value)
    if not new and former_name != school.name and former_name not in school.aliases:
        school.aliases = [*school.aliases, former_name]
    school.save()
    if not new and former_code != school.code:
        SchoolCode.objects.create(school=school, code=former_code, valid_to=timezone.localdate())
    verb = "organisation.school_added" if new else "organisation.school_edited"
    audit.record(by=by, verb=verb, subject=school, detail={"code": school.code})
    return school


@transaction.atomic
def save_township(*, township: Township, code: str, name: str, by: Account) -> Township:
    new = township._state.adding
    if new:
        township.position = township.county.townships.count()
    township.code, township.name = code, name
    township.save()
    verb = "organisation.township_added" if new else "organisation.township_edited"
    audit.record(by=by, verb=verb, subject=township, detail={"code": code})
    return township


@transaction.atomic
def save_village(*, village: Village, values: dict[str, Any], by: Account) -> Village:
    new = village._state.adding
    for field, value in values.items():
        setattr(village, field, value)
    village.save()
    verb = "organisation.village_added" if new else "organisation.village_edited"
    audit.record(by=by, verb=verb, subject=village, detail={"code": village.code})
    return village


@transaction.atomic
def save_term(*, county: County, code: str, starts_on: date, ends_on: date, by: Account | None) -> Term:
    """Add a term or change its days; its school year follows from the code. Without `by` the caller audits."""
    year, season = code.split("-")
    school_year, _ = SchoolYear.objects.get_or_create(
        county=county, starts_in=int(year) - (season == "spring")
    )
    term, _ = Term.objects.update_or_create(
        county=county,
        code=code,
        defaults={"school_year": school_year, "starts_on": starts_on, "ends_on": ends_on},
    )
    if by:
        audit.record(
            by=by,
            verb="organisation.term_saved",
            subject=term,
            detail={"code": code, "starts_on": starts_on, "ends_on": ends_on},
        )
    return term


@transaction.atomic
def change_settings(*, county: County, values: Mapping[str, Any], by: Account) -> list[str]:
    """Set what differs of the county's own decisions; the names of the columns that changed."""
    held = County.objects.select_for_update().get(pk=county.pk)
    changed = sorted(name for name, value in values.items() if getattr(held, name) != value)
    if changed:
        for name in changed:
            setattr(held, name, values[name])
        held.save(update_fields=changed)
        audit.record(by=by, verb="organisation.settings_changed", subject=held, detail={"changed": changed})
    return changed


@transaction.atomic
def set_holidays(*, county: County, days: Iterable[tuple[date, str]], by: Account | None) -> int:
    """Days off and made-up working days; a day already stored takes the new kind. Without `by` the caller audits."""
    kinds = dict(days)
    Holiday.objects.bulk_create(
        [Holiday(county=county, date=day, kind=kind) for day, kind in kinds.items()],
        update_conflicts=True,
        unique_fields=["county", "date"],
        update_fields=["kind"],
    )
    if by and kinds:
        detail = {"days": len(kinds), "from": min(kinds), "to": max(kinds)}
        audit.record(by=by, verb="organisation.holidays_set", subject=county, detail=detail)
    return len(kinds)


@transaction.atomic
def delete_holiday(*, holiday: Holiday, by: Account) -> None:
    """The day counts as its weekday again."""
    audit.record(
        by=by, verb="organisation.holiday_deleted", subject=holiday.county, detail={"date": holiday.date}
    )
    holiday.delete()
