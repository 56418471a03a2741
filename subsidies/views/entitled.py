"""应助: who is entitled in one programme-term and how much, who is not and why; each with its export."""

from uuid import UUID

from django.db.models import Count, OuterRef, Q, QuerySet, Subquery, Sum
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from bureau import audit
from bureau.access.models import Account
from bureau.identity import name_key
from bureau.lists import Choice, Listing, Order, Search
from bureau.money import format_yuan
from bureau.organisation.models import Term
from bureau.sheets import Column, Sheet
from students.models import Category, Enrolment, Person
from students.models.determining import Tier
from students.views import exporting
from students.views.places import schools, townships
from subsidies.actions import funding, granting
from subsidies.actions.refusals import WORDS
from subsidies.entitlement import Entitlement, seen_by
from subsidies.models import Grant
from subsidies.models.grants import WAY
from subsidies.views.common import programme_of, term_of, terms_offered

ROWS = [Order("name", "姓名", "pinyin"), Order("school", "学校先后", "id")]


def by_name(rows: QuerySet, text: str) -> QuerySet:
    return rows.filter(student__person__name_key__startswith=name_key(text))


def _terms(listing: Listing) -> list[tuple[str, str]]:
    return [(term.code, str(term)) for term in Term.objects.visible_to(listing.account)]


PLACES = [
    Choice(
        "term", "学期", lambda rows, code: rows, options=_terms, hidden=True
    ),  # the page itself asks about it
    Search("q", "姓名", by_name, hint="姓名"),
    Choice(
        "township",
        "乡镇",
        lambda rows, place: rows.filter(
            Q(school__township=place) | Q(school=None, student__hukou_township=place)
        ),
        options=townships,
    ),
    Choice("school", "学校", lambda rows, school: rows.filter(school=school), options=schools),
]


class Children(Listing):
    """One child a row, at the school that has him on the reference date.

    Names are looked up, not joined: the database takes the rows left by so many conditions for one, and would go
    through all people for each of them.
    """

    unit = "人"
    orders = ROWS

    def decorate(self, queryset: QuerySet) -> QuerySet:
        return queryset.prefetch_related("student__person", "student__hukou_village", "school")


def _without_line(rows: QuerySet, value: str) -> QuerySet:
    return rows.filter(line_state=None) if value == "none" else rows.filter(line_state=value)


class Entitled(Children):
    filters = [
        *PLACES,
        Choice("why", "依据", lambda rows, why: rows.filter(why=why), options=Category.choices),
        Choice("line", "办理", _without_line, options=[("none", "还没有列出"), *Grant.State.choices]),
    ]


class Others(Children):
    filters = [
        *PLACES,
        Choice(
            "reason", "原因", lambda rows, reason: rows.filter(reason=reason), options=list(WORDS.items())
        ),
    ]


class EntitledSheet(Sheet):
    title = "应助学生"
    name_ = Column("姓名", width=12)
    born = Column("出生年月", width=12)
    school = Column("学校", width=26)
    class_name = Column("年级班级", width=14)
    village = Column("户籍村", width=14)
    why = Column("依据", width=18)
    tier = Column("认定等级", width=12)
    judged_on = Column("基准日", width=12)
    amount = Column("金额（元）", width=12)
    line = Column("办理", width=14)


class OthersSheet(Sheet):
    title = "不能助的学生"
    name_ = Column("姓名", width=12)
    born = Column("出生年月", width=12)
    school = Column("学校", width=26)
    class_name = Column("年级班级", width=14)
    village = Column("户籍村", width=14)
    reason = Column("原因", width=30)


def _asked(request: HttpRequest, programme_id: UUID) -> Entitlement:
    programme, term = programme_of(request, programme_id), term_of(request)
    if term is None:
        raise Http404
    return Entitlement.of(programme, term)


@require_safe
def programme(request: HttpRequest, programme_id: UUID) -> HttpResponse:
    """One programme in one term: entitled, why not, how far the lines are, and the next step."""
    found, term = programme_of(request, programme_id), term_of(request)
    context = {"programme": found, "term": term, "terms": terms_offered(request), "words": WORDS}
    if term is None:
        return render(request, "subsidies/programme.html", context)
    question = Entitlement.of(found, term)
    sums = (
        seen_by(request.user, question.entitled()).aggregate(
            heads=Count("pk"), fen=Sum("amount_fen", default=0)
        )
        if question.rates
        else {"heads": 0, "fen": 0}
    )
    reasons = (
        seen_by(request.user, question.others())
        .order_by()
        .values("reason")
        .annotate(count=Count("pk"))
        .order_by("-count")
    )
    lines = Grant.objects.visible_to(request.user).of(found, term)
    counted = {
        row["state"]: row
        for row in lines.order_by().values("state").annotate(count=Count("pk"), fen=Sum("amount_fen"))
    }
    shown = [*WAY, *(state for state in Grant.State.values if state not in WAY and state in counted)]
    context |= {
        "question": question,
        "sums": sums,
        "reasons": [row | {"words": WORDS.get(row["reason"], row["reason"])} for row in reasons],
        "states": [
            counted.get(state, {"state": state, "count": 0, "fen": 0}) | {"label": Grant.State(state).label}
            for state in shown
        ],
        "holds": [
            {"code": code, "words": WORDS.get(code, code), "count": count}
            for code, count in lines.exclude(hold="")
            .order_by()
            .values_list("hold")
            .annotate(Count("pk"))
            .order_by("hold")
        ],
        "steps": steps_for(request.user, found, counted),
        "missing": sums["heads"] - sum(row["count"] for row in counted.values()),
        "closed": funding.is_closed(term),
        "may_export": request.user.may("figures.export"),
    }
    return render(request, "subsidies/programme.html", context)


