"""Figures of the first floor: who is in school, who should be, who has a recorded hardship, what is not settled.

Meaning and base of each: docs/rules/figures.md.
"""

from collections.abc import Iterable

from django.db.models import Count, Exists, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import NullIf

from bureau import figures
from bureau.figures import (
    NO_PART,
    Asked,
    Base,
    Chart,
    ChartData,
    Figure,
    FigureFilter,
    Line,
    Tile,
    Unit,
    divided,
)
from bureau.organisation.models import Stage, Township
from students.models import Category, Discrepancy, Enrolment, Hardship, Student
from students.models.differences import Office
from students.rules import RULES, school_age_births

STUDENTS_PAGE, STUDENTS_RIGHT = "students:students", "students.view"
QUESTIONS_PAGE, QUESTIONS_RIGHT = "students:discrepancies", "differences.view"
STUDENT_FIGURES = FigureFilter(page=STUDENTS_PAGE, words={"stage": dict(Stage.choices)})
QUESTION_FIGURES = FigureFilter(
    page=QUESTIONS_PAGE,
    words={"rule": {code: rule.title for code, rule in RULES.items()}, "office": dict(Office.choices)},
)


def present(asked: Asked) -> QuerySet[Student]:
    """在校学生: children who sit in a school here that the account may see; told by one school each."""
    stays = (
        Enrolment.objects.visible_to(asked.account)
        .open()
        .filter(is_present=True, school__isnull=False, student=OuterRef("pk"))
    )
    first = stays.order_by("pk")
    return (
        Student.objects.filter(county=asked.county)
        .annotate(
            at_township=Subquery(first.values("school__township")[:1]),
            at_school=Subquery(first.values("school")[:1]),
            at_stage=Subquery(first.annotate(told=NullIf("stage", Value(""))).values("told")[:1]),
        )
        .filter(Exists(stays))
    )


def of_school_age(asked: Asked) -> QuerySet[Student]:
    """适龄儿童: registered (户籍) in a township of this county and of school age on the day."""
    first, last = school_age_births(
        asked.county, school_year=asked.term.school_year.starts_in, as_of=asked.on
    )
    return (
        Student.objects.visible_to(asked.account)
        .filter(hukou_outside=False, hukou_township__isnull=False)
        .of_school_age(from_birth=first, to_birth=last)
    )


def in_hardship(asked: Asked) -> QuerySet[Student]:
    """困难身份学生: children with at least one recorded hardship in force on the day, each once."""
    held = Hardship.objects.covering(asked.on).filter(student=OuterRef("pk"))
    return Student.objects.visible_to(asked.account).filter(Exists(held))


def present_in_hardship(asked: Asked) -> QuerySet[Student]:
    """在校学生 who have a recorded hardship in force on the day."""
    return present(asked).filter(Exists(Hardship.objects.covering(asked.on).filter(student=OuterRef("pk"))))


def enrolled_nowhere(asked: Asked) -> QuerySet[Student]:
    """适龄儿童 with neither an open enrolment nor evidence of whereabouts in force: what R01 asks about, by 户籍."""
    return of_school_age(asked).enrolled_nowhere().of_unknown_whereabouts(asked.on)


def waiting(asked: Asked) -> QuerySet[Discrepancy]:
    return Discrepancy.objects.visible_to(asked.account).filter(county=asked.county).open(on=asked.on)


def late(asked: Asked) -> QuerySet[Discrepancy]:
    return waiting(asked).overdue(asked.on)


def found(asked: Asked) -> QuerySet[Discrepancy]:
    """Every question whose present round was opened since the term began, settled or not."""
    return Discrepancy.objects.visible_to(asked.account).filter(
        county=asked.county, opened_on__gte=asked.term.starts_on
    )


def settled(asked: Asked) -> QuerySet[Discrepancy]:
    """Of those found, the ones that wait for nobody any more."""
    return found(asked).exclude(pk__in=waiting(asked).values("pk"))


IN_SCHOOL_PARTS = {"township": "at_township", "school": "at_school", "stage": "at_stage"}
HUKOU_PARTS = {"township": "hukou_township"}
QUESTION_PARTS = {"township": "township", "rule": "rule", "office": "office"}


def _of_students(code: str, name: str, base: Base, definition: str, rows, parts) -> Figure:
    return Figure(code, name, Unit.PERSON, base, definition, rows, STUDENTS_PAGE, STUDENTS_RIGHT, parts)


def _of_questions(code: str, name: str, definition: str, rows) -> Figure:
    return Figure(
        code, name, Unit.ITEM, Base.ALL, definition, rows, QUESTIONS_PAGE, QUESTIONS_RIGHT, QUESTION_PARTS
    )


PRESENT = _of_students(
    "S01", "在校学生", Base.STUDYING, "本县学校在校就读的学生，按人计，一人只计一次", present, IN_SCHOOL_PARTS
)
SCHOOL_AGE = _of_students(
    "S02",
    "适龄儿童",
    Base.HUKOU,
    "户籍在本县乡镇、学年开始当年8月31日满6周岁且统计日未满16周岁",
    of_school_age,
    HUKOU_PARTS,
)
HARDSHIP = _of_students(
    "S03",
    "困难身份学生",
    Base.ALL,
    "统计日有效的困难身份至少一项，按人计，一人只计一次",
    in_hardship,
    HUKOU_PARTS,
)
PRESENT_HARDSHIP = _of_students(
    "S04",
    "在校困难身份学生",
    Base.STUDYING,
    "在校学生中统计日有有效困难身份的人",
    present_in_hardship,
    IN_SCHOOL_PARTS,
)
NOWHERE = _of_students(
    "S05",
    "适龄儿童中去向未明",
    Base.HUKOU,
    "适龄儿童中没有在籍在校记录、也没有有效去向佐证的人",
    enrolled_nowhere,
    HUKOU_PARTS,
)
WAITING = _of_questions("D01", "待核实问题", "尚未办结、也没有在有效期内说明的问题", waiting)
LATE = _of_questions("D02", "逾期问题", "待核实问题中已过办理期限的", late)
FOUND = _of_questions("D03", "本学期发现的问题", "本学期开学以来发现（含再次出现）的问题", found)
SETTLED = _of_questions("D04", "本学期已处理的问题", "本学期发现的问题中不再等待办理的", settled)


