"""The turn of the school year: its dates, how long schools teach, whose area is whose, and who leaves for where."""

from datetime import date, timedelta
from typing import Self

from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.urls import reverse

from bureau.keys import uuid7
from bureau.organisation.models import School, SchoolYear, Stage, Term
from bureau.states import Move, StateMachine
from students.models.hardship import Hardship
from students.models.schooling import (
    GRADE_NAMES,
    STAGE_OF_LETTER,
    Enrolment,
    Whereabouts,
    entry_year,
    grade_in,
)

GRADUATED = "毕业"
LATER_STAGES: dict[str, tuple[str, ...]] = {
    Stage.PRESCHOOL: (Stage.PRIMARY, Stage.JUNIOR, Stage.SENIOR_GENERAL, Stage.VOCATIONAL, Stage.SPECIAL),
    Stage.PRIMARY: (Stage.JUNIOR, Stage.SENIOR_GENERAL, Stage.VOCATIONAL, Stage.SPECIAL),
    Stage.JUNIOR: (Stage.SENIOR_GENERAL, Stage.VOCATIONAL, Stage.SPECIAL),
}
FOLLOWED = tuple(LATER_STAGES)  # stages whose leavers are asked where they went
NEXT_STAGE = {Stage.PRESCHOOL: Stage.PRIMARY, Stage.PRIMARY: Stage.JUNIOR}


class YearPlan(models.Model):
    """学年安排: the dates of one turn of the school year. Each day itself is still in time.

    `plan_for` gives the defaults where the bureau has set none. Source: docs/rules/school-year.md, “dates”.
    """

    county = models.ForeignKey("bureau.County", models.PROTECT)
    school_year = models.OneToOneField("bureau.SchoolYear", models.PROTECT, related_name="plan")
    leaves_on = models.DateField("毕业离校日期")
    report_by = models.DateField("初中新生报到截止")
    enter_by = models.DateField("小学一年级入学截止")
    destination_by = models.DateField("初中毕业去向登记截止")
    aid_by = models.DateField("升学资助核对截止")

    class Meta:
        verbose_name = verbose_name_plural = "学年安排"

    def due_on(self, stage: str) -> date:
        """By when a leaver of this stage must be somewhere, or have a recorded destination."""
        return {
            Stage.PRESCHOOL: self.enter_by,
            Stage.PRIMARY: self.report_by,
            Stage.JUNIOR: self.destination_by,
        }[Stage(stage)]


def plan_for(school_year: SchoolYear) -> YearPlan:
    """The dates the bureau has set, else the usual ones, counted from the terms (not stored)."""
    if found := YearPlan.objects.filter(school_year=school_year).first():
        return found
    year = school_year.starts_in
    first = Term.objects.filter(school_year=school_year).order_by("starts_on").first()
    opens = first.starts_on if first else date(year, 9, 1)
    before = Term.objects.filter(county=school_year.county_id, ends_on__lt=opens).order_by("-ends_on").first()
    ended = before.ends_on if before and before.ends_on >= date(year, 5, 1) else date(year, 7, 10)
    return YearPlan(
        county_id=school_year.county_id, school_year=school_year, leaves_on=ended, report_by=opens + timedelta(days=14),
        enter_by=opens + timedelta(days=14), destination_by=date(year, 10, 31), aid_by=date(year, 11, 15),
    )  # fmt: skip


def leaving_window(year: int) -> tuple[date, date]:
    """Who graduates in these days, both inclusive, is a leaver of the school year that starts in `year`."""
    return date(year, 5, 1), date(year + 1, 4, 30)


class OfSchoolQuerySet(models.QuerySet):
    def visible_to(self, account) -> Self:
        return self.filter(school__in=School.objects.visible_to(account))


class Schooling(models.Model):
    """How long a school teaches a stage, from a school year on; the newest row that has begun is in force.

    `length`: the programme itself (学制), for children who enter in that year or later; `taught`: the last year of the
    stage this school has, after which its children go on at the 中心校, from the turn of that year on.
    """

    class Kind(models.TextChoices):
        LENGTH = "length", "学制（年）"
        TAUGHT = "taught", "办到第几年级"

    county = models.ForeignKey("bureau.County", models.PROTECT)
    school = models.ForeignKey("bureau.School", models.CASCADE, related_name="schooling")
    kind = models.CharField("内容", max_length=8, choices=Kind.choices)
    stage = models.CharField("学段", max_length=20, choices=Stage.choices)
    years = models.PositiveSmallIntegerField("年数")
    from_year = models.PositiveSmallIntegerField("自哪一年")

    objects = OfSchoolQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "学制与办学年级"
        constraints = [
            models.UniqueConstraint(fields=["school", "kind", "stage", "from_year"], name="schooling_once"),
        ]


