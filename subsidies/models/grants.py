"""资助申请: one child, one programme, one term; frozen on what it was judged by, and signed step by step."""

import json
from typing import Self

from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from bureau.audit import macs
from bureau.keys import uuid7
from bureau.organisation.models import Stage
from bureau.states import Move, StateMachine
from students.models.determining import Tier
from students.models.hardship import Category
from subsidies.models.programmes import Programme

# The way through, and what each step is called. Source: docs/rules/aid.md, “办理步骤”.
WAY = (
    "candidate",
    "applied",
    "school_reviewed",
    "in_notice",
    "notice_passed",
    "submitted",
    "county_approved",
    "finance_approved",
)
BEFORE_THE_COUNTY = (
    "candidate",
    "applied",
    "school_reviewed",
    "in_notice",
    "objected",
    "notice_passed",
    "returned",
)
OPEN = (*BEFORE_THE_COUNTY, "submitted", "county_approved")
LIVE = (
    "applied",
    "school_reviewed",
    "in_notice",
    "objected",
    "notice_passed",
    "submitted",
    "returned",
    "county_approved",
    "finance_approved",
)
SIDE = ("waived", "suspended", "stopped", "rejected")


class GrantQuerySet(models.QuerySet):
    def visible_to(self, account) -> Self:
        """The county's offices see all; a school its own lines, a township its schools' and its residents'."""
        scope = account.scope
        if scope.whole_county:
            return self.filter(county__in=scope.counties)
        return self.filter(
            Q(school__in=scope.schools)
            | Q(school__township__in=scope.townships)
            | Q(student__hukou_township__in=scope.townships)
        )

    def live(self) -> Self:
        """Applied for and neither refused nor given up nor stopped."""
        return self.filter(state__in=LIVE)

    def of(self, programme: Programme, term) -> Self:
        return self.filter(programme=programme, term=term)


