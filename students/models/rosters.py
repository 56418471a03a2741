"""Uploaded rolls: the file, its staged rows with their verdicts, and what was applied."""

from typing import Self

from django.db import models
from django.db.models import Q
from django.urls import reverse

from bureau.keys import uuid7
from bureau.states import Move, StateMachine


class RosterQuerySet(models.QuerySet):
    def visible_to(self, account) -> Self:
        """Rosters of the account's schools; a file of many schools is seen by the county only."""
        scope = account.scope
        if scope.whole_county:
            return self.filter(county__in=scope.counties)
        return self.filter(Q(school__in=scope.schools) | Q(school__township__in=scope.townships))

    def light(self) -> Self:
        """For lists: without the columns that may hold a line per row of the file."""
        return self.defer("problems", "tables", "absentees")

    def living(self) -> Self:
        """Staged, applied, or waiting behind a file that completes them; newest first."""
        states = [Roster.State.STAGED, Roster.State.APPLIED, Roster.State.SUPERSEDED]
        return self.filter(status__in=states).light().order_by("-pk")

    def beside(self, roster: "Roster") -> Self:
        """Other rosters of the same term and kind that speak of the same school; a file of many schools speaks of all."""
        same = self.filter(county=roster.county_id, term=roster.term_id, kind=roster.kind).exclude(pk=roster.pk)
        return same.filter(Q(school=roster.school_id) | Q(school=None)) if roster.school_id else same

    def underway_beside(self, roster: "Roster") -> Self:
        """Those being read or waiting for a confirmation: two clerks are at it."""
        return self.beside(roster).filter(status__in=[Roster.State.READING, Roster.State.STAGED])

    def applied_beside(self, roster: "Roster") -> Self:
        """Those applied since this one was uploaded."""
        return self.beside(roster).filter(status=Roster.State.APPLIED, applied_at__gt=roster.uploaded_at)


class Roster(models.Model):
    """One uploaded file of one term. `school` is empty when the file holds many schools."""

    STATES = StateMachine(
        "roster",
        [
            Move("reading", "staged"),
            Move("reading", "refused"),
            Move("staged", "applied", right="rosters.upload", label="确认入库"),
            Move("staged", "withdrawn", right="rosters.upload", label="放弃"),
            Move("refused", "reading", right="rosters.upload", label="重新读取"),  # with the password of the file
            Move("staged", "reading", right="rosters.upload", label="按表头对应重新读取"),
            Move("staged", "superseded"),  # a file with the corrected rows completes it
            Move("superseded", "staged"),  # that file was given up
            Move("applied", "undone", right="rosters.upload", label="撤销入库", needs_reason=True),
        ],
        field="status",
    )

    class Kind(models.TextChoices):
        ROLL = "roll", "班级花名册"
        AID = "aid", "资助花名册"
        GUARDIANS = "guardians", "家庭成员信息表"

    class State(models.TextChoices):
        READING = "reading", "正在读取"
        REFUSED = "refused", "无法读取"
        STAGED = "staged", "待确认"
        APPLIED = "applied", "已入库"
        WITHDRAWN = "withdrawn", "已撤回"
        SUPERSEDED = "superseded", "已由补正文件接替"
        UNDONE = "undone", "已撤销入库"

    class Source(models.TextChoices):
        UPLOAD = "upload", "上传文件"
        BUNDLE = "bundle", "压缩包"
        CHECK = "check", "逐班核对"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    county = models.ForeignKey("bureau.County", models.PROTECT)
    term = models.ForeignKey("bureau.Term", models.PROTECT, verbose_name="学期")
    school = models.ForeignKey("bureau.School", models.PROTECT, null=True, blank=True, verbose_name="学校")
    kind = models.CharField("类型", max_length=12, choices=Kind.choices)
    status = models.CharField("状态", max_length=12, choices=State.choices, default=State.READING)
    file_name = models.CharField("文件名", max_length=200)
    sha256 = models.CharField(max_length=64)
    rows = models.PositiveIntegerField(default=0)
    accepted = models.PositiveIntegerField(default=0)
    rejected = models.PositiveIntegerField(default=0)
    warned = models.PositiveIntegerField(default=0)
    skipped = models.PositiveIntegerField(default=0)
    new = models.PositiveIntegerField(default=0)
    changed = models.PositiveIntegerField(default=0)
    unchanged = models.PositiveIntegerField(default=0)
    absent = models.PositiveIntegerField(default=0)
    absentees = models.JSONField(default=list)  # enrolments (keys) the roster leaves out: the rows behind `absent`
    tables = models.JSONField(default=list)  # what was understood, one dict per sheet (bureau.sheets Reading.tables)
    file_error = models.JSONField(null=True)
    problems = models.JSONField(default=list)
    seconds = models.JSONField(default=dict)
    uploaded_by = models.ForeignKey("bureau.Account", models.PROTECT, related_name="+")
    uploaded_at = models.DateTimeField(auto_now_add=True)
    applied_by = models.ForeignKey("bureau.Account", models.PROTECT, null=True, related_name="+")
    applied_at = models.DateTimeField(null=True)
    source = models.CharField("来源", max_length=8, choices=Source.choices, default=Source.UPLOAD)
    bundle = models.ForeignKey("students.Bundle", models.SET_NULL, null=True, blank=True, related_name="rosters")
    completes = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="completions")
    undone_by = models.ForeignKey("bureau.Account", models.PROTECT, null=True, related_name="+")
    undone_at = models.DateTimeField(null=True)
    preview_no = models.PositiveIntegerField(default=0)  # counts how often the preview changed: what a clerk confirms
    accepted_good_only = models.BooleanField(default=False)
    job = models.ForeignKey("bureau.Job", models.SET_NULL, null=True, related_name="+")
    marking = models.ForeignKey("bureau.Job", models.SET_NULL, null=True, related_name="+")  # writes the clerk's file with marks

    objects = RosterQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "花名册"
        indexes = [models.Index(fields=["county", "sha256"], name="roster_file")]

    def get_absolute_url(self) -> str:
        return reverse("students:roster", args=[self.pk])


