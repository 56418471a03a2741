"""A template with a school's present roll: full numbers leave the house, so it is asked for with a purpose."""

from pathlib import Path

from django.db import transaction

from bureau import audit
from bureau.organisation.models import School, Term
from bureau.sheets import write_template
from students.intake.prefilled import enrolled_at, roll_lines
from students.models import Enrolment
from students.sheets import ROSTERS
from students.sheets.templates import columns_of, stages_of


@transaction.atomic
def fill_template(*, path: Path, school: School, term: Term, by) -> list[Enrolment]:
    """Write the class-roll template of `school` with who is there now; gives whom it shows.

    One workbook is one form: a school of several groups of stages gets the columns of all of them.
    """
    enrolments = enrolled_at(school)
    attrs = dict.fromkeys(attr for group in stages_of(school.stages) for attr in columns_of("roll", group))
    lines = roll_lines(enrolments, school_year=term.school_year.starts_in)
    write_template(path, ROSTERS["roll"][0], attrs=list(attrs), rows=lines, school=(school.code, school.name), term=term.code)
    audit.record(
        by=by, verb="students.template_filled", subject=school, county=school.county, detail={"rows": len(enrolments)}
    )
    return enrolments
