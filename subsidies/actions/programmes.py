"""Programmes, their rates and exclusions: what the bureau decides, with an audit line each."""

from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction

from bureau import audit
from bureau.access.models import Account
from bureau.organisation.models import County
from subsidies.actions.refusals import NotDone
from subsidies.catalogue import EXCLUSIONS, GROUPS, PLANS
from subsidies.models import CategoryGroup, Exclusion, Grant, Programme, Rate
from subsidies.terms import ordinal, told


@transaction.atomic
def install(county: County, *, by: Account | None = None) -> int:
    """Give the county the programmes of the catalogue it does not have; how many. What it has edited stays as it is."""
    known = set(Programme.objects.filter(county=county).values_list("code", flat=True))
    new = [plan for plan in PLANS if plan.code not in known]
    places = {plan.code: number for number, plan in enumerate(PLANS)}
    made = Programme.objects.bulk_create(
        Programme(
            county=county, code=plan.code, name=plan.name, benefit=plan.benefit, channel=plan.channel,
            position=places[plan.code], **plan.facts,
        )
        for plan in new
    )  # fmt: skip
    by_code = {programme.code: programme for programme in made}
    Rate.objects.bulk_create(Rate(programme=by_code[plan.code], **row) for plan in new for row in plan.rows())
    CategoryGroup.objects.bulk_create(
        (
            CategoryGroup(
                county=county,
                code=code,
                name=name,
                from_term=ordinal(since),
                categories=categories,
                determined=determined,
            )
            for code, name, since, categories, determined in GROUPS
        ),
        ignore_conflicts=True,
    )
    if new:
        all_of_them = {p.code: p for p in Programme.objects.filter(county=county)}
        Exclusion.objects.bulk_create(
            (
                Exclusion(first=all_of_them[a], second=all_of_them[b], scope=scope, basis=basis)
                for a, b, scope, basis in EXCLUSIONS
                if {a, b} <= set(all_of_them)
            ),
            ignore_conflicts=True,
        )
    if by and new:
        audit.record(by=by, verb="subsidies.catalogue_installed", subject=county, detail={"count": len(new)})
    return len(new)


@transaction.atomic
def save_programme(*, programme: Programme, values: Mapping[str, Any], by: Account) -> Programme:
    """Add or change a programme. Raises NotDone where the code is taken."""
    for name, value in values.items():
        setattr(programme, name, value)
    try:
        with transaction.atomic():
            programme.save()
    except IntegrityError as error:
        raise NotDone("exists", "已有这个代码的项目，请换一个代码。") from error
    audit.record(by=by, verb="subsidies.programme_saved", subject=programme, detail={"code": programme.code})
    return programme


@transaction.atomic
def save_rate(*, rate: Rate, by: Account) -> Rate:
    """Add a rate, or change the one that begins in the same term on the same line.

    What it pays from that term on; grants already applied for keep what they were judged on. Raises NotDone where it
    would fit children whom another line of the programme fits too.
    """
    programme = Programme.objects.select_for_update().get(pk=rate.programme_id)
    for other in programme.rates.all():
        if other.pk != rate.pk and other.line == rate.line and other.from_term == rate.from_term:
            raise NotDone("exists", f"{other.line_text}自{told(other.from_term)}已有一条标准，请修改那一条。")
    clash = next((other for other in lines_with(programme, rate) if fits_the_same(rate, other)), None)
    if clash:
        raise NotDone(
            "overlap",
            f"与“{clash.line_text}”（自{told(clash.from_term)}）重叠：同一名学生会对上两条标准。请先停止那一条，或改成互不重叠的对象。",
        )
    if rate.confirmed and not rate.doc_no:
        raise NotDone("document", "已核定的标准须填写文号。")
    rate.save()
    detail = {"code": programme.code, "from": told(rate.from_term), "amount_fen": rate.amount_fen}
    audit.record(by=by, verb="subsidies.rate_saved", subject=programme, detail=detail)
    return rate


@transaction.atomic
def delete_rate(*, rate: Rate, by: Account) -> None:
    """Take a rate out that was entered by mistake. Raises NotDone once a grant was judged on it."""
    if Grant.objects.filter(programme=rate.programme_id, evidence__rate=rate.pk).exists():
        raise NotDone("used", "已有资助按这条标准办理，不能删除。请新增一条从以后学期起的标准。")
    detail = {"code": rate.programme.code, "from": told(rate.from_term), "amount_fen": rate.amount_fen}
    audit.record(by=by, verb="subsidies.rate_deleted", subject=rate.programme, detail=detail)
    rate.delete()


def lines_with(programme: Programme, rate: Rate) -> list[Rate]:
    """Rows of other lines that are in force in some term in which `rate` is."""
    rows: dict[tuple, list[Rate]] = {}
    for row in programme.rates.exclude(pk=rate.pk).order_by("from_term"):
        rows.setdefault(row.line, []).append(row)
    same = rows.pop(rate.line, [])
    ends = next((row.from_term for row in same if row.from_term > rate.from_term), None)
    found = []
    for line in rows.values():
        for row, after in zip(line, [*line[1:], None], strict=True):
            begins_before = ends is None or row.from_term < ends
            goes_on = after is None or after.from_term > rate.from_term
            if row.amount_fen is not None and begins_before and goes_on:
                found.append(row)
    return found if rate.amount_fen is not None else []


def fits_the_same(one: Rate, other: Rate) -> bool:
    """Whether some child fits both. A child of two groups gets the higher one; every pupil and a group do not mix."""

    def meet(a: str, b: str) -> bool:
        return a == b or not a or not b

    years = (one.year_from or 0) <= (other.year_to or 99) and (other.year_from or 0) <= (one.year_to or 99)
    return (
        one.stage == other.stage
        and meet(one.boarding, other.boarding)
        and meet(one.group, other.group)
        and meet(one.tier, other.tier)
        and years
        and one.agricultural == other.agricultural
    )


@transaction.atomic
def exclude(*, first: Programme, second: Programme, scope: str, basis: str, by: Account) -> Exclusion:
    """From now on no child gets both. Raises NotDone for one programme twice, or a pair already known."""
    if first.pk == second.pk:
        raise NotDone("same", "请选择另一个项目。")
    if Exclusion.objects.filter(first__in=[first, second], second__in=[first, second]).exists():
        raise NotDone("exists", "这两个项目已经登记为互斥。")
    made = Exclusion.objects.create(first=first, second=second, scope=scope, basis=basis)
    audit.record(
        by=by, verb="subsidies.exclusion_saved", subject=first, detail={"code": first.code, "to": second.code}
    )
    return made