def steps_for(account: Account, programme, counted: dict) -> list[dict]:
    """The steps this account may take, with how many lines wait for each."""
    found = []
    for to in granting.STEPS:
        if not account.may(granting.right_for(to)):
            continue
        waiting = sum(
            counted.get(state, {"count": 0})["count"] for state in granting.ready_for(to, programme)
        )
        if waiting:
            found.append(
                {
                    "to": to,
                    "label": next(m.label for m in Grant.STATES.moves_to(to) if m.right),
                    "count": waiting,
                }
            )
    return found


@require_safe
def entitled(request: HttpRequest, programme_id: UUID) -> HttpResponse:
    question = _asked(request, programme_id)
    page = _entitled(request, question).page()
    told(page.rows, question)
    return _list(
        request, question, page, "subsidies/_entitled_table.html", "应助学生", "subsidies:export_entitled"
    )


@require_safe
def others(request: HttpRequest, programme_id: UUID) -> HttpResponse:
    question = _asked(request, programme_id)
    page = _others(request, question).page()
    told(page.rows, question)
    return _list(
        request, question, page, "subsidies/_others_table.html", "不能助的学生", "subsidies:export_others"
    )


def _list(
    request: HttpRequest, question: Entitlement, page, table: str, title: str, export: str
) -> HttpResponse:
    audit.saw(request, [row.student_id for row in page.rows])
    context = {
        "question": question,
        "page": page,
        "table": table,
        "title": title,
        "export_url": reverse(export, args=[question.programme.pk])
        if request.user.may("figures.export")
        else "",
    }
    return render(request, "subsidies/children.html", context)


def _entitled(request: HttpRequest, question: Entitlement) -> Entitled:
    lines = (
        Grant.objects.of(question.programme, question.term)
        .filter(student=OuterRef("student"))
        .order_by("instalment")
    )
    rows = question.explained() if question.rates else Enrolment.objects.none()
    if question.rates:
        rows = rows.annotate(line_state=Subquery(lines.values("state")[:1]))
    return Entitled(_with_pinyin(seen_by(request.user, rows)), request.GET, account=request.user)


def _with_pinyin(rows: QuerySet[Enrolment]) -> QuerySet[Enrolment]:
    return rows.annotate(pinyin=Subquery(Person.objects.filter(pk=OuterRef("student")).values("pinyin")[:1]))


def _others(request: HttpRequest, question: Entitlement) -> Others:
    return Others(_with_pinyin(seen_by(request.user, question.others())), request.GET, account=request.user)


def told(rows: list, question: Entitlement) -> list:
    """Rows with the words a list shows."""
    year = question.term.school_year.starts_in
    for row in rows:
        row.class_text = f"{row.grade(year)}{row.class_name}"
        row.why_text = dict(Category.choices).get(getattr(row, "why", ""), "") or (
            "家庭自身情况" if getattr(row, "determination", None) else "全体学生"
        )
        row.tier_text = dict(Tier.choices).get(getattr(row, "tier", ""), "")
        row.reason_text = WORDS.get(getattr(row, "reason", ""), "")
        row.line_text = dict(Grant.State.choices).get(getattr(row, "line_state", None), "还没有列出")
    return rows


@require_safe
def export_entitled(request: HttpRequest, programme_id: UUID) -> FileResponse:
    return _export(request, _asked(request, programme_id), _entitled, EntitledSheet)


@require_safe
def export_others(request: HttpRequest, programme_id: UUID) -> FileResponse:
    return _export(request, _asked(request, programme_id), _others, OthersSheet)


def _export(request: HttpRequest, question: Entitlement, listing, sheet: type[Sheet]) -> FileResponse:
    """The list as filtered, without any number of a person."""
    rows = told(list(listing(request, question).export_rows(most=exporting.MOST_ROWS)), question)
    audit.saw(request, [row.student_id for row in rows])
    audit.record(
        by=request.user, verb="subsidies.exported", subject=question.programme, detail={"rows": len(rows)}
    )
    name = f"{question.programme}{question.term}{sheet.title}"
    return exporting.workbook(sheet, (_line(row) for row in rows), name=name)


def _line(row: Enrolment) -> dict:
    person = row.student.person
    told = {
        "name_": person.name,
        "born": f"{person.birth_on.year}年{person.birth_on.month}月" if person.birth_on else "",
        "school": str(row.school or row.outside_school),
        "class_name": row.class_text,
        "village": str(row.student.hukou_village or ""),
    }
    if hasattr(row, "reason"):
        return told | {"reason": row.reason_text}
    return told | {
        "why": row.why_text,
        "tier": row.tier_text,
        "judged_on": row.judged_on.isoformat(),
        "amount": format_yuan(row.amount_fen),
        "line": row.line_text,
    }
