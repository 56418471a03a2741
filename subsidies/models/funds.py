"""Where the money comes from: sources, appropriations, and an append-only ledger in fen. Source: docs/rules/aid.md."""

from typing import Self

from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from bureau.keys import uuid7
from bureau.organisation.models import OfCountyQuerySet


class FundSource(models.Model):
    class Level(models.TextChoices):
        CENTRAL = "central", "中央"
        PROVINCE = "province", "省"
        CITY = "city", "市"
        COUNTY = "county", "县"
        DONOR = "donor", "社会捐助"

    county = models.ForeignKey("bureau.County", models.PROTECT)
    name = models.CharField("资金来源", max_length=80)
    level = models.CharField("级次", max_length=10, choices=Level.choices)

    objects = OfCountyQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "资金来源"
        constraints = [models.UniqueConstraint(fields=["county", "name"], name="fund_source_once")]

    def __str__(self) -> str:
        return self.name


class OfBureauQuerySet(models.QuerySet):
    def visible_to(self, account) -> Self:
        """What only the county's own offices see."""
        return self.filter(county__in=account.scope.counties) if account.scope.whole_county else self.none()


class Appropriation(models.Model):
    """资金指标: money given for one programme (or any) in one budget year, by document.

    `available_fen` is what no approval has taken yet. It is kept beside the ledger, changed in the same transaction,
    never below nothing, and `verify_ledger` compares the two.
    """

    class Kind(models.TextChoices):
        NEW = "new", "当年下达"
        CARRIED = "carried", "上年结转"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    county = models.ForeignKey("bureau.County", models.PROTECT)
    source = models.ForeignKey(
        FundSource, models.PROTECT, related_name="appropriations", verbose_name="资金来源"
    )
    programme = models.ForeignKey(
        "subsidies.Programme",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="appropriations",
        verbose_name="项目",
    )
    year = models.PositiveSmallIntegerField("预算年度")
    kind = models.CharField("性质", max_length=8, choices=Kind.choices, default=Kind.NEW)
    doc_no = models.CharField("文号", max_length=80)
    received_on = models.DateField("到达日期")
    amount_fen = models.BigIntegerField("金额")
    available_fen = models.BigIntegerField("可用")
    note = models.CharField("说明", max_length=200, blank=True)
    recorded_by = models.ForeignKey("bureau.Account", models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField(auto_now_add=True)

    objects = OfBureauQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "资金指标"
        constraints = [
            models.CheckConstraint(condition=Q(amount_fen__gt=0), name="appropriation_is_positive"),
            models.CheckConstraint(
                condition=Q(available_fen__gte=0) & Q(available_fen__lte=F("amount_fen")),
                name="appropriation_not_overdrawn",
            ),
            models.UniqueConstraint(
                fields=["county", "source", "programme", "year", "doc_no"], name="appropriation_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.year}年 {self.doc_no}"

    def get_absolute_url(self) -> str:
        return reverse("subsidies:appropriation", args=[self.pk])


class LedgerTransaction(models.Model):
    """One business event that moves money; its entries are written with it and never changed."""

    class Kind(models.TextChoices):
        APPROPRIATE = "appropriate", "下达指标"
        COMMIT = "commit", "财政审核，占用指标"
        RELEASE = "release", "退回，释放指标"
        WITHDRAW = "withdraw", "收回指标"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    county = models.ForeignKey("bureau.County", models.PROTECT)
    kind = models.CharField(max_length=12, choices=Kind.choices)
    key = models.CharField(max_length=80)  # what it is for: the same event is never written twice
    programme = models.ForeignKey("subsidies.Programme", models.PROTECT, null=True, related_name="+")
    term = models.ForeignKey("bureau.Term", models.PROTECT, null=True, related_name="+")
    lines = models.PositiveIntegerField(default=0)  # grants it stands for
    note = models.CharField("依据和原因", max_length=200, blank=True)
    reverses = models.ForeignKey("self", models.PROTECT, null=True, related_name="reversals")
    by = models.ForeignKey("bureau.Account", models.PROTECT, related_name="+")
    at = models.DateTimeField()

    objects = OfCountyQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "资金台账"
        constraints = [models.UniqueConstraint(fields=["county", "key"], name="ledger_event_once")]


class LedgerEntryQuerySet(models.QuerySet):
    def balance(self, account: str) -> int:
        """What these entries leave in an account, in fen."""
        sums = self.aggregate(
            come=models.Sum("amount_fen", filter=Q(into=account), default=0),
            gone=models.Sum("amount_fen", filter=Q(out_of=account), default=0),
        )
        return sums["come"] - sums["gone"]


class LedgerEntry(models.Model):
    """`amount_fen` goes out of one account into another: each entry balances by itself, so every transaction does."""

    class Account(models.TextChoices):
        TREASURY = "treasury", "上级财政"
        AVAILABLE = "available", "可用指标"
        COMMITTED = "committed", "已审核待发"

    id = models.BigAutoField(primary_key=True)
    transaction = models.ForeignKey(LedgerTransaction, models.PROTECT, related_name="entries")
    appropriation = models.ForeignKey(Appropriation, models.PROTECT, related_name="entries")
    out_of = models.CharField("自", max_length=12, choices=Account.choices)
    into = models.CharField("至", max_length=12, choices=Account.choices)
    amount_fen = models.BigIntegerField("金额")

    objects = LedgerEntryQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "资金分录"
        constraints = [
            models.CheckConstraint(condition=Q(amount_fen__gt=0), name="ledger_amount_is_positive"),
            models.CheckConstraint(condition=~Q(out_of=F("into")), name="ledger_entry_moves_money"),
        ]


class TermClosingQuerySet(models.QuerySet):
    def visible_to(self, account) -> Self:
        return self.filter(county__in=account.scope.counties)


class TermClosing(models.Model):
    """结账: from then on nothing of that term's aid is approved; what is still due goes into an open term."""

    county = models.ForeignKey("bureau.County", models.PROTECT)
    term = models.OneToOneField("bureau.Term", models.PROTECT, related_name="aid_closing")
    closed_by = models.ForeignKey("bureau.Account", models.PROTECT, related_name="+")
    closed_at = models.DateTimeField(auto_now_add=True)

    objects = TermClosingQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "学期结账"
