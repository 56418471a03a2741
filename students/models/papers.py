"""核查名单: a village's open questions on paper, and what comes back on it.

A village cadre takes the sheet along where there is no network; its serial leads from the paper back to these rows.
"""

from typing import Self

from django.db import models
from django.urls import reverse
from stdnum import damm
from stdnum.exceptions import ValidationError

from students.models.differences import Discrepancy
from students.models.schooling import Whereabouts

SERIAL = "HC"  # 核查; what a hand scanner types and what stands under the QR code
DIGITS = 7


def serial_of(number: int) -> str:
    """HC00000426: seven digits and one that proves them, so that a slip of the pen is another sheet's never."""
    digits = f"{number:0{DIGITS}d}"
    return f"{SERIAL}{digits}{damm.calc_check_digit(digits)}"


def number_of(serial: str) -> int | None:
    """The sheet's number from what somebody typed or scanned; None when it is no serial of ours."""
    digits = "".join(serial.split()).upper().removeprefix(SERIAL)
    if not (digits.isascii() and digits.isdigit() and DIGITS < len(digits) < 19):
        return None
    try:
        return int(damm.validate(digits)[:-1])
    except ValidationError:
        return None


class FieldSheetQuerySet(models.QuerySet):
    def visible_to(self, account) -> Self:
        """The county's offices and the township that walks there; sheets are no business of a single school."""
        scope = account.scope
        if scope.whole_county:
            return self.filter(county__in=scope.counties)
        return self.filter(township__in=scope.townships, county__in=scope.counties)


class FieldSheet(models.Model):
    """One printed sheet: which village, which kinds of questions, printed by whom."""

    id = models.BigAutoField(primary_key=True)
    county = models.ForeignKey("bureau.County", models.PROTECT)
    township = models.ForeignKey("bureau.Township", models.PROTECT)
    village = models.ForeignKey("bureau.Village", models.PROTECT, null=True)
    rule = models.CharField("问题类型", max_length=4, blank=True)
    printed_by = models.ForeignKey("bureau.Account", models.PROTECT, related_name="+")
    printed_at = models.DateTimeField(auto_now_add=True)
    keyed_at = models.DateTimeField("最近录入", null=True)

    objects = FieldSheetQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "核查名单"

    def get_absolute_url(self) -> str:
        return reverse("students:field_sheet", args=[self.pk])

    @property
    def serial(self) -> str:
        return serial_of(self.pk)

    @property
    def place(self) -> str:
        return f"{self.township}{self.village or '（未注明村）'}"


class FieldLine(models.Model):
    """One question about the child on line `position` of a sheet; a child with two questions has two of these.

    `occurrence` is the round that was open when it was printed: an answer from a village does not settle a later one.
    """

    class Answer(models.TextChoices):
        AT_SCHOOL = "at_school", "在校"
        OTHER_COUNTY = "other_county_in_province", "省内县外就读"
        OUT_OF_PROVINCE = "out_of_province", "省外就读"
        SUSPENDED = "suspended", "休学"
        DEFERRED = "deferred", "缓学"
        MOVED_OUT = "moved_out", "户口迁出"
        DECEASED = "deceased", "死亡"
        NOT_AT_SCHOOL = "not_at_school", "未上学"
        UNKNOWN = "unknown", "查无此人"

    class Outcome(models.TextChoices):
        RECORDED = "recorded", "已登记去向"
        EXPLAINED = "explained", "已答复待核定"
        SETTLED_BEFORE = "settled_before", "录入前已办理"

    id = models.BigAutoField(primary_key=True)
    sheet = models.ForeignKey(FieldSheet, models.CASCADE, related_name="lines")
    position = models.PositiveSmallIntegerField("行")
    discrepancy = models.ForeignKey(Discrepancy, models.CASCADE, related_name="field_lines")
    occurrence = models.PositiveSmallIntegerField("第几次")
    answer = models.CharField("核查结果", max_length=30, choices=Answer.choices, blank=True)
    note = models.CharField("学校或说明", max_length=200, blank=True)
    outcome = models.CharField(max_length=20, choices=Outcome.choices, blank=True)
    keyed_by = models.ForeignKey("bureau.Account", models.PROTECT, null=True, related_name="+")
    keyed_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = verbose_name_plural = "核查名单行"
        constraints = [models.UniqueConstraint(fields=["sheet", "discrepancy"], name="question_once_on_a_sheet")]
        ordering = ["position", "pk"]


WHEREABOUTS = {
    answer: Whereabouts.Kind(answer.value) for answer in FieldLine.Answer if answer.value in set(Whereabouts.Kind.values)
}
