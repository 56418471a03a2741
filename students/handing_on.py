"""What was one person's to do on the first floor, given to whoever takes over his post."""

from bureau.access.models import Account
from bureau.year import handing_over
from students.models import Discrepancy


def questions(leaving: Account, coming: Account) -> int:
    """待核实问题 assigned to him by name that nobody has closed."""
    return (
        Discrepancy.objects.filter(assigned_to=leaving)
        .exclude(state=Discrepancy.State.CLOSED)
        .update(assigned_to=coming)
    )


def plug_in() -> None:
    """Called once from `AppConfig.ready()`."""
    handing_over.register(questions)
