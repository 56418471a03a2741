"""Aid against the lists and the schools: R09 to R12, R14 to R16, R19.

漏助 is asked only of programme-terms the county has begun to list: before that nobody is late. Everything is judged on the
reference date of the entitled term. Source: docs/rules/aid.md.
"""

from collections.abc import Callable, Iterator, Sequence

from django.db.models import CharField, Count, Exists, F, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Cast, Concat, Left, Length, Right

from students.models import AidLine, Entry
from students.models.determining import Determination
from students.models.differences import Office
from students.rules import Matter, Rule
from students.rules.matter import NO_ENTRY, NOWHERE
from subsidies.catalogue import POOR
from subsidies.entitlement import Entitlement, one_by_one
from subsidies.models import Grant, Programme

DIBAO = ("dibao", "dibao_margin", "rigid_expense")
CARED_FOR = ("tekun", "orphan", "defacto_unsupported")
DISABLED = ("disabled",)
YULU = "yulu"
TEXT = CharField()


def under_way(matter: Matter, **which) -> Iterator[Entitlement]:
    """Programme-terms of which at least one line has been put down."""
    begun = Grant.objects.filter(programme=OuterRef("pk"), term=matter.term)
    for programme in Programme.objects.filter(
        Exists(begun), county=matter.county, ended=False, **which
    ).order_by("pk"):
        question = Entitlement.of(programme, matter.term)
        if question.rates:
            yield question


def left_out(question: Entitlement) -> QuerySet:
    """漏助: entitled, and nobody has applied. A line that was refused, given up or stopped with a reason is no 漏助."""
    handled = Grant.objects.of(question.programme, question.term).exclude(state="candidate")
    return question.explained().filter(~one_by_one(Exists(handled.filter(student=OuterRef("student")))))


def wrongly_on(matter: Matter, categories: Sequence[str]) -> QuerySet[Grant]:
    """错助: applied for on a category that no list had him in on the reference date, nor any determination.

    Children of another county, whose lists are kept there, cannot be checked and are never among them.
    """
    listed = Entry.objects.covering(OuterRef("reference_on")).filter(
        person=OuterRef("student"), category__in=categories
    )
    found = Determination.objects.in_force(OuterRef("reference_on")).filter(student=OuterRef("student"))
    lines = Grant.objects.live().filter(county=matter.county, term=matter.term, category__in=categories)
    return lines.filter(~Exists(listed), ~Exists(found), student__hukou_outside=False)


def unpaid_or_unlisted(categories: Sequence[str], *, both: bool = True) -> Callable[[Matter], list[QuerySet]]:
    """Missed and wrong lines of some categories: R11, R12, R14 look both ways, R09 only for the missed ones."""

    def offenders(matter: Matter) -> list[QuerySet]:
        missed = [
            _by_child(left_out(question).filter(why__in=categories), question)
            for question in _not_yulu(matter)
        ]
        return missed + ([_by_line(wrongly_on(matter, categories), F("programme__name"))] if both else [])

    return offenders


def _not_yulu(matter: Matter) -> list[Entitlement]:
    return [question for question in under_way(matter) if question.programme.code != YULU]


def poor_not_on_the_list(matter: Matter) -> list[QuerySet]:
    """R10."""
    return [_by_line(wrongly_on(matter, POOR), F("programme__name"))]


def told_by_two_schools(matter: Matter) -> list[QuerySet]:
    """R15 重复: two schools' aid rosters of one term name the same child for the same programme."""
    lines = AidLine.objects.applied().filter(
        row__roster__term=matter.term,
        row__roster__county=matter.county,
        row__person_id__isnull=False,
        row__school__isnull=False,
    )
    twice = (
        lines.order_by()
        .values("row__person_id", "programme")
        .annotate(schools=Count("row__school", distinct=True))
        .filter(schools__gt=1)
        .annotate(
            kind=Value("student_programme", TEXT),
            key=Concat(Cast("row__person_id", TEXT), Value(":"), "programme", output_field=TEXT),
            stay=NO_ENTRY,
            of_category=Value("", TEXT),
            proof=Concat(
                "programme", Value("："), Cast("schools", TEXT), Value(" 所学校上报"), output_field=TEXT
            ),
            at=NOWHERE,
        )
    )
    return [twice.values_list("kind", "key", "row__person_id", "stay", "of_category", "proof", "at")]


def amount_differs(matter: Matter) -> list[QuerySet]:
    """R16: the child is entitled, to another amount than the line has (boarder paid as day pupil, wrong stage)."""
    found = []
    for question in under_way(matter):
        entitled = question.entitled().filter(student=OuterRef("student"))
        lines = Grant.objects.live().of(question.programme, question.term).filter(instalment=1)
        differing = lines.filter(
            one_by_one(Exists(entitled)),
            ~one_by_one(Exists(entitled.filter(amount_fen=OuterRef("amount_fen")))),
        )
        differing = differing.annotate(due_fen=Subquery(entitled.values("amount_fen")[:1]))
        proof = Concat(
            F("programme__name"),
            Value("：办理 "),
            _yuan("amount_fen"),
            Value(" 元／应为 "),
            _yuan("due_fen"),
            Value(" 元"),
            output_field=TEXT,
        )
        found.append(_by_line(differing, proof))
    return found