class Lengths:
    """The lengths the bureau has set (学制), looked up once for many children."""

    def __init__(self, county) -> None:
        self._rows: dict[tuple, list[tuple[int, int]]] = {}
        set_ones = Schooling.objects.filter(county=county, kind=Schooling.Kind.LENGTH).order_by("from_year")
        for school, stage, since, years in set_ones.values_list("school_id", "stage", "from_year", "years"):
            self._rows.setdefault((school, stage), []).append((since, years))

    def of(self, school, stage: str, entered_in: int | None) -> int | None:
        """The years of the stage for the cohort of that entry year; None where it is the usual length."""
        found = None
        for since, years in self._rows.get((school, stage), ()):
            if entered_in and since <= entered_in:
                found = years
        return found

    def cohort(self, school, grade: str, school_year: int) -> tuple[str, int | None, int | None]:
        """Stage, entry year and length of a child now in `grade` there: 六年级 of a 五四 school is of its junior stage."""
        junior = Stage.JUNIOR
        four = {"P6": "J6", "J7": "J7", "J8": "J8", "J9": "J9"}.get(grade)
        if four and (school, junior) in self._rows:
            entered_in = entry_year(four, school_year, years=4)
            if self.of(school, junior, entered_in) == 4:
                return junior.value, entered_in, 4
        stage = STAGE_OF_LETTER[grade[0]].value
        entered_in = entry_year(grade, school_year)
        return stage, entered_in, self.of(school, stage, entered_in)

    def told(
        self, school, stage: str, entered_in: int, school_year: int
    ) -> tuple[str, int | None, int | None]:
        """The same for a cohort that was read as if every school had the usual length."""
        grade = grade_in(school_year, stage=stage, entered_in=entered_in)
        known = stage in (Stage.PRIMARY, Stage.JUNIOR) and grade in GRADE_NAMES
        return self.cohort(school, grade, school_year) if known else (stage, entered_in, None)


class CatchmentQuerySet(OfSchoolQuerySet):
    def covering(self, day) -> Self:
        """Areas in force on `day`, both ends inclusive."""
        return self.filter(Q(valid_to=None) | Q(valid_to__gte=day), valid_from__lte=day)


class Catchment(models.Model):
    """学区: a village whose children enter this school's primary or junior stage; a village may be two schools' area."""

    county = models.ForeignKey("bureau.County", models.PROTECT)
    school = models.ForeignKey("bureau.School", models.CASCADE, related_name="catchments")
    village = models.ForeignKey("bureau.Village", models.PROTECT, related_name="catchments")
    stage = models.CharField("学段", max_length=20, choices=Stage.choices)
    valid_from = models.DateField("自")
    valid_to = models.DateField("至", null=True, blank=True)

    objects = CatchmentQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "学区"
        constraints = [
            models.UniqueConstraint(
                fields=["school", "village", "stage"], condition=Q(valid_to=None), name="catchment_open_once"
            )
        ]


class OfCountyOfficesQuerySet(models.QuerySet):
    def visible_to(self, account) -> Self:
        """The bureau sees all; a school or township what concerns its schools alone."""
        scope = account.scope
        if scope.whole_county:
            return self.filter(county__in=scope.counties)
        return self.filter(school__in=School.objects.visible_to(account))


