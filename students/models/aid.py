"""What a school's aid roster states of each child, kept as stated until the aid rooms judge it."""

from typing import Self

from django.db import models

from students.models.rosters import Roster, RosterRow


class AidLineQuerySet(models.QuerySet):
    def visible_to(self, account) -> Self:
        """Lines of rosters the account may see: another school's claim about a child is that school's."""
        return self.filter(row__roster__in=Roster.objects.visible_to(account))

    def applied(self) -> Self:
        """Lines of aid rosters that schools have confirmed; one that was undone states nothing."""
        return self.filter(row__roster__status=Roster.State.APPLIED, row__status=RosterRow.Status.ACCEPTED)


class AidLine(models.Model):
    """One row of an aid roster beside the child's own facts. Source: docs/rules/rosters.md, “aid rosters”.

    Amounts are fen. Account and the holder's ID are sealed under ids of their own, like any number.
    """

    row = models.OneToOneField(RosterRow, models.CASCADE, primary_key=True, related_name="aid")
    programme = models.CharField("资助项目", max_length=60, blank=True)
    term_text = models.CharField("所写学期", max_length=30, blank=True)
    hardship = models.CharField("困难类别", max_length=30, blank=True)  # a code of students.sheets.categories
    tier = models.CharField("认定等级", max_length=30, blank=True)
    rate_fen = models.BigIntegerField("标准", null=True)
    months = models.PositiveSmallIntegerField("月数、学期数", null=True)
    amount_fen = models.BigIntegerField("金额")
    holder_name = models.CharField("户名", max_length=120, blank=True)
    holder_relation = models.CharField("户名与学生关系", max_length=30, blank=True)
    holder_uuid = models.UUIDField(null=True)
    holder_sealed = models.BinaryField(null=True)
    holder_index = models.BinaryField(max_length=32, null=True)
    bank_name = models.CharField("开户行", max_length=80, blank=True)
    account_uuid = models.UUIDField(null=True)
    account_sealed = models.BinaryField(null=True)
    account_index = models.BinaryField(max_length=32, null=True)

    objects = AidLineQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "资助名册行"
        indexes = [models.Index(fields=["account_index"], name="aid_line_account")]
