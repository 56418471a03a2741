"""Places a list can be narrowed to: only those inside the account's scope are offered."""

from datetime import date

from bureau.access.models import Account
from bureau.lists import Listing
from bureau.organisation.models import School, Township


def townships(listing: Listing) -> list[tuple[str, str]]:
    scope = listing.account.scope
    visible = Township.objects.filter(county__in=scope.counties)
    if scope.townships and not scope.whole_county:
        visible = visible.filter(pk__in=scope.townships)
    return [(str(pk), name) for pk, name in visible.values_list("pk", "name")]


def schools(listing: Listing) -> list[tuple[str, str]]:
    visible = School.objects.visible_to(listing.account)
    return [(str(pk), name) for pk, name in visible.values_list("pk", "name")]


def only_school(account: Account, day: date) -> School | None:
    """The school of an account that works for one school and no more."""
    found = [] if account.scope.whole_county else School.objects.visible_to(account).open_on(day)[:2]
    return found[0] if len(found) == 1 else None