def yulu(matter: Matter) -> list[QuerySet]:
    """R19: entitled to 雨露 and not claimed; or claimed while suspended or gone."""
    found = []
    for question in under_way(matter, code=YULU):
        found.append(_by_child(left_out(question), question))
        lines = Grant.objects.live().of(question.programme, question.term)
        out = question.others().filter(
            student=OuterRef("student"), reason__in=["suspended", "left", "deceased"]
        )
        found.append(
            _by_line(
                lines.filter(one_by_one(Exists(out))),
                Concat(F("programme__name"), Value("：已休学、离校"), output_field=TEXT),
            )
        )
    return found


def _by_child(rows: QuerySet, question: Entitlement) -> QuerySet:
    """One difference per child and programme, at the school that has him."""
    programme = question.programme
    return (
        rows.order_by()
        .annotate(
            kind=Value("student_programme", TEXT),
            key=Concat(Cast("student_id", TEXT), Value(f":{programme.code}"), output_field=TEXT),
            proof=Value(f"{programme.name}：应助未申请", TEXT),
        )
        .values_list("kind", "key", "student_id", "entry", "why", "proof", "school_id")
    )


def _by_line(lines: QuerySet, proof) -> QuerySet:
    """One difference per line, at its school."""
    return (
        lines.order_by()
        .annotate(
            kind=Value("grant", TEXT),
            key=Cast("id", TEXT),
            stay=NO_ENTRY,
            of_category=F("category"),
            proof=proof,
        )
        .values_list("kind", "key", "student_id", "stay", "of_category", "proof", "school_id")
    )


def _yuan(column: str) -> Concat:
    """Fen of a yuan or more as yuan with two decimals, cut as text: no division, no float."""
    fen = Cast(F(column), TEXT)
    return Concat(Left(fen, Length(fen) - Value(2)), Value("."), Right(fen, 2), output_field=TEXT)


DOC = "docs/rules/aid.md"
LATER = ("explain", "accept", "assign")
SOURCES = ("lists", "enrolment", "hardship", "grants")
RULES = (
    Rule("R09", "漏助：脱贫（监测）家庭学生应助未申请", unpaid_or_unlisted(POOR, both=False), office=Office.SCHOOL, days=10, remedies=("claim_aid", *LATER), inputs=SOURCES, doc=DOC),
    Rule("R10", "错助：基准日不在脱贫（监测）名单", poor_not_on_the_list, office=Office.AID, days=10, remedies=("return_aid", *LATER), inputs=SOURCES, doc=DOC),
    Rule("R11", "低保（低收入）学生漏助、错助", unpaid_or_unlisted(DIBAO), office=Office.AID, days=10, remedies=("claim_aid", "return_aid", *LATER), inputs=SOURCES, doc=DOC),
    Rule("R12", "特困、孤儿、事实无人抚养学生漏助、错助", unpaid_or_unlisted(CARED_FOR), office=Office.AID, days=10, remedies=("claim_aid", "return_aid", *LATER), inputs=SOURCES, doc=DOC),
    Rule("R14", "残疾学生漏助、错助", unpaid_or_unlisted(DISABLED), office=Office.AID, days=10, remedies=("claim_aid", "return_aid", *LATER), inputs=SOURCES, doc=DOC),
    Rule("R15", "重复资助：两所学校上报同一项目", told_by_two_schools, office=Office.AID, days=10, remedies=LATER, inputs=("enrolment", "grants"), doc=DOC),
    Rule("R16", "资助金额与标准不符", amount_differs, office=Office.SCHOOL, days=10, remedies=("return_aid", *LATER), inputs=SOURCES, doc=DOC),
    Rule("R19", "雨露计划应领未领、不应领", yulu, office=Office.AID, days=20, remedies=("claim_aid", "return_aid", *LATER), inputs=SOURCES, doc=DOC),
)  # fmt: skip
REASONS = {
    "R09": "脱贫（监测）家庭学生符合这个项目的条件，学校已开始办理，名单里却没有他。请核实后申请；家庭放弃的，附签字说明。",
    "R10": "按脱贫（监测）家庭申请，基准日却不在名单上。请核实是否属其他困难类别，否则退回。",
    "R11": "低保、低收入家庭学生应助未申请，或按低保申请而基准日不在名单上。请核实。",
    "R12": "特困、孤儿、事实无人抚养学生应助未申请，或按此申请而基准日不在名单上。请核实。",
    "R14": "持证残疾学生应助未申请，或按残疾学生申请而基准日名单上没有本人的证（可能是家长的证）。请核实。",
    "R15": "同一学期两所学校的资助名册上都有他，项目相同。请核实实际就读学校，保留一处。",
    "R16": "按现在登记的学段、住宿和标准算，金额与申请的不同。请核实后退回重报。",
    "R19": "符合雨露计划条件没有申请，或已休学、离校仍在申请名单上。请核实。",
}
