"""适龄儿童台账: counts by place and category, the children behind each number, and the rates."""

from uuid import UUID

from django.db.models import Prefetch, QuerySet
from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from bureau import audit
from bureau.access.models import Account
from bureau.identity import name_key
from bureau.lists import Choice, Listing, Order, Search
from bureau.organisation.models import School, Stage, Township, Village
from bureau.organisation.terms import term_on
from bureau.sheets import Column, Sheet
from dropout import ledger, rates
from dropout.ledger import BASES, CATEGORIES, HUKOU, Asked
from students.models import Enrolment, Guardianship, Student
from students.views import exporting
from students.views.places import schools, townships

NONE = "none"


def base_of(params) -> str:
    return params.get("base") if params.get("base") in dict(BASES) else HUKOU


def _place(column: str):
    def apply(rows: QuerySet, value: str) -> QuerySet:
        return rows.filter(**({f"{column}__isnull": True} if value == NONE else {column: value}))

    return apply


def villages(listing: Listing) -> list[tuple[str, str]]:
    visible = Village.objects.visible_to(listing.account)
    return [*((str(pk), name) for pk, name in visible.values_list("pk", "name")), (NONE, "未注明村")]


def all_schools(listing: Listing) -> list[tuple[str, str]]:
    return [*schools(listing), (NONE, "不在本县学校")]


def all_townships(listing: Listing) -> list[tuple[str, str]]:
    scope = listing.account.scope
    seen = townships(listing) if scope.whole_county else [(str(pk), name) for pk, name in Township.objects.filter(county__in=scope.counties).values_list("pk", "name")]
    return seen


def parts_of_rates(listing: Listing) -> list[tuple[str, str]]:
    return [
        (f"{rate.code}.{part}", f"{rate.name}（{rate.variant}）{word}")
        for rate in rates.rates(timezone.localdate())
        for part, word in (("num", "分子"), ("den", "分母"))
    ]


def by_rate(rows: QuerySet, value: str) -> QuerySet:
    code, _, part = value.partition(".")
    rate = next(one for one in rates.rates(timezone.localdate()) if one.code == code)
    return rate.rows(rows, part)


class Children(Listing):
    unit = "人"
    orders = [Order("name", "姓名", "person__pinyin"), Order("born", "出生", "pk")]
    filters = [
        Search("q", "姓名", lambda rows, text: rows.filter(person__name_key__startswith=name_key(text)), hint="姓名"),
        Choice("base", "口径", lambda rows, base: rows, options=BASES),
        Choice("category", "类别", lambda rows, code: rows.filter(category=code), options=[(c.code, c.title) for c in CATEGORIES]),
        Choice("stage", "学段", ledger.of_stage, options=Stage.choices),
        Choice("township", "乡镇", _place("place_township"), options=all_townships),
        Choice("school", "学校", _place("place_school"), options=all_schools),
        Choice("village", "户籍村", _place("hukou_village"), options=villages, hidden=True),
        Choice("rate", "比率", by_rate, options=parts_of_rates, hidden=True),
    ]

    def decorate(self, queryset: QuerySet) -> QuerySet:
        current = Enrolment.objects.filter(ended_on=None).select_related("school").order_by("-is_present", "id")
        guardians = Guardianship.objects.filter(valid_to=None, legal=True)
        return queryset.select_related("person", "hukou_township", "hukou_village").prefetch_related(
            Prefetch("enrolments", current, to_attr="current"), Prefetch("guardianships", guardians, to_attr="guardians")
        )


def listing_for(account: Account, params) -> Children:
    asked = Asked(account.county, timezone.localdate(), base_of(params))
    return Children(ledger.visible(asked, account), params, account=account)


def told(rows: list[Student], account: Account) -> list[Student]:
    term = term_on(account.county, timezone.localdate())
    for row in rows:
        row.category_title = ledger.TITLES[row.category]
        row.place = row.current[0] if row.current else None
        row.grade_name = row.place.grade(term.school_year.starts_in) if row.place and term else ""
    return rows


class ChildSheet(Sheet):
    """乡镇分台账: all children of school age, village by village. No number of a person."""

    title = "适龄儿童台账"
    position = Column("序号", width=6)
    township = Column("乡镇", width=12)
    village = Column("村", width=12)
    name_ = Column("姓名", width=10)
    sex = Column("性别", width=6)
    born = Column("出生年月", width=12)
    guardian = Column("监护人", width=12)
    school = Column("就读学校", width=26)
    grade = Column("年级班级", width=14)
    inside = Column("县内/县外", width=10)
    category = Column("在校状况", width=16)
    note = Column("备注", width=14)