class Grant(models.Model):
    """One line of aid. Everything from `amount_fen` to `evidence` is what it was judged on: later edits change nothing.

    Who signed stands in `…_by`; a constraint keeps any two signatures from being one person's.
    """

    STATES = StateMachine(
        "grant",
        [
            Move("candidate", "applied", right="aid.apply", label="列入申请名单"),
            Move("returned", "applied", right="aid.apply", label="重新申请"),
            Move("applied", "school_reviewed", right="aid.review", label="学校评审通过"),
            Move("school_reviewed", "in_notice", right="aid.apply", label="张贴公示"),
            Move("objected", "in_notice", right="aid.review", label="答复后继续公示"),
            Move("in_notice", "objected", right="aid.apply", label="登记异议", needs_reason=True),
            Move("in_notice", "notice_passed", right="aid.apply", label="公示期满"),
            Move("notice_passed", "submitted", right="aid.review", label="上报"),
            Move("school_reviewed", "submitted", right="aid.review", label="上报"),
            Move("submitted", "county_approved", right="aid.approve", label="县级审核通过"),
            Move("county_approved", "finance_approved", right="aid.finance", label="财政审核通过"),
            *(Move(state, "returned", right="aid.review", label="退回", needs_reason=True) for state in ("applied", "school_reviewed", "in_notice", "notice_passed")),
            Move("submitted", "returned", right="aid.approve", label="退回", needs_reason=True),
            Move("county_approved", "returned", right="aid.finance", label="退回", needs_reason=True),
            Move("finance_approved", "returned", right="aid.finance", label="退回", needs_reason=True),
            *(Move(state, "rejected", right="aid.review", label="不予资助", needs_reason=True) for state in ("candidate", "applied", "school_reviewed", "objected", "returned")),
            Move("submitted", "rejected", right="aid.approve", label="不予资助", needs_reason=True),
            *(Move(state, "waived", right="aid.apply", label="自愿放弃", needs_reason=True) for state in ("candidate", "applied", "school_reviewed", "in_notice", "notice_passed", "returned")),
            *(Move(state, "suspended", right="aid.apply", label="休学暂停", needs_reason=True) for state in ("candidate", "applied", "returned")),
            *(Move(state, "stopped", right="aid.apply", label="停发", needs_reason=True) for state in ("candidate", "applied", "returned")),
            *(Move(state, "candidate", right="aid.apply", label="恢复为应助") for state in ("waived", "suspended", "stopped", "rejected")),
        ],
        initial="candidate",
    )  # fmt: skip

    class State(models.TextChoices):
        CANDIDATE = "candidate", "应助"
        APPLIED = "applied", "已申请"
        SCHOOL_REVIEWED = "school_reviewed", "学校已评审"
        IN_NOTICE = "in_notice", "公示中"
        OBJECTED = "objected", "公示有异议"
        NOTICE_PASSED = "notice_passed", "公示期满"
        SUBMITTED = "submitted", "已上报"
        RETURNED = "returned", "已退回"
        COUNTY_APPROVED = "county_approved", "县级已审核"
        FINANCE_APPROVED = "finance_approved", "财政已审核"
        REJECTED = "rejected", "不予资助"
        WAIVED = "waived", "自愿放弃"
        SUSPENDED = "suspended", "休学暂停"
        STOPPED = "stopped", "已停发"

    # Not the key of the child: two files that become one take it along, and name and number stay.
    FROZEN = (
        "programme_id", "term_id", "instalment", "amount_fen", "name", "number", "school_id", "stage",
        "class_name", "category", "tier", "reference_on", "evidence",
    )  # fmt: skip

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    county = models.ForeignKey("bureau.County", models.PROTECT, db_index=False)
    student = models.ForeignKey("students.Student", models.PROTECT, related_name="grants")
    programme = models.ForeignKey(Programme, models.PROTECT, related_name="grants", db_index=False)
    term = models.ForeignKey("bureau.Term", models.PROTECT, related_name="+", db_index=False)
    instalment = models.PositiveSmallIntegerField("第几笔", default=1)  # from 2 on: 补发
    state = models.CharField("状态", max_length=16, choices=State.choices, default=State.CANDIDATE)
    hold = models.CharField(
        "未能办理的原因", max_length=20, blank=True
    )  # what stood in the way of the last step asked for
    amount_fen = models.BigIntegerField("金额")
    name = models.CharField("姓名", max_length=120)
    number = models.UUIDField(null=True)  # the identifier row whose sealed number counts
    school = models.ForeignKey(
        "bureau.School", models.PROTECT, null=True, related_name="grants", db_index=False
    )
    stage = models.CharField("学段", max_length=20, choices=Stage.choices, blank=True)
    class_name = models.CharField("年级班级", max_length=60, blank=True)
    category = models.CharField("依据类别", max_length=30, choices=Category.choices, blank=True)
    tier = models.CharField("认定等级", max_length=10, choices=Tier.choices, blank=True)
    reference_on = models.DateField("基准日")
    evidence = models.JSONField(
        default=dict
    )  # {"rate", "entry", "register", "listed_from", "listed_to", "determination"}
    signature = models.BinaryField(max_length=40)
    corrects = models.ForeignKey("self", models.PROTECT, null=True, related_name="corrections")
    notice = models.ForeignKey("subsidies.PublicNotice", models.PROTECT, null=True, related_name="grants")
    commitment = models.ForeignKey(
        "subsidies.LedgerTransaction", models.PROTECT, null=True, related_name="grants"
    )
    applied_by = models.ForeignKey(
        "bureau.Account", models.PROTECT, null=True, related_name="+", db_index=False
    )
    reviewed_by = models.ForeignKey(
        "bureau.Account", models.PROTECT, null=True, related_name="+", db_index=False
    )
    submitted_by = models.ForeignKey(
        "bureau.Account", models.PROTECT, null=True, related_name="+", db_index=False
    )
    approved_by = models.ForeignKey(
        "bureau.Account", models.PROTECT, null=True, related_name="+", db_index=False
    )
    finance_by = models.ForeignKey(
        "bureau.Account", models.PROTECT, null=True, related_name="+", db_index=False
    )

    objects = GrantQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "资助"
        constraints = [
            models.UniqueConstraint(fields=["student", "programme", "term", "instalment"], name="grant_once"),
            models.CheckConstraint(condition=Q(amount_fen__gt=0), name="grant_is_positive"),
            models.CheckConstraint(
                condition=~Q(reviewed_by=F("applied_by")) & ~Q(submitted_by=F("applied_by")), name="grant_reviewed_by_another"
            ),
            models.CheckConstraint(
                condition=~Q(approved_by=F("applied_by")) & ~Q(approved_by=F("reviewed_by")) & ~Q(approved_by=F("submitted_by")),
                name="grant_approved_by_another",
            ),
            models.CheckConstraint(
                condition=~Q(finance_by=F("applied_by")) & ~Q(finance_by=F("reviewed_by"))
                & ~Q(finance_by=F("submitted_by")) & ~Q(finance_by=F("approved_by")),
                name="grant_financed_by_another",
            ),
            models.CheckConstraint(
                condition=~Q(state="finance_approved")
                | Q(commitment__isnull=False, finance_by__isnull=False, approved_by__isnull=False,
                    submitted_by__isnull=False, reviewed_by__isnull=False, applied_by__isnull=False),
                name="grant_approved_with_every_signature",
            ),
        ]  # fmt: skip
        indexes = [
            models.Index(fields=["programme", "term", "state", "id"], name="grant_of_programme"),
            models.Index(fields=["school", "term", "programme"], name="grant_of_school"),
            models.Index(fields=["county", "term", "state", "id"], name="grant_of_term"),
        ]

    def __str__(self) -> str:
        return f"{self.programme}"

    def get_absolute_url(self) -> str:
        return reverse("subsidies:grant", args=[self.pk])

    def canonical(self) -> str:
        """What the signature covers, as text that is the same on every database."""
        facts = [getattr(self, name) for name in self.FROZEN]
        return json.dumps(
            [str(fact) if not isinstance(fact, dict | int) else fact for fact in facts],
            ensure_ascii=False,
            sort_keys=True,
        )

    def signed(self) -> bytes:
        return macs.mac(self.canonical())

    @property
    def is_genuine(self) -> bool:
        return macs.is_genuine(self.signature, self.canonical())


