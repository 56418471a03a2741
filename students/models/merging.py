"""Two files that are one person, one file that is two: what was merged or split, row by row, so that it can be taken back."""

from typing import Self

from django.db import models
from django.db.models import Q
from django.urls import reverse

from bureau.keys import uuid7


class MergeQuerySet(models.QuerySet):
    def visible_to(self, account) -> Self:
        """Offices of the county: a merge may reach over the places of everybody else."""
        return self.filter(county__in=account.scope.counties) if account.scope.whole_county else self.none()

    def standing(self) -> Self:
        return self.filter(undone_at=None)

    def of(self, *persons) -> Self:
        """Those that one of these files took part in."""
        return self.filter(Q(kept__in=persons) | Q(other__in=persons))


class Merge(models.Model):
    """One merging or splitting of two files. Source: docs/rules/registers.md, “merging and splitting”.

    `kept` is the file that stays; `other` the one that went into it (it is there no more), or that was taken out of it.
    Both are plain keys: they outlive the rows they name.
    """

    class Kind(models.TextChoices):
        MERGE = "merge", "合并"
        SPLIT = "split", "拆分"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    county = models.ForeignKey("bureau.County", models.PROTECT)
    kind = models.CharField("种类", max_length=5, choices=Kind.choices)
    kept = models.UUIDField()
    other = models.UUIDField()
    counts = models.JSONField(default=dict)  # rows moved, by the words of students.linkage.files.NOUNS
    reason = models.CharField("理由", max_length=400)
    done_by = models.ForeignKey("bureau.Account", models.PROTECT, related_name="+")
    done_at = models.DateTimeField(auto_now_add=True)
    undone_by = models.ForeignKey("bureau.Account", models.PROTECT, null=True, related_name="+")
    undone_at = models.DateTimeField(null=True)
    undo_reason = models.CharField("撤销理由", max_length=400, blank=True)

    objects = MergeQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "档案合并、拆分"
        indexes = [models.Index(fields=["kept"], name="merge_kept"), models.Index(fields=["other"], name="merge_other")]

    def get_absolute_url(self) -> str:
        return reverse("students:merge", args=[self.pk])


class MergeEffect(models.Model):
    """What a merge or split did to one row: the columns before and after. No `before`: it came to be; no `after`: it went.

    Values stand as Django writes them into text; sealed ones stay sealed.
    """

    id = models.BigAutoField(primary_key=True)
    merge = models.ForeignKey(Merge, models.CASCADE, related_name="effects")
    table = models.CharField(max_length=40)
    key = models.CharField(max_length=40)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)

    class Meta:
        verbose_name = verbose_name_plural = "合并明细"


class DuplicateQuerySet(models.QuerySet):
    def visible_to(self, account) -> Self:
        return self.filter(county__in=account.scope.counties) if account.scope.whole_county else self.none()

    def waiting(self) -> Self:
        return self.filter(state=Duplicate.State.PROPOSED)


class Duplicate(models.Model):
    """Two files that may be of one person, and what a human said; `first` has the smaller key.

    An answer stands: the same two are asked about again only for a stronger reason (`Why`, the strongest first).
    """

    class State(models.TextChoices):
        PROPOSED = "proposed", "待认定"
        DIFFERENT = "different", "不是同一人"
        UNDECIDED = "undecided", "暂不能认定"
        MERGED = "merged", "已合并"

    class Why(models.TextChoices):
        SPLIT = "split", "拆分自同一份档案"
        DERIVED = "derived", "一方学籍号（残疾人证）中的号码是另一方的证件号码"
        NEAR_NUMBER = "near_number", "同名同日生，证件号码只差一位或两位颠倒"
        CLASSMATE = "classmate", "同校同班同名，一方没有证件号码"
        SCHOOLMATE = "schoolmate", "同校同名同日生"

    county = models.ForeignKey("bureau.County", models.PROTECT, db_index=False)
    first = models.UUIDField()
    second = models.UUIDField()
    why = models.CharField("原因", max_length=12, choices=Why.choices)
    state = models.CharField("状态", max_length=10, choices=State.choices, default=State.PROPOSED)
    reason = models.CharField("理由", max_length=200, blank=True)
    decided_by = models.ForeignKey("bureau.Account", models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)

    objects = DuplicateQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "可能是同一人"
        constraints = [models.UniqueConstraint(fields=["first", "second"], name="duplicate_once")]
        indexes = [models.Index(fields=["county", "state", "why", "id"], name="duplicate_state")]
