"""R24: children of poor households who are out of school; and the questions that may be answered by opening a case."""

from dataclasses import replace

from django.db.models import Exists, OuterRef, QuerySet

from dropout.models import Case
from students.models.differences import Office
from students.rules import RULES as KNOWN
from students.rules import Matter, Rule
from students.rules.matter import by_person, stays

DOC = "docs/rules/dropout.md"
LATER = ("explain", "accept", "assign")
ANSWERED_BY_A_CASE = ("R01", "R05", "R08", "R27", "R28")


def poor_and_out_of_school(matter: Matter) -> list[QuerySet]:
    """R24: verified to be out of school, and on the poverty or monitoring list on the day."""
    out = Case.objects.verified().filter(county=matter.county, student=OuterRef("person_id"))
    listed = stays(matter, "poverty", "monitored").filter(person__isnull=False)
    return [by_person(listed.filter(Exists(out)), proof="确认失学、辍学，仍未复学")]


RULES = (
    Rule(
        "R24", "脱贫（监测）家庭学生失学、辍学", poor_and_out_of_school, office=Office.BASIC_EDUCATION, days=1, remedies=LATER,
        inputs=("poverty", "monitored", "cases"), doc=DOC,
    ),
)  # fmt: skip
REASONS = {"R24": "在脱贫（监测）名单上，控辍保学台账上确认失学、辍学而未复学。请局领导当日过问，优先劝返。"}


def offering_a_case() -> list[Rule]:
    """The rules downstairs that ask where a child is, with one remedy more."""
    rules = [KNOWN[code] for code in ANSWERED_BY_A_CASE if code in KNOWN]
    return [replace(rule, remedies=(*rule.remedies[:-3], "open_case", *rule.remedies[-3:])) for rule in rules if "open_case" not in rule.remedies]
