"""Children in the situations aid asks about, and money to pay them."""

from datetime import date

from bureau.access.models import Account
from bureau.access.roles import Role
from bureau.organisation.models import School, Term
from students.models import Determination, Student
from subsidies.actions import funding, granting, listing
from subsidies.actions.granting import Outcome
from subsidies.models import Appropriation, FundSource, Programme
from tests.factories import AccountFactory
from tests.students.factories import EnrolmentFactory, EntryFactory, StudentFactory

POSTED, PASSED = date(2026, 10, 12), date(2026, 10, 20)
SIGNER = {
    "applied": Role.SCHOOL_CLERK, "school_reviewed": Role.SCHOOL_HEAD, "in_notice": Role.SCHOOL_CLERK, "notice_passed": Role.SCHOOL_CLERK,
    "submitted": Role.SCHOOL_HEAD, "county_approved": Role.AID_OFFICER, "finance_approved": Role.FINANCE_OFFICER,
}  # fmt: skip


def pupil(
    school: School,
    *,
    listed=(date(2026, 3, 1), None),
    on: str = "poverty",
    boarding: bool | None = True,
    **enrolled,
) -> Student:
    """A listed boarder in the third year of primary school; `listed=None`: on no list."""
    student = StudentFactory(county=school.county, hukou_township=school.township)
    EnrolmentFactory(student=student, school=school, boarding=boarding, **enrolled)
    if listed:
        EntryFactory(county=school.county, on=on, student=student, listed=listed)
    return student


def determined(student: Student, term: Term, tier: str = "general", **facts) -> Determination:
    """Confirmed for the term's school year on own evidence, from the first day of the term."""
    given = {"evidence": "父亲重病，住院费清单", "valid_from": term.starts_on, "state": "confirmed"} | facts
    return Determination.objects.create(
        county=student.county, student=student, school_year=term.school_year, tier=tier,
        applied_by=AccountFactory(county=student.county), **given,
    )  # fmt: skip


def money(
    programme: Programme,
    term: Term,
    yuan: int,
    *,
    by: Account | None = None,
    doc_no: str = "县财教〔2026〕1号",
) -> Appropriation:
    """An appropriation for the programme in the term's budget year."""
    county = programme.county
    source, _ = FundSource.objects.get_or_create(
        county=county, name="中央补助", defaults={"level": "central"}
    )
    values = {
        "source": source, "programme": programme, "year": int(term.code[:4]), "doc_no": doc_no,
        "received_on": date(2026, 9, 1), "amount_fen": yuan * 100,
    }  # fmt: skip
    return funding.appropriate(
        values=values, county=county, by=by or AccountFactory(county=county, role=Role.FINANCE_OFFICER)
    )


class Way:
    """Takes a programme-term step by step, each step signed by whoever does it in life; one school and its people."""

    def __init__(self, programme: Programme, term: Term, school: School) -> None:
        self.programme, self.term, self.school = programme, term, school
        self.by = {step: _signer(role, school) for step, role in SIGNER.items()}
        self.by["notice_passed"] = self.by["in_notice"] = self.by["applied"]
        self.by["submitted"] = self.by["school_reviewed"]

    def list(self) -> int:
        return listing.list_candidates(programme=self.programme, term=self.term, by=self.by["applied"])

    def take(self, to: str, *, by: Account | None = None, today: date | None = None, **more) -> Outcome:
        day = today or (POSTED if to == "in_notice" else PASSED)
        return granting.advance(
            programme=self.programme, term=self.term, to=to, by=by or self.by[to], today=day, **more
        )

    def up_to(self, last: str) -> Outcome:
        """List, then every step to `last`."""
        self.list()
        outcome = Outcome(0)
        for step in SIGNER:
            outcome = self.take(step)
            if step == last:
                break
        return outcome


def _signer(role: Role, school: School) -> Account:
    at = school if role in (Role.SCHOOL_CLERK, Role.SCHOOL_HEAD) else None
    return AccountFactory(county=school.county, role=role, at=at)
