"""Two files of one child that both hold aid do not become one unseen: money already judged is never folded away.

Plugged into `students.actions.merging`. Source: docs/rules/aid.md, “合并档案”.
"""

from collections.abc import Iterable

from django.db.models import Exists, OuterRef

from students.actions import merging
from students.models import Student
from subsidies.models import Grant, GrantClaim
from subsidies.models.grants import LIVE


def aid_of_both(kept: Student, other: Student) -> Iterable[str]:
    """Lines of both in one programme-term, the other's on its way; or in programmes that exclude each other."""
    mine = Grant.objects.filter(student=kept, programme=OuterRef("programme"), term=OuterRef("term"))
    theirs = Grant.objects.filter(Exists(mine), student=other, state__in=LIVE).select_related("programme", "term")
    for line in theirs:
        yield f"两份档案在{line.term}都有“{line.programme.name}”。请先在资助名册里把要并入的那一条退回并停发，或改为保留那一份档案，再合并。"
    taken = GrantClaim.objects.filter(student=kept, exclusion=OuterRef("exclusion"), period=OuterRef("period"))
    claims = GrantClaim.objects.filter(Exists(taken), student=other).select_related("grant__programme", "grant__term")
    for claim in claims:
        if not any(line.pk == claim.grant_id for line in theirs):
            grant = claim.grant
            yield f"两份档案在{grant.term}享受的项目不可兼得（{grant.programme.name}）。请先停发其中一条，再合并。"


def plug_in() -> None:
    """Called once from `AppConfig.ready()`."""
    if aid_of_both not in merging.HINDRANCES:
        merging.HINDRANCES.append(aid_of_both)
