"""A small county lives through two years, three school years touched: nobody is suspected wrongly, whoever is lost is found,
and what was true of the past stays so.

A child is where `place` says, by his birth year and the school year; `Deviation` is what happens to one child instead. The
story is told in small functions, so that others can add to it.
"""

from collections import Counter
from dataclasses import dataclass, field
from datetime import date

import pytest

from bureau.access.roles import Role
from bureau.organisation import changing
from bureau.organisation.models import School, Stage, Term
from bureau.year import actions as year_actions
from bureau.year.models import FrozenFigure, TermClosing
from students.actions import absences, collecting, handing_over, promoting, transfers
from students.actions.absences import Explanation
from students.actions.handing_over import Told
from students.intake.locks import Locked
from students.models import Absence, Collection, Discrepancy, Enrolment, Leaver, Promotion, Schooling
from tests.factories import AccountFactory, SchoolFactory, SchoolYearFactory, TermFactory
from tests.students.factories import Office, citizen_id

pytestmark = [pytest.mark.slow, pytest.mark.django_db]

GRADES = ("小班", "中班", "大班", "一年级", "二年级", "三年级", "四年级", "五年级", "六年级", "七年级", "八年级", "九年级",
          "高一", "高二", "高三")  # fmt: skip
FIRST_AGE = 3  # a child born in 2018 is in 小班 in the school year that starts in 2021
SURNAMES = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许"
GIVEN = {"A": "甲", "B": "乙", "P": "丙"}
TERMS = {
    "2025-spring": (2024, date(2025, 2, 17), date(2025, 7, 4)),
    "2025-autumn": (2025, date(2025, 9, 1), date(2026, 1, 23)),
    "2026-spring": (2025, date(2026, 3, 2), date(2026, 7, 10)),
    "2026-autumn": (2026, date(2026, 9, 1), date(2027, 1, 22)),
    "2027-spring": (2026, date(2027, 2, 22), date(2027, 7, 9)),
}


@dataclass(frozen=True)
class Child:
    """`home` is the primary school of his village: A, B, or the teaching point P, whose third grade goes to A."""

    born: date
    home: str

    @property
    def name(self) -> str:
        return SURNAMES[self.born.year - 2006] + GIVEN[self.home] + "生"

    @property
    def number(self) -> str:
        return citizen_id(self.born, 1 + "ABP".index(self.home))

    def grade(self, year: int) -> int | None:
        """His place in GRADES in the school year that starts in `year`."""
        place = year - self.born.year - FIRST_AGE
        return place if 0 <= place < len(GRADES) else None


@dataclass
class Story:
    """The county, its schools by their letter, and where its children differ from the usual course."""

    office: Office
    officer: object
    schools: dict[str, School]
    terms: dict[str, Term]
    children: list[Child]
    lost: dict[Child, tuple[int, int | None]] = field(
        default_factory=dict
    )  # in no school from that year up to another
    moved: dict[Child, str] = field(default_factory=dict)  # at another school than the usual course, from now on
    figures: dict[date, Counter] = field(default_factory=dict)

    def place(self, child: Child, year: int) -> str | None:
        """The letter of the school he is at."""
        grade = child.grade(year)
        since, until = self.lost.get(child, (9999, None))
        if grade is None or (since <= year and (until is None or year < until)):
            return None
        if child in self.moved:
            return self.moved[child]
        if grade < 3:
            return "K"
        if grade < 9:
            return "A" if child.home == "P" and grade >= 5 else child.home
        return "J" if grade < 12 else "S"

    def child(self, born: int, home: str) -> Child:
        return next(one for one in self.children if (one.born.year, one.home) == (born, home))