def _school_age_line(asked: Asked) -> Line:
    nowhere = NOWHERE.value(asked)
    return Line("去向未明", f"{nowhere:,} 人", "bad" if nowhere else "")


def _school_age_foot(asked: Asked) -> str:
    first, last = school_age_births(
        asked.county, school_year=asked.term.school_year.starts_in, as_of=asked.on
    )
    return f"{first.year}年{first.month}月{first.day}日至{last.year}年{last.month}月{last.day}日出生"


def _present_line(asked: Asked) -> Line:
    return Line("义务教育阶段", f"{_compulsory(asked):,} 人", "up-n")


def _compulsory(asked: Asked) -> int:
    by_stage = PRESENT.counts(asked, "stage")
    return sum(by_stage.get(stage, 0) for stage in (Stage.PRIMARY, Stage.JUNIOR, Stage.SPECIAL))


def _stages_foot(asked: Asked) -> str:
    by_stage = PRESENT.counts(asked, "stage")
    return _parts((label, by_stage.get(stage)) for stage, label in Stage.choices) or "还没有花名册入库"


def _hardship_line(asked: Asked) -> Line:
    return Line("其中在校", f"{PRESENT_HARDSHIP.value(asked):,} 人", "up-n")


def _hardship_foot(asked: Asked) -> str:
    held = Hardship.objects.covering(asked.on).filter(student__in=in_hardship(asked))
    counted = held.order_by().values_list("category").annotate(children=Count("student", distinct=True))
    largest = counted.order_by("-children")[:3]
    return _parts((Category(code).label, number) for code, number in largest) or "尚未登记困难身份"


def _waiting_line(asked: Asked) -> Line:
    number = LATE.value(asked)
    return Line("其中逾期", f"{number:,} 件", "bad" if number else "")


def _waiting_foot(asked: Asked) -> str:
    by_office = WAITING.counts(asked, "office")
    return _parts((label, by_office.get(office)) for office, label in Office.choices) or "没有待核实问题"


def _parts(counted: Iterable[tuple[str, int | None]]) -> str:
    """学前 203 · 小学 970: what counts nothing is left out, and a line breaks only between two parts."""
    return " · ".join(f"{label}\N{NO-BREAK SPACE}{number:,}" for label, number in counted if number)


def _questions_by_township(asked: Asked) -> ChartData:
    shown = (("发现", "due", FOUND), ("已处理", "done", SETTLED), ("逾期", "trouble", LATE))
    return divided(asked, "township", _townships(asked, "未定乡镇"), shown)


def _present_by_stage(asked: Asked) -> ChartData:
    stages = [*Stage.choices, (NO_PART, "未注明")]
    return divided(
        asked, "stage", stages, (("在校学生", "due", PRESENT), ("其中困难身份", "done", PRESENT_HARDSHIP))
    )


def _places(asked: Asked) -> ChartData:
    shown = (
        ("适龄儿童", "due", SCHOOL_AGE),
        ("去向未明", "trouble", NOWHERE),
        ("困难身份学生", "due", HARDSHIP),
        ("待核实问题", "due", WAITING),
        ("其中逾期", "trouble", LATE),
    )
    return divided(asked, "township", _townships(asked, "外县或未定乡镇"), shown)


def _townships(asked: Asked, without: str) -> list[tuple[object, str]]:
    places = Township.objects.filter(county=asked.county).values_list("pk", "name")
    return [*places, (NO_PART, without)]


def plug_in() -> None:
    """Called once from `AppConfig.ready()`."""
    for figure in (PRESENT, SCHOOL_AGE, HARDSHIP, PRESENT_HARDSHIP, NOWHERE, WAITING, LATE, FOUND, SETTLED):
        figures.register(figure)
    figures.register_tile(Tile(PRESENT, "graduation-cap", "blue", _present_line, _stages_foot))
    figures.register_tile(Tile(SCHOOL_AGE, "users-round", "green", _school_age_line, _school_age_foot))
    figures.register_tile(Tile(HARDSHIP, "hand-heart", "amber", _hardship_line, _hardship_foot))
    figures.register_tile(Tile(WAITING, "git-compare", "red", _waiting_line, _waiting_foot))
    figures.register_chart(
        Chart(
            "questions",
            "各乡镇待核实问题办得怎么样",
            "乡镇",
            "本学期 · 点击柱形查看名单",
            QUESTIONS_RIGHT,
            _questions_by_township,
        )
    )
    figures.register_chart(
        Chart(
            "stages",
            "各学段在校学生里有多少困难身份",
            "学段",
            "点击柱形查看名单",
            STUDENTS_RIGHT,
            _present_by_stage,
        )
    )
    figures.register_table(
        Chart(
            "places",
            "各乡镇一览",
            "乡镇",
            "按户籍乡镇，问题按承办地 · 点击数字查看名单",
            STUDENTS_RIGHT,
            _places,
        )
    )