class Promotion(models.Model):
    """学年升级: one turn for the whole county or one school, staged, looked at, applied, and taken back if need be."""

    STATES = StateMachine(
        "promotion",
        [
            Move("staging", "staged"),
            Move("staged", "staging", right="year.turn", label="重新计算"),
            Move("staged", "applied", right="year.turn", label="确认升级"),
            Move("staging", "given_up", right="year.turn", label="放弃"),
            Move("staged", "given_up", right="year.turn", label="放弃"),
            Move("applied", "undone", right="year.turn", label="撤销升级", needs_reason=True),
        ],
    )

    class State(models.TextChoices):
        STAGING = "staging", "正在计算"
        STAGED = "staged", "待确认"
        APPLIED = "applied", "已升级"
        GIVEN_UP = "given_up", "已放弃"
        UNDONE = "undone", "已撤销"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    county = models.ForeignKey("bureau.County", models.PROTECT)
    school_year = models.ForeignKey("bureau.SchoolYear", models.PROTECT, related_name="promotions")
    school = models.ForeignKey("bureau.School", models.PROTECT, null=True, blank=True)
    state = models.CharField("状态", max_length=10, choices=State.choices, default=State.STAGING)
    leaves_on = models.DateField("毕业离校日期")
    preview_no = models.PositiveIntegerField(
        default=0
    )  # counts how often the preview changed: what somebody confirms
    summary = models.JSONField(default=list)  # one dict per school: its name and how many of each kind
    asked_by = models.ForeignKey("bureau.Account", models.PROTECT, related_name="+")
    asked_at = models.DateTimeField(auto_now_add=True)
    applied_by = models.ForeignKey("bureau.Account", models.PROTECT, null=True, related_name="+")
    applied_at = models.DateTimeField(null=True)
    undone_by = models.ForeignKey("bureau.Account", models.PROTECT, null=True, related_name="+")
    undone_at = models.DateTimeField(null=True)
    job = models.ForeignKey("bureau.Job", models.SET_NULL, null=True, related_name="+")

    objects = OfCountyOfficesQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "学年升级"

    def __str__(self) -> str:
        return f"{self.school_year}升级（{self.school or '全县'}）"

    def get_absolute_url(self) -> str:
        return reverse("students:promotion", args=[self.pk])


class PromotionRow(models.Model):
    """One enrolment a promotion writes to, and how it was before; an ordinary child has none.

    `enrolment` is a plain key: the row of a finished promotion must not stand in anybody's way.
    """

    class Verdict(models.TextChoices):
        LEAVER = "leaver", "毕业"
        LEFT = "left", "名册已按毕业离校"  # by a roll, before the turn: only asked where they went
        REPEATER = "repeater", "留级"
        MOVES = "moves", "升入中心校"
        LENGTH = "length", "登记学制"

    id = models.BigAutoField(primary_key=True)
    promotion = models.ForeignKey(Promotion, models.CASCADE, related_name="rows")
    verdict = models.CharField(max_length=8, choices=Verdict.choices)
    enrolment = models.UUIDField()
    school = models.ForeignKey("bureau.School", models.PROTECT, related_name="+")
    stage = models.CharField(max_length=20)
    to_school = models.ForeignKey("bureau.School", models.PROTECT, null=True, related_name="+")
    new_enrolment = models.UUIDField(null=True)
    years = models.PositiveSmallIntegerField(
        null=True
    )  # the length of the programme to be written, where it differs
    years_before = models.PositiveSmallIntegerField(null=True)
    was_present = models.BooleanField(default=False)
    was_registered = models.BooleanField(default=False)

    class Meta:
        indexes = [models.Index(fields=["promotion", "verdict"], name="promotion_row_verdict")]


class RepeatQuerySet(models.QuerySet):
    def waiting(self) -> Self:
        """Decided, and not yet written by a promotion."""
        return self.filter(applied=None)

    def visible_to(self, account) -> Self:
        return self.filter(enrolment__school__in=School.objects.visible_to(account))