@pytest.fixture
def story(office, world) -> Story:
    for code, (year, starts_on, ends_on) in TERMS.items():
        school_year = SchoolYearFactory(county=world.county, starts_in=year)
        TermFactory(
            county=world.county, code=code, school_year=school_year, starts_on=starts_on, ends_on=ends_on
        )
    town = world.township
    schools = {"A": world.center_school, "P": world.school, "B": world.other_school}
    for letter, name, stage in (
        ("K", "城关镇幼儿园", Stage.PRESCHOOL),
        ("J", "云岭县初级中学", Stage.JUNIOR),
        ("S", "云岭县第一中学", Stage.SENIOR_GENERAL),
    ):
        schools[letter] = SchoolFactory(township=town, name=name, stages=[stage.value])
    Schooling.objects.create(
        county=world.county,
        school=schools["P"],
        kind=Schooling.Kind.TAUGHT,
        stage=Stage.PRIMARY,
        years=2,
        from_year=2000,
    )
    children = [Child(date(born, 5, 10), home) for born in range(2008, 2024) for home in "ABP"]
    officer = AccountFactory(county=world.county, role=Role.BASIC_EDUCATION_OFFICER)
    terms = {
        term.code: term for term in Term.objects.filter(county=world.county).select_related("school_year")
    }
    return Story(office, officer, schools, terms, children)


# What happens in a year


def send_rolls(story: Story, code: str) -> None:
    """Every school sends its roll of a term."""
    term = story.terms[code]
    for letter, school in story.schools.items():
        here = [child for child in story.children if story.place(child, term.school_year.starts_in) == letter]
        rows = [
            {
                "姓名": child.name,
                "身份证号": child.number,
                "年级": GRADES[child.grade(term.school_year.starts_in)],
                "班级": "1班",
                "学籍状态": "在籍",
            }
            for child in here
        ]
        if rows:
            story.office.enrol(rows, school=school, term=term)


def send_police_list(story: Story, on: date) -> None:
    rows = [
        {
            "姓名": child.name,
            "身份证号": child.number,
            "户号": child.number[-6:],
            "与户主关系": "之子",
            "出生日期": child.born.isoformat(),
        }
        for child in story.children
        if child.born.replace(year=child.born.year + 16) > on
    ]
    story.office.list("population", rows, on=on)


def turn_year(story: Story, code: str) -> Promotion:
    """The bureau promotes before the term of this code begins."""
    year = story.terms[code].school_year
    asked = promoting.start_promotion(school_year=year, school=None, by=story.officer)
    return promoting.apply_promotion(promotion=promoting.stage_promotion(promotion=asked), by=story.officer)


def hand_over(story: Story, year: int, on: date) -> None:
    leavers = Leaver.objects.filter(school_year__starts_in=year, enrolment__stage=Stage.PRIMARY)
    handing_over.hand_over(leavers=leavers, to_school=story.schools["J"], on=on, by=story.officer)


def suspicions(story: Story, code: str, on: date) -> set[tuple[str, str]]:
    """Everything open after a comparison as of the day: rule and child."""
    story.office.reconcile(on=on, term=story.terms[code])
    found = Discrepancy.objects.open(on=on).values_list("rule", "student__person__name")
    return set(found)


def expected(**children: list[Child]) -> set[tuple[str, str]]:
    return {(rule, child.name) for rule, named in children.items() for child in named}


def head_count(day: date) -> Counter:
    """Who was at which school in which stage on a day that is past, as known now."""
    there = Enrolment.objects.filter(started_on__lte=day).exclude(ended_on__lt=day)
    return Counter(there.values_list("school__name", "stage", "entered_in", "student__person__name"))


def remember(story: Story, day: date) -> None:
    story.figures[day] = head_count(day)


def check_the_past(story: Story) -> None:
    for day, figure in story.figures.items():
        assert head_count(day) == figure, day


# The years


def first_spring(story: Story) -> None:
    send_rolls(story, "2025-spring")
    send_police_list(story, date(2025, 6, 1))
    assert suspicions(story, "2025-spring", date(2025, 6, 1)) == set()
    remember(story, date(2025, 6, 30))


