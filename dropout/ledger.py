"""适龄儿童台账: every child of school age in exactly one category on a day, as a queryset.

The order of CATEGORIES is the published precedence: the first one that is true is the child's. What is stored stays as it
is; two facts that cannot both be true are not resolved here but asked about elsewhere. Source: docs/rules/dropout.md, “台账”.
"""

from dataclasses import dataclass
from datetime import date

from django.db.models import Case as If
from django.db.models import CharField, Count, Exists, F, OuterRef, QuerySet, Subquery, UUIDField, Value, When

from bureau.access.models import Account
from bureau.organisation.models import County, Stage
from bureau.organisation.terms import term_on
from dropout.models import Case
from dropout.models.cases import DOUBTED, VERIFIED
from students.models import Enrolment, Leaver, Student, Whereabouts
from students.rules import school_age_births

HUKOU, STUDYING = "hukou", "studying"
KEY = UUIDField()
BASES = [(HUKOU, "户籍口径"), (STUDYING, "就读口径")]


@dataclass(frozen=True)
class Category:
    """`counts`: in → taught somewhere; exempt → lawfully not; out → not in school; none → not in the base at all."""

    code: str
    title: str
    counts: str


CATEGORIES = (
    Category("deceased", "死亡", "none"),
    Category("hukou_error", "户籍信息错误", "none"),
    Category("duplicate", "重复户口", "none"),
    Category("moved_out", "户口已迁出", "none"),
    Category("missing", "失踪失联", "out"),
    Category("dropped_out", "辍学", "out"),
    Category("not_enrolled", "失学", "out"),
    Category("suspended", "休学", "exempt"),
    Category("deferred", "缓学", "exempt"),
    Category("home_teaching", "送教上门", "in"),
    Category("corrective", "专门学校", "in"),
    Category("in_county", "县内在校", "in"),
    Category("suspected", "疑似失学、辍学", "out"),
    Category("other_county_in_province", "省内县外就读", "in"),
    Category("out_of_province", "省外就读", "in"),
    Category("vocational_early", "职校（技校）就读", "in"),
    Category("graduated_early", "提前毕业", "in"),
    Category("abroad", "出国（境）", "none"),
)
TITLES = {category.code: category.title for category in CATEGORIES}
COUNTS = {kind: [c.code for c in CATEGORIES if c.counts == kind] for kind in ("in", "exempt", "out", "none")}


@dataclass(frozen=True)
class Asked:
    """Whose ledger, of which day and base."""

    county: County
    day: date
    base: str = HUKOU


def children(asked: Asked) -> QuerySet[Student]:
    """School-age children of the base, each with `category`, `at_school`, `at_stage` and the place he counts for.

    户籍: registered in a township here. 就读: 在籍 or 在校 at a school here, wherever his 户口 is. `place_township` and
    `place_school` are of the base: the township of the 户口, or that of the school.
    """
    term = term_on(asked.county, asked.day)
    if term is None:
        return Student.objects.none()
    first, last = school_age_births(asked.county, school_year=term.school_year.starts_in, as_of=asked.day)
    found = Student.objects.filter(county=asked.county).of_school_age(from_birth=first, to_birth=last)
    here = Enrolment.objects.open().filter(student=OuterRef("pk"), school__isnull=False).order_by("-is_present", "pk")
    found = found.annotate(
        at_school=Subquery(here.values("school")[:1], output_field=KEY),
        at_stage=Subquery(here.values("stage")[:1]),
        category=category_on(asked.day),
    )
    if asked.base == STUDYING:
        return found.filter(Exists(here)).annotate(
            place_township=Subquery(here.values("school__township")[:1], output_field=KEY), place_school=Subquery(here.values("school")[:1], output_field=KEY)
        )
    return found.filter(hukou_outside=False, hukou_township__isnull=False).annotate(
        place_township=F("hukou_township"), place_school=Subquery(here.values("school")[:1], output_field=KEY)
    )


def category_on(day: date) -> If:
    """The one category of a student on `day`, as an expression over Student."""
    case = Case.objects.filter(student=OuterRef("pk"))
    out = case.filter(state__in=VERIFIED)
    stay = Enrolment.objects.open().filter(student=OuterRef("pk"))
    present = Enrolment.objects.present().filter(student=OuterRef("pk"), school__isnull=False)
    known = Whereabouts.objects.covering(day).filter(student=OuterRef("pk"))
    awaited = Leaver.objects.awaited(day).filter(enrolment__student=OuterRef("pk"))

    def proved(*kinds: str) -> list[When]:
        return [When(Exists(known.filter(kind=kind)), then=Value(kind)) for kind in kinds]

    never = out.filter(episodes__ended_on=None, episodes__kind="not_enrolled")
    return If(
        *proved("deceased", "hukou_error", "duplicate", "moved_out"),
        When(Exists(out.filter(reason="missing")), then=Value("missing")),
        When(Exists(never), then=Value("not_enrolled")),
        When(Exists(out), then=Value("dropped_out")),
        *proved("suspended", "deferred", "home_teaching", "corrective"),
        When(Exists(present), then=Value("in_county")),
        When(Exists(case.filter(state__in=DOUBTED)), then=Value("suspected")),
        When(Exists(stay.filter(school__isnull=False)), then=Value("in_county")),
        *proved("other_county_in_province", "out_of_province", "vocational_early", "graduated_early", "abroad"),
        When(Exists(stay), then=Value("other_county_in_province")),
        When(Exists(awaited), then=Value("in_county")),
        default=Value("suspected"),
        output_field=CharField(),
    )


def visible(asked: Asked, account: Account) -> QuerySet[Student]:
    """Those the account may see, from Student's own scope."""
    return children(asked).filter(pk__in=Student.objects.visible_to(account).order_by().values("pk"))


def counted(rows: QuerySet[Student], by: str) -> dict[object, dict[str, int]]:
    """{value of `by`: {category: number}}; every child once, so the parts sum to the whole."""
    table: dict[object, dict[str, int]] = {}
    grouped = rows.order_by().values_list(by, "category").annotate(number=Count("pk"))
    for value, category, number in grouped:
        table.setdefault(value, {})[category] = number
    return table


def of_stage(rows: QuerySet[Student], stage: str) -> QuerySet[Student]:
    return rows.filter(at_stage=stage) if stage in Stage.values else rows