class GrantClaim(models.Model):
    """A live line occupies its child's place under an exclusion: the second programme finds it taken, also at once."""

    exclusion = models.ForeignKey("subsidies.Exclusion", models.PROTECT, related_name="+")
    student = models.ForeignKey("students.Student", models.PROTECT, related_name="+")
    period = models.CharField(max_length=12)  # the term's code, or the school year
    grant = models.ForeignKey(Grant, models.PROTECT, related_name="claims")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["exclusion", "student", "period"], name="exclusive_claim_once")
        ]


class RefusalQuerySet(models.QuerySet):
    def visible_to(self, account) -> Self:
        from_grants = Q(school__in=account.scope.schools) | Q(school__township__in=account.scope.townships)
        return (
            self.filter(county__in=account.scope.counties)
            if account.scope.whole_county
            else self.filter(from_grants)
        )

    def standing(self) -> Self:
        return self.filter(withdrawn_at=None)


class Refusal(models.Model):
    """自愿放弃: the family does not want it, and signed. Without the signed form it is 漏助."""

    county = models.ForeignKey("bureau.County", models.PROTECT)
    student = models.ForeignKey("students.Student", models.PROTECT, related_name="refusals")
    programme = models.ForeignKey(Programme, models.PROTECT, related_name="refusals")
    term = models.ForeignKey("bureau.Term", models.PROTECT, related_name="+")
    school = models.ForeignKey("bureau.School", models.PROTECT, null=True, related_name="+")
    reason = models.CharField("放弃原因", max_length=200)
    signed_on = models.DateField("签字日期")
    recorded_by = models.ForeignKey("bureau.Account", models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField(auto_now_add=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    objects = RefusalQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "自愿放弃"
        constraints = [
            models.UniqueConstraint(
                fields=["student", "programme", "term"],
                condition=Q(withdrawn_at=None),
                name="one_standing_refusal",
            )
        ]
