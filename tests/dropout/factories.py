"""Cases at any point of their way, taken there by the actions people use."""

from datetime import date, timedelta

from bureau.access.models import Account
from bureau.access.roles import Role
from bureau.organisation.models import School
from dropout.actions import handling, opening, ordering
from dropout.actions.handling import Leaving, Visited
from dropout.actions.steps import When
from dropout.models import Case
from students.models import Student
from tests.factories import AccountFactory
from tests.students.factories import EnrolmentFactory, StudentFactory

TODAY = date(2026, 10, 12)  # a Monday
LEAVING = Leaving(kind="dropped_out", left_on=date(2026, 9, 20), reason="weary", evidence="班主任家访记录")


def child_out_of_school(school: School, **facts) -> Student:
    """A child of ten of the school's township who left the school in September."""
    student = StudentFactory(county=school.county, hukou_township=school.township, **facts)
    EnrolmentFactory(student=student, school=school, is_registered=False, is_present=False, ended_on=date(2026, 9, 20))
    return student


def back_at_school(student: Student, school: School) -> None:
    EnrolmentFactory(student=student, school=school, started_on=date(2026, 10, 26))


def visited(day: date, **facts) -> Visited:
    return Visited(**{
        "visited_on": day, "way": "home", "visitors": "王老师、李主任", "met": "祖母", "place": "家中", "content": f"{day}讲政策",
        "outcome": "hesitant", **facts,
    })  # fmt: skip


class Road:
    """Takes one child's case along, each step by whoever does it; a clock that people turn."""

    def __init__(self, school: School, *, today: date = TODAY, student: Student | None = None) -> None:
        self.school, self.today, self.county = school, today, school.county
        self.student = student or child_out_of_school(school)
        self.clerk = AccountFactory(county=self.county, role=Role.SCHOOL_CLERK, at=school)
        self.head = AccountFactory(county=self.county, role=Role.SCHOOL_HEAD, at=school)
        self.cadre = AccountFactory(county=self.county, role=Role.TOWNSHIP_OFFICER, at=school.township)
        self.officer: Account = AccountFactory(county=self.county, role=Role.BASIC_EDUCATION_OFFICER)

    @property
    def when(self) -> When:
        return When(self.today, self.today)

    @property
    def case(self) -> Case:
        return Case.objects.get(student=self.student)

    def later(self, days: int) -> "Road":
        self.today += timedelta(days=days)
        return self

    def report(self) -> Case:
        return opening.report(student=self.student, detail="三天没到校", reason="weary", on=self.today, today=self.today, by=self.clerk)

    def verify(self) -> None:
        handling.assign(cases=Case.objects.filter(student=self.student), government=self.cadre, education=self.clerk, today=self.today, by=self.officer)

    def confirm(self, **facts) -> None:
        leaving = Leaving(**{**LEAVING.__dict__, **facts})
        handling.confirm(case=self.case, leaving=leaving, when=self.when, by=self.officer)

    def persuade(self) -> None:
        handling.form_team(case=self.case, members=[("teacher", "王老师"), ("village", "李主任")], plan="每周家访", when=self.when, by=self.clerk)

    def visit(self, **facts) -> None:
        handling.record_visit(case=self.case, visited=visited(self.today, **facts), today=self.today, by=self.cadre)

    def order(self):
        return ordering.issue(case=self.case, guardian="张大山", township=self.school.township, when=self.when, by=self.cadre)

    def back(self, **facts) -> None:
        given = {"placement": "original_class", "placed_at": str(self.school), "evidence": "班级合影、复学证明"} | facts
        handling.bring_back(case=self.case, when=self.when, by=self.head, **given)

    def watch(self) -> None:
        handling.watch(case=self.case, when=self.when, by=self.head)

    def sign(self, *lines: str) -> None:
        for line in lines:
            handling.sign(case=self.case, line=line, note="", today=self.today, by=self.cadre if line == "government" else self.head)

    def strike_off(self, evidence: str = "学籍系统截图") -> None:
        handling.strike_off(case=self.case, evidence=evidence, when=self.when, by=self.officer)

    def up_to(self, state: str) -> "Road":
        """To this state by the shortest way; the days go by as they must."""
        self.report()
        steps = {
            "suspected": lambda: None, "verifying": self.verify, "confirmed": self.confirm, "persuading": self.persuade,
            "returned": self.back, "stabilising": lambda: (self.later(10), self.watch()),
        }  # fmt: skip
        for step, act in steps.items():
            act()
            if step == state:
                return self
        raise ValueError(state)
