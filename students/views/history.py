"""What became of a 待核实问题, and what was said and proved meanwhile: one line of events, each with its round."""

from dataclasses import dataclass
from datetime import datetime

from bureau.access.models import Account
from bureau.states import Transition
from students.models import Attachment, Comment, Discrepancy

STATES = dict(Discrepancy.State.choices)


@dataclass(frozen=True)
class Step:
    at: datetime
    title: str
    by: Account | None
    text: str = ""
    tone: str = "blue"
    round: int = 0  # 0: the same as the step before
    attachment: Attachment | None = None


def history_of(found: Discrepancy) -> list[Step]:
    """Newest first. A withdrawn attachment is told, not offered."""
    moves = Transition.objects.of(found).select_related("by")
    steps = [Step(one.at, _word(one), one.by, one.reason) for one in moves]
    said: list[Comment] = list(found.comments.select_related("by"))
    steps += [Step(one.at, "留言", one.by, one.text, "grey", one.occurrence) for one in said]
    for one in attachments_of(found):
        title = "附件（已撤回）" if one.withdrawn_at else "附件"
        steps.append(Step(one.at, title, one.by, one.file_name, "grey", one.occurrence, None if one.withdrawn_at else one))
    return sorted(steps, key=lambda step: step.at, reverse=True)


def _word(move: Transition) -> str:
    ends = (move.from_state, move.to_state)
    if ends == ("assigned", "assigned"):
        return "转交"
    if ends == ("explained", "assigned"):
        return "退回再办"
    return "再次列出" if move.to_state == Discrepancy.State.NEW else STATES.get(move.to_state, move.to_state)


def attachments_of(found: Discrepancy) -> list[Attachment]:
    return list(found.attachments.select_related("by").order_by("at", "pk"))
