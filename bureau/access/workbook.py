"""Accounts from a workbook: what its rows would open, why some cannot, and opening them."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from django.core import signing
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from bureau.access import actions
from bureau.access.models import Account, Assignment
from bureau.access.names import username_fault
from bureau.access.roles import Role, place_fault
from bureau.access.sheets import AccountSheet
from bureau.organisation.models import School, Township
from bureau.sheets import ACCEPTED, Problem, read

_SALT = "bureau.access.workbook"
MINUTES_TO_CONFIRM = 60


class StalePreview(ValueError):
    """The confirmation is not of a preview this person saw within the hour."""


@dataclass
class Line:
    """One row that could be read; `fault` says why it opens no account."""

    row: int
    username: str
    display_name: str
    role: str
    place_code: str
    post: str
    place: School | Township | None = None
    fault: str = ""

    @property
    def role_label(self) -> str:
        return Role(self.role).label


@dataclass
class Preview:
    lines: list[Line]
    problems: list[Problem]
    file_error: Problem | None

    @property
    def good(self) -> list[Line]:
        return [line for line in self.lines if not line.fault]

    @property
    def bad(self) -> list[Line]:
        return [line for line in self.lines if line.fault]


def schools_without_clerk(by: Account) -> QuerySet[School]:
    """Open schools for which `by` may open accounts and nobody holds the clerk's yet."""
    today = timezone.localdate()
    clerks = Assignment.objects.not_ended(today).filter(role=Role.SCHOOL_CLERK, school__isnull=False)
    schools = (
        School.objects.filter(county=by.county_id).open_on(today).exclude(pk__in=clerks.values("school"))
    )
    if not by.grants.whole_county:
        schools = schools.filter(pk__in=by.grants.schools)
    return schools


def suggested_rows(by: Account) -> list[dict[str, str]]:
    """What a blank workbook starts with: one line for each school without a clerk."""
    codes = schools_without_clerk(by).order_by("code").values_list("code", flat=True)
    return [{"username": f"{code}-jb", "role": Role.SCHOOL_CLERK, "place": code} for code in codes]


def preview(path: Path, *, name: str, by: Account) -> Preview:
    reading = read(path, AccountSheet, today=timezone.localdate(), name=name)
    lines = [
        Line(
            row=row.number,
            username=Account.normalize_username(row.get("username")),
            display_name=row.get("display_name"),
            role=row.get("role"),
            place_code=row.get("place") or "",
            post=row.get("post") or "",
        )
        for row in reading.rows
        if row.status == ACCEPTED
    ]
    judge(lines, by=by)
    errors = [problem for problem in reading.problems if problem.level == "error" and problem.row]
    return Preview(lines, errors, reading.file_error)


def judge(lines: list[Line], *, by: Account) -> None:
    """Fill in each line's place and fault, by what `by` may give today."""
    grants = by.grants
    codes = {line.place_code for line in lines if line.place_code}
    schools = School.objects.filter(county=by.county_id, code__in=codes)
    if not grants.whole_county:
        schools = schools.filter(pk__in=grants.schools)
    townships = Township.objects.filter(county=by.county_id, code__in=codes if grants.whole_county else [])
    places = {place.code: place for place in (*townships, *schools.select_related("township"))}
    usernames = Counter(line.username for line in lines)
    taken = set(Account.objects.filter(username__in=usernames).values_list("username", flat=True))
    for line in lines:
        line.place = places.get(line.place_code)
        line.fault = username_fault(line.username) or _fault(line, grants.roles)
        if line.username in taken:
            line.fault = "这个账号已经有了。"
        elif usernames[line.username] > 1:
            line.fault = "同一账号在表中出现不止一次，请只留一行。"


def _fault(line: Line, roles: frozenset[str]) -> str:
    if line.role not in roles:
        return f"您不能开设“{line.role_label}”账号。"
    if line.place_code and line.place is None:
        return f"没有代码为“{line.place_code}”的学校或乡镇，或不在您的管理范围内。"
    return place_fault(line.role, **_where(line))


def _where(line: Line) -> dict[str, School | Township]:
    if line.place is None:
        return {}
    return {"school" if isinstance(line.place, School) else "township": line.place}


def seal(lines: list[Line], *, by: Account) -> str:
    """The lines of a preview as a text only this server can make, for the confirmation to send back."""
    rows = [[one.row, one.username, one.display_name, one.role, one.place_code, one.post] for one in lines]
    return signing.dumps({"by": str(by.pk), "rows": rows}, salt=_SALT, compress=True)


@transaction.atomic
def open_accounts(sealed: str, *, by: Account) -> tuple[list[actions.Slip], int]:
    """Open the accounts of a confirmed preview; lines no longer possible are left out and counted.

    Raises StalePreview.
    """
    try:
        data = signing.loads(sealed, salt=_SALT, max_age=MINUTES_TO_CONFIRM * 60)
    except signing.BadSignature as error:
        raise StalePreview from error
    if data["by"] != str(by.pk):
        raise StalePreview
    lines = [Line(*row) for row in data["rows"]]
    judge(lines, by=by)
    slips = [
        actions.create_account(
            county=by.county,
            username=line.username,
            display_name=line.display_name,
            role=line.role,
            post=line.post,
            by=by,
            **_where(line),
        )
        for line in lines
        if not line.fault
    ]
    return slips, sum(bool(line.fault) for line in lines)