def first_turn(story: Story) -> None:
    """In the summer nobody is a dropout: leavers are awaited, six-year-olds have time."""
    story.lost[story.child(2013, "A")] = (2025, 2026)  # finished primary school; is found again a year later
    story.lost[story.child(2019, "B")] = (2025, None)  # six, and not brought to school
    story.lost[story.child(2010, "P")] = (2025, None)  # finished junior school, nobody knows where he is
    story.lost[story.child(2010, "B")] = (2025, None)  # goes to a vocational school in another province
    turn_year(story, "2025-autumn")
    assert turn_year(story, "2025-autumn").rows.count() == 0
    hand_over(story, 2025, date(2025, 7, 10))
    send_police_list(story, date(2025, 8, 20))
    assert suspicions(story, "2025-autumn", date(2025, 8, 20)) == set()
    check_the_past(story)


def first_autumn(story: Story) -> None:
    send_rolls(story, "2025-autumn")
    assert not Absence.objects.exists()  # whoever moved up is missed by no roll
    assert suspicions(story, "2025-autumn", date(2025, 9, 15)) == set()  # the last day to report
    late = expected(
        R01=[story.child(2013, "A"), story.child(2019, "B")],
        R27=[story.child(2013, "A")],
        R28=[story.child(2019, "B")],
    )
    assert suspicions(story, "2025-autumn", date(2025, 9, 16)) == late
    gone = Leaver.objects.filter(enrolment__student__person__name=story.child(2010, "B").name)
    told = Told("vocational", where="outside", evidence="录取通知书")
    handing_over.record_destinations(leavers=gone, told=told, by=story.officer)
    unknown = expected(R01=[story.child(2010, "P")], R29=[story.child(2010, "P")])
    assert suspicions(story, "2025-autumn", date(2025, 11, 1)) == late | unknown
    remember(story, date(2025, 12, 31))
    check_the_past(story)


def second_spring(story: Story) -> None:
    """A child stays away in the middle of his stage: his school's roll misses him, and nobody says where he is."""
    dropout = story.child(2016, "B")
    story.lost[dropout] = (2025, None)
    send_rolls(story, "2026-spring")
    assert [absence.enrolment.student.person.name for absence in Absence.objects.all()] == [dropout.name]
    Absence.objects.update(due_on=date(2026, 3, 10))
    absences.signal_overdue(county=story.officer.county, today=date(2026, 3, 11))
    assert Absence.objects.get().state == Absence.State.SIGNALLED
    assert ("R01", dropout.name) in suspicions(story, "2026-spring", date(2026, 3, 12))
    remember(story, date(2026, 6, 30))
    check_the_past(story)


def second_turn(story: Story) -> None:
    turn_year(story, "2026-autumn")
    hand_over(story, 2026, date(2026, 7, 15))
    send_police_list(story, date(2026, 8, 20))
    before = expected(R01=[story.child(2013, "A"), story.child(2019, "B"), story.child(2016, "B")])
    assert {row for row in suspicions(story, "2026-autumn", date(2026, 8, 20)) if row[0] == "R01"} == before
    check_the_past(story)


def second_autumn(story: Story) -> None:
    """The lost leaver is on the junior school's roll at last; who is still lost stays found."""
    send_rolls(story, "2026-autumn")
    still = expected(R01=[story.child(2019, "B"), story.child(2016, "B")], R28=[story.child(2019, "B")])
    assert suspicions(story, "2026-autumn", date(2026, 9, 16)) == still
    assert suspicions(story, "2026-autumn", date(2026, 11, 1)) == still
    remember(story, date(2026, 12, 31))


def last_spring(story: Story) -> None:
    send_rolls(story, "2027-spring")
    assert Absence.objects.count() == 1
    check_the_past(story)


# Children move, a term is closed, a school closes


def close_autumn(story: Story) -> dict[tuple, int]:
    """The term is locked and its figures are kept; what they are is told."""
    term, officer = story.terms["2026-autumn"], story.officer
    days = {"opens_on": date(2026, 9, 1), "closes_on": date(2026, 9, 20)}
    collection = Collection.objects.create(county=term.county, term=term, kind="roll", **days)
    collecting.lock_collection(collection=collection, by=officer)
    closing = year_actions.close_term(term=term, today=date(2027, 1, 22), by=officer)
    with pytest.raises(Locked):
        story.office.roll([{"姓名": "某生"}], school=story.schools["A"], term=term)
    return frozen(closing)


