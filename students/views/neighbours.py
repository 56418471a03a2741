"""What a school may know of a child's other school: that there is one, and whether he is 在籍, 在校 there; no more."""

from collections.abc import Iterable

from bureau.access.models import Account
from students.models import Enrolment

OTHER_SCHOOL = "本县另一所学校"


def concealed(enrolments: Iterable[Enrolment], account: Account) -> list[Enrolment]:
    """The stays as this account may see them. County and townships, who must find every child, see them all."""
    scope = account.scope
    if scope.whole_county or scope.townships:
        return list(enrolments)
    return [_concealed(stay) if stay.school_id and stay.school_id not in scope.schools else stay for stay in enrolments]


def _concealed(stay: Enrolment) -> Enrolment:
    return Enrolment(
        outside_school=OTHER_SCHOOL, is_registered=stay.is_registered, is_present=stay.is_present,
        started_on=stay.started_on, ended_on=stay.ended_on,
    )  # fmt: skip
