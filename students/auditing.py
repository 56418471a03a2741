"""What the auditor's pages need to know about children: who has a number, and what our codes are called."""

from collections.abc import Iterable
from uuid import UUID

from bureau.audit import children, telling
from students.actions.settling import REMEDIES
from students.forms import LinkAnswerForm
from students.intake.known import REGISTERS
from students.models import Absence, Group, Identifier, Merge, Movement, RollChange
from students.views.searching import number_indexes


def children_with(number: str, counties: Iterable[UUID]) -> list[UUID]:
    """All who have or had the number, and those it was only derived for: better one too many than one missed.

    With the keys under which their files stood before they were merged: what was looked at then is theirs too.
    """
    indexes = number_indexes(number)
    if not indexes:
        raise children.NotANumber
    kinds = [Identifier.Kind.CITIZEN_ID, Identifier.Kind.STUDENT_NUMBER]
    holders = Identifier.objects.filter(county__in=counties, kind__in=kinds, index__in=indexes)
    keys = set(holders.values_list("person", flat=True))
    merged = Merge.objects.standing().filter(kind=Merge.Kind.MERGE, kept__in=keys)
    return [*keys, *merged.values_list("other", flat=True)]


def plug_in() -> None:
    """Called once from `AppConfig.ready()`."""
    children.register(children_with)
    telling.register_codes("field", dict(Identifier.Kind.choices))
    telling.register_codes("remedy", {code: remedy.label for code, remedy in REMEDIES.items()})
    telling.register_codes("entry", dict(RollChange.Kind.choices))
    telling.register_codes("explained", dict(Absence.Kind.choices))
    telling.register_codes("group", dict(Group.choices))
    telling.register_codes("moved", dict(Movement.Kind.choices))
    telling.register_codes("answer", dict(LinkAnswerForm.base_fields["answer"].choices))
    telling.register_codes("lists", {name: title for name, (title, _, _) in REGISTERS.items()})