def frozen(closing: TermClosing) -> dict[tuple, int]:
    return {(one.code, one.part, one.place_name): one.value for one in FrozenFigure.objects.filter(closing=closing)}


def children_move(story: Story) -> Child:
    """One to another school of the county, one out of it, one into it; and one who is announced and never arrives."""
    by, on = story.officer, date(2027, 3, 1)

    def announced(child: Child, kind: str, **more):
        stay = Enrolment.objects.open().get(student__person__name=child.name)
        said = Explanation(kind, on, **more)
        return transfers.announce(enrolment=stay, change=said, today=on, by=by)

    inside, out, nowhere = story.child(2017, "A"), story.child(2018, "B"), story.child(2018, "A")
    movement = announced(inside, "in_county", to_school=story.schools["B"])
    transfers.claim(movement=movement, arrived_on=on, class_name="1班", today=on, by=by)
    transfers.confirm(movement=movement, today=on, by=by)
    movement = announced(out, "out_of_province", evidence="转学申请", place="义乌市稠城一小")
    transfers.answer(movement=movement, evidence="回执", today=on, by=by)
    announced(nowhere, "in_county", to_school=story.schools["B"])
    story.moved[inside] = "B"
    for gone in (out, nowhere):
        story.lost[gone] = (2026, None)
    story.children.append(Child(date(2017, 5, 11), "A"))  # of the same name as the one who left; comes with the next roll
    return nowhere


def newcomer_brings_his_registration(story: Story) -> None:
    stay = Enrolment.objects.open().get(student__person__birth_on=date(2017, 5, 11))
    Enrolment.objects.filter(pk=stay.pk).update(is_registered=False)
    on = date(2027, 3, 12)
    said = Explanation("from_outside", on, place="邻县小学")
    movement = transfers.announce(enrolment=stay, change=said, today=on, by=story.office.by)
    transfers.answer(movement=movement, evidence="同意转出", today=on, by=story.office.by)
    stay.refresh_from_db()
    assert stay.is_registered


def school_closes(story: Story) -> None:
    point, successor = story.schools.pop("P"), story.schools["A"]
    decision = {"effective_on": date(2027, 3, 8), "decision": "云教发〔2027〕3号", "by": story.officer}
    change = changing.plan(school=point, kind="close", successor=successor, **decision)
    story.officer = AccountFactory(county=story.office.county, role=Role.ADMINISTRATOR)
    changing.apply(change=change, today=date(2027, 3, 8), by=story.officer)
    for child in story.children:
        if story.place(child, 2026) == "P":
            story.moved[child] = "A"


def what_moves_is_no_dropout(story: Story) -> None:
    day = date(2027, 3, 16)
    before = suspicions(story, "2027-spring", day)
    figures = close_autumn(story)
    remember(story, date(2027, 1, 22))
    never_arrived = children_move(story)
    school_closes(story)
    assert suspicions(story, "2027-spring", date(2027, 3, 15)) == before  # the last day for the other school to answer

    send_rolls(story, "2027-spring")  # again, as it is now
    send_police_list(story, date(2027, 3, 10))
    newcomer_brings_his_registration(story)

    assert Absence.objects.count() == 1
    assert suspicions(story, "2027-spring", day) == before | expected(R32=[never_arrived])
    assert frozen(TermClosing.objects.get()) == figures
    assert Enrolment.objects.open().filter(school__name="城关镇第一小学").count() == 0
    check_the_past(story)


def test_county_lives_through_two_years(story):
    first_spring(story)
    first_turn(story)
    first_autumn(story)
    second_spring(story)
    second_turn(story)
    second_autumn(story)
    last_spring(story)
    what_moves_is_no_dropout(story)