class RosterSchool(models.Model):
    """One school's part of a roster, written when it is applied: who was on it is what the next one is compared with."""

    roster = models.ForeignKey(Roster, models.CASCADE, related_name="parts")
    school = models.ForeignKey("bureau.School", models.PROTECT, related_name="roster_parts")
    kind = models.CharField(max_length=12, choices=Roster.Kind.choices)
    latest = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["school", "kind"], condition=Q(latest=True), name="one_latest_roster_per_school"
            )
        ]


class RosterRow(models.Model):
    """A staged row: plain where rules need it, sealed and indexed where it is a number.

    The UUIDs of a possible new person and of each number are fixed here, so applying moves ciphertext unchanged.
    """

    class Status(models.TextChoices):
        ACCEPTED = "accepted", "合格"
        REJECTED = "rejected", "有错误"
        SKIPPED = "skipped", "已跳过"

    class Verdict(models.TextChoices):
        NEW = "new", "新增"
        CHANGED = "changed", "有变化"
        UNCHANGED = "unchanged", "无变化"

    roster = models.ForeignKey(Roster, models.CASCADE, related_name="staged")
    carried = models.BooleanField(default=False)  # taken over from the roster this one completes; not a row of its file
    origin = models.UUIDField(null=True)  # of a carried row: the roster in whose file it stands
    settled = models.BooleanField(default=False)  # carried and applied before: nothing of it is applied again
    admitted = models.BooleanField(default=False)  # 先入册、证件待补: let in without a valid number
    sheet = models.CharField(max_length=100, null=True)
    row = models.PositiveIntegerField()
    status = models.CharField(max_length=8, choices=Status.choices)
    verdict = models.CharField(max_length=10, choices=Verdict.choices, blank=True)
    school = models.ForeignKey("bureau.School", models.PROTECT, null=True)
    person_id = models.UUIDField(null=True)
    person_is_new = models.BooleanField(default=False)
    enrolment_id = models.UUIDField(null=True)
    enrolment_is_new = models.BooleanField(default=False)
    name = models.CharField(max_length=120, blank=True)
    name_key = models.CharField(max_length=120, blank=True)
    pinyin = models.CharField(max_length=200, blank=True)
    sex = models.CharField(max_length=1, blank=True)
    birth_on = models.DateField(null=True)
    ethnicity = models.CharField(max_length=2, blank=True)
    stage = models.CharField(max_length=20, blank=True)
    entered_in = models.PositiveSmallIntegerField(null=True)
    class_name = models.CharField(max_length=40, blank=True)
    boarding = models.BooleanField(null=True)
    state = models.CharField(max_length=20, blank=True)
    major = models.CharField("专业", max_length=60, blank=True)
    agricultural = models.BooleanField("涉农专业", null=True)
    programme_years = models.PositiveSmallIntegerField("学制", null=True)
    internship = models.CharField("实习", max_length=60, blank=True)
    hukou_township = models.ForeignKey("bureau.Township", models.PROTECT, null=True)
    hukou_village = models.ForeignKey("bureau.Village", models.PROTECT, null=True)
    hukou_outside = models.BooleanField(default=False)
    hukou_text = models.CharField(max_length=200, blank=True)
    citizen_kind = models.CharField(max_length=16, blank=True)
    citizen_uuid = models.UUIDField(null=True)
    citizen_sealed = models.BinaryField(null=True)
    citizen_index = models.BinaryField(max_length=32, null=True)
    number_uuid = models.UUIDField(null=True)
    number_sealed = models.BinaryField(null=True)
    number_index = models.BinaryField(max_length=32, null=True)
    holder_uuid = models.UUIDField(null=True)  # the citizen ID inside the 学籍号, where it is another than the row's own
    holder_sealed = models.BinaryField(null=True)
    holder_index = models.BinaryField(max_length=32, null=True)
    phone_uuid = models.UUIDField(null=True)
    phone_sealed = models.BinaryField(null=True)
    phone_index = models.BinaryField(max_length=32, null=True)
    address_uuid = models.UUIDField(null=True)
    address_sealed = models.BinaryField(null=True)
    address_index = models.BinaryField(max_length=32, null=True)
    guardian_name = models.CharField(max_length=120, blank=True)
    guardian_relation = models.CharField(max_length=20, blank=True)
    guardian_legal = models.BooleanField("是否监护人", null=True)
    guardian_uuid = models.UUIDField(null=True)
    guardian_sealed = models.BinaryField(null=True)
    guardian_index = models.BinaryField(max_length=32, null=True)
    guardian_phone_uuid = models.UUIDField(null=True)
    guardian_phone_sealed = models.BinaryField(null=True)
    guardian_phone_index = models.BinaryField(max_length=32, null=True)
    changes = models.JSONField(default=list)

    class Meta:
        verbose_name = verbose_name_plural = "花名册行"
        indexes = [
            models.Index(fields=["roster", "status", "verdict"], name="roster_row_verdict"),
            models.Index(fields=["person_id"], name="roster_row_person"),
        ]