@require_safe
def children(request: HttpRequest) -> HttpResponse:
    page = listing_for(request.user, request.GET).page()
    told(page.rows, request.user)
    audit.saw(request, page.rows)
    return render(request, "dropout/children.html", {"page": page, "base": base_of(request.GET), "may_export": request.user.may("dropout.export")})


@require_safe
def export_children(request: HttpRequest) -> FileResponse:
    rows = list(listing_for(request.user, request.GET).sorted[: exporting.MOST_ROWS])
    told(rows, request.user)
    audit.saw(request, rows)
    audit.record(by=request.user, verb="dropout.children_exported", county=request.user.county, detail={"rows": len(rows)})
    return exporting.workbook(ChildSheet, (_line(n, row) for n, row in enumerate(rows, 1)), name="适龄儿童台账")


OUTSIDE = ("other_county_in_province", "out_of_province", "abroad")


def _line(position: int, row: Student) -> dict:
    born = row.person.birth_on
    place = row.place
    return {
        "position": position,
        "township": "外县" if row.hukou_outside else str(row.hukou_township or ""),
        "village": str(row.hukou_village or ""),
        "name_": row.person.name,
        "sex": row.person.get_sex_display() if row.person.sex in ("1", "2") else "",
        "born": f"{born.year}年{born.month}月" if born else "",
        "guardian": "、".join(one.name for one in row.guardians),
        "school": str(place.school or place.outside_school) if place else "",
        "grade": f"{row.grade_name}{place.class_name}" if place else "",
        "inside": "县外" if row.category in OUTSIDE else "县内",
        "category": row.category_title,
        "note": "",
    }


@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """Places down, categories across; the parts sum to the whole, and every number opens its children."""
    account, day, base = request.user, timezone.localdate(), base_of(request.GET)
    if account.county is None or term_on(account.county, day) is None:
        return render(request, "dropout/ledger.html", {"empty": True, "bases": BASES, "base": base})
    rows = ledger.visible(Asked(account.county, day, base), account)
    township = _township(request)
    if township:
        rows = rows.filter(place_township=township.pk)
    part, names, without = _divided(base, township, account)
    table = ledger.counted(rows, part)
    shown = [c for c in CATEGORIES if any(counts.get(c.code) for counts in table.values())]
    key = {"place_township": "township", "hukou_village": "village", "place_school": "school"}[part]
    inside = f"&township={township.pk}" if township else ""
    lines = []
    for value, name in [*names, (None, without)]:
        if counts := table.get(value):
            word = f"{key}={value or NONE}"
            down = f"?base={base}&township={value}" if key == "township" and value else ""
            lines.append((name, down, f"base={base}{inside if key != 'township' else ''}&{word}", [counts.get(c.code, 0) for c in shown], sum(counts.values())))
    totals = [sum(counts.get(c.code, 0) for counts in table.values()) for c in shown]
    context = {
        "lines": lines, "shown": shown, "totals": totals, "total": sum(totals), "whole": f"base={base}{inside}", "base": base, "bases": BASES,
        "township": township, "day": day, "place_title": {"township": "乡镇", "village": "村", "school": "学校"}[key],
    }  # fmt: skip
    return render(request, "dropout/ledger.html", context)


def _township(request: HttpRequest) -> Township | None:
    try:
        key = UUID(request.GET.get("township", ""))
    except ValueError:
        return None
    return Township.objects.filter(county=request.user.county, pk=key).first()


def _divided(base: str, township: Township | None, account: Account) -> tuple[str, list[tuple[object, str]], str]:
    """By which column, the values with their names in order, and the name of those without a value."""
    if township is None:
        return "place_township", list(Township.objects.filter(county=account.county).values_list("pk", "name")), "未注明乡镇"
    if base == HUKOU:
        return "hukou_village", list(Village.objects.filter(township=township).values_list("pk", "name")), "未注明村"
    return "place_school", list(School.objects.filter(township=township).values_list("pk", "name")), "不在本县学校"


@require_safe
def rate_page(request: HttpRequest) -> HttpResponse:
    day = timezone.localdate()
    if request.user.county is None or term_on(request.user.county, day) is None:
        return render(request, "dropout/rates.html", {"told": []})
    gone, pupils = rates.yearly_dropout(request.user, day)
    yearly = f"{gone * 100 / pupils:.2f}%" if pupils else ""
    context = {"told": rates.told(request.user, day), "bases": dict(BASES), "day": day, "gone": gone, "pupils": pupils, "yearly": yearly}
    return render(request, "dropout/rates.html", context)
