"""The clerk's word that a file with a serial is the whole roll after all."""

from django.db import transaction

from bureau import audit
from students.actions.refusals import NotApplicable
from students.actions.rosters import refresh_preview
from students.intake.completing import give_base_back
from students.models import Roster, RosterRow


@transaction.atomic
def stand_alone(*, roster: Roster, by) -> None:
    """Nothing is carried over into a staged roster any more; the one it completed waits again. Raises NotApplicable."""
    held = Roster.objects.select_for_update(of=["self"]).select_related("county", "term__school_year", "school")
    roster = held.get(pk=roster.pk)
    if roster.status != Roster.State.STAGED or not roster.completes_id:
        raise NotApplicable("not_completing", "这份花名册没有沿用上次的行，请刷新页面查看状态。")
    RosterRow.objects.filter(roster=roster, carried=True).delete()
    give_base_back(roster, by=by)
    roster.completes = None
    refresh_preview(roster=roster)
    roster.save()
    audit.record(by=by, verb="students.roster_stands_alone", subject=roster, county=roster.county)
