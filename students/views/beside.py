"""Two clerks at one school: who else has a roster of the same term and kind under way, or has had one applied since."""

from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import QuerySet

from bureau.access.models import Account
from bureau.organisation.models import School
from bureau.organisation.terms import term_on
from students.models import Roster

MOST = 5


@dataclass(frozen=True)
class Other:
    """Somebody else's roster. `url` is empty where the account may not open it (a file of the whole county)."""

    who: str
    when: datetime
    what: str
    state: str
    url: str = ""


def underway(roster: Roster, account: Account) -> list[Other]:
    """Rosters of the same school, term and kind that are being read or wait for a confirmation."""
    if roster.status not in (Roster.State.READING, Roster.State.STAGED):
        return []
    return _told(Roster.objects.underway_beside(roster), account)


def applied_since(roster: Roster) -> Roster | None:
    """The last one applied after this was uploaded: its preview may be out of date."""
    if roster.status != Roster.State.STAGED:
        return None
    return Roster.objects.applied_beside(roster).order_by("-applied_at").first()


def underway_at(account: Account, today: date) -> list[Other]:
    """What others have under way at the schools of an account that works for some schools, before it uploads more."""
    if account.scope.whole_county or not (term := term_on(account.county, today)):
        return []
    schools = School.objects.visible_to(account)
    at_work = Roster.objects.filter(status__in=[Roster.State.READING, Roster.State.STAGED], term=term)
    return _told(at_work.filter(school__in=schools).exclude(uploaded_by=account), account)


def _told(rosters: QuerySet[Roster], account: Account) -> list[Other]:
    visible = set(rosters.visible_to(account).values_list("pk", flat=True))
    shown = rosters.select_related("uploaded_by", "school").defer("problems", "tables").order_by("-id")[:MOST]
    return [
        Other(
            who=str(roster.uploaded_by),
            when=roster.uploaded_at,
            what=f"{roster.school or '多所学校'}{roster.get_kind_display()}“{roster.file_name}”",
            state=roster.get_status_display(),
            url=roster.get_absolute_url() if roster.pk in visible else "",
        )
        for roster in shown
    ]