class Repeat(models.Model):
    """留级: a child who stays in his grade when the year turns; barred as a rule, so never without evidence."""

    county = models.ForeignKey("bureau.County", models.PROTECT)
    enrolment = models.ForeignKey("students.Enrolment", models.CASCADE, related_name="repeats")
    school_year = models.ForeignKey("bureau.SchoolYear", models.PROTECT, related_name="repeats")
    evidence = models.CharField("佐证", max_length=400)
    decided_by = models.ForeignKey("bureau.Account", models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(auto_now_add=True)
    applied = models.ForeignKey(Promotion, models.SET_NULL, null=True, related_name="repeats")

    objects = RepeatQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "留级"
        constraints = [models.UniqueConstraint(fields=["enrolment", "school_year"], name="repeat_once")]


def _later(stage: str, **where) -> Exists:
    """An open enrolment of the leaver in a stage after this one; one whose stage nobody has told counts as well."""
    stages = ["", *LATER_STAGES[stage]]
    return Exists(
        Enrolment.objects.open().filter(student=OuterRef("enrolment__student"), stage__in=stages, **where)
    )


def _went_on(**where) -> Q:
    found = Q()
    for stage in FOLLOWED:
        found |= Q(enrolment__stage=stage) & Q(_later(stage, **where))
    return found


class LeaverQuerySet(models.QuerySet):
    def visible_to(self, account) -> Self:
        """The school left and the school that receives both see the child."""
        scope = account.scope
        if scope.whole_county:
            return self.filter(county__in=scope.counties)
        mine = School.objects.visible_to(account).values("pk")
        return self.filter(Q(enrolment__school__in=mine) | Q(to_school__in=mine))

    def awaited(self, day) -> Self:
        """Still in time to report somewhere or to have a destination recorded; the last day included."""
        dates = {Stage.PRESCHOOL: "enter_by", Stage.PRIMARY: "report_by", Stage.JUNIOR: "destination_by"}
        within = Q()
        for stage, name in dates.items():
            within |= Q(**{"enrolment__stage": stage, f"school_year__plan__{name}__gte": day})
        return self.filter(within)

    def arrived(self) -> Self:
        """In a later stage, at whichever school (报到). Never stored: a roll that is undone takes it back."""
        return self.filter(_went_on())

    def not_arrived(self) -> Self:
        return self.filter(~_went_on())

    def elsewhere(self) -> Self:
        """Reported, and not at the school they were handed over to."""
        there = _went_on(school=OuterRef("to_school"))
        return self.arrived().filter(~there, to_school__isnull=False)

    def missing(self) -> Self:
        """未报到: handed over, and neither at any school nor with a recorded destination."""
        return self.not_arrived().filter(to_school__isnull=False, destination="")

    def aided(self) -> Self:
        """升学资助交接: handed over, and in hardship on the day of the handover."""
        held = Hardship.objects.covering(OuterRef("handed_on")).filter(student=OuterRef("enrolment__student"))
        return self.filter(Exists(held), to_school__isnull=False).exclude(
            to_school=models.F("enrolment__school")
        )


class Leaver(models.Model):
    """应届毕业: a child who finished a stage, to which school he is handed over, and where he went instead."""

    class Destination(models.TextChoices):
        GENERAL = "senior_general", "普通高中"
        VOCATIONAL = "vocational", "中职（技工）学校"
        JUNIOR = "junior", "初中"
        PRIMARY = "primary", "小学一年级"
        STAYS = "stays", "缓学（再读大班）"
        SPECIAL = "special", "特殊教育学校或送教"
        WORK = "work", "就业、务农"
        HOME = "home", "在家"
        ABROAD = "abroad", "出国（境）"
        DECEASED = "deceased", "死亡"

    class Where(models.TextChoices):
        HERE = "here", "本县"
        PROVINCE = "province", "省内县外"
        OUTSIDE = "outside", "省外"

    class Aid(models.TextChoices):
        CONTINUES = "continues", "续助"
        ENDED = "ended", "不再符合"
        NOT_ARRIVED = "not_arrived", "未报到"

    county = models.ForeignKey("bureau.County", models.PROTECT)
    enrolment = models.OneToOneField("students.Enrolment", models.CASCADE, related_name="leaver")
    school_year = models.ForeignKey("bureau.SchoolYear", models.PROTECT, related_name="leavers")
    promotion = models.ForeignKey(Promotion, models.SET_NULL, null=True, related_name="leavers")
    to_school = models.ForeignKey(
        "bureau.School", models.PROTECT, null=True, blank=True, related_name="awaited"
    )
    handed_on = models.DateField("移交日期", null=True)
    handed_by = models.ForeignKey("bureau.Account", models.PROTECT, null=True, related_name="+")
    arrival = models.ForeignKey(
        "students.Enrolment", models.SET_NULL, null=True, related_name="+"
    )  # made by a tick
    destination = models.CharField("去向", max_length=16, choices=Destination.choices, blank=True)
    where = models.CharField("在哪里", max_length=8, choices=Where.choices, blank=True)
    place = models.CharField("学校或地点", max_length=200, blank=True)
    evidence = models.CharField("佐证", max_length=400, blank=True)
    whereabouts = models.ForeignKey(Whereabouts, models.SET_NULL, null=True, related_name="+")
    recorded_by = models.ForeignKey("bureau.Account", models.PROTECT, null=True, related_name="+")
    recorded_at = models.DateTimeField(null=True)
    aid = models.CharField("资助核对", max_length=12, choices=Aid.choices, blank=True)
    aid_note = models.CharField("说明", max_length=200, blank=True)
    aid_by = models.ForeignKey("bureau.Account", models.PROTECT, null=True, related_name="+")
    aid_at = models.DateTimeField(null=True)

    objects = LeaverQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "应届毕业"
        indexes = [
            models.Index(fields=["to_school", "school_year"], name="leaver_awaited"),
            models.Index(fields=["county", "school_year"], name="leaver_year"),
        ]