class RosterEffect(models.Model):
    """What applying a roster did to one row of the registry, so that it can be undone (students/intake/undoing.py).

    `before` and `after` hold the replaced columns; null where the row was created. Numbers are never copied here: a
    replaced number is closed, not changed, and is found by its key.
    """

    id = models.BigAutoField(primary_key=True)
    roster = models.ForeignKey(Roster, models.CASCADE, related_name="effects")
    table = models.CharField(max_length=40)
    key = models.CharField(max_length=40)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)

    class Meta:
        verbose_name = verbose_name_plural = "入库明细"


class BundleQuerySet(models.QuerySet):
    def visible_to(self, account) -> Self:
        """A bundle holds files of many schools: the county sees it, and whoever sent it."""
        scope = account.scope
        if scope.whole_county:
            return self.filter(county__in=scope.counties)
        return self.filter(uploaded_by=account)


class Bundle(models.Model):
    """A zip of roll files; each becomes a roster of its own. `entries` tells what became of every file in it."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    county = models.ForeignKey("bureau.County", models.PROTECT)
    term = models.ForeignKey("bureau.Term", models.PROTECT, verbose_name="学期")
    kind = models.CharField("类型", max_length=12, choices=Roster.Kind.choices)
    file_name = models.CharField("文件名", max_length=200)
    sha256 = models.CharField(max_length=64)
    file_error = models.JSONField(null=True)
    entries = models.JSONField(default=list)
    uploaded_by = models.ForeignKey("bureau.Account", models.PROTECT, related_name="+")
    uploaded_at = models.DateTimeField(auto_now_add=True)
    job = models.ForeignKey("bureau.Job", models.SET_NULL, null=True, related_name="+")

    objects = BundleQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "花名册压缩包"

    def get_absolute_url(self) -> str:
        return reverse("students:bundle", args=[self.pk])

    @property
    def is_reading(self) -> bool:
        """Not taken apart yet; an archive always holds something."""
        return not self.entries and self.file_error is None
