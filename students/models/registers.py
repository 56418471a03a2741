"""Lists of other offices: register → dated snapshot → a person's stay (entry) → link to the person we know."""

from typing import Self

from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.urls import reverse

from bureau.keys import uuid7
from students.models.hardship import Category


class Register(models.Model):
    """A kind of list one office sends again and again."""

    county = models.ForeignKey("bureau.County", models.PROTECT)
    name = models.CharField("代码", max_length=30)
    title = models.CharField("名单", max_length=60)
    office = models.CharField("来源部门", max_length=60, blank=True)
    creates_students = models.BooleanField("可建立学生档案", default=False)
    category = models.CharField("困难类别", max_length=30, choices=Category.choices, blank=True)  # of a list officers added
    kept_by_officer = models.BooleanField("自建名单", default=False)

    class Meta:
        verbose_name = verbose_name_plural = "部门名单"
        constraints = [models.UniqueConstraint(fields=["county", "name"], name="register_once")]

    def __str__(self) -> str:
        return self.title


class SnapshotQuerySet(models.QuerySet):
    def closed(self) -> Self:
        """Snapshots fully loaded and compared with their neighbours."""
        return self.filter(state=Snapshot.State.CLOSED)

    def visible_to(self, account) -> Self:
        """The county's offices see every snapshot; a township those of its own or of the whole county."""
        scope = account.scope
        if scope.whole_county:
            return self.filter(county__in=scope.counties)
        if not scope.townships:
            return self.none()
        return self.filter(Q(township=None) | Q(township__in=scope.townships), county__in=scope.counties)


class Snapshot(models.Model):
    """One list as it was on one day, for the county or one township (`township`), complete or partial."""

    class State(models.TextChoices):
        READING = "reading", "正在读取"
        REFUSED = "refused", "无法读取"
        HELD = "held", "待确认"  # it would take more people off the list than the county lets pass unseen
        DROPPED = "dropped", "不采用"
        CLOSED = "closed", "已入库"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    county = models.ForeignKey("bureau.County", models.PROTECT)
    register = models.ForeignKey(Register, models.PROTECT, related_name="snapshots")
    township = models.ForeignKey("bureau.Township", models.PROTECT, null=True, blank=True, verbose_name="范围")
    as_of = models.DateField("名单日期")
    partial = models.BooleanField("部分名单", default=False)
    state = models.CharField(max_length=8, choices=State.choices, default=State.READING)
    file_name = models.CharField("文件名", max_length=200)
    sha256 = models.CharField(max_length=64)
    sheets = models.JSONField(default=list)
    rows = models.PositiveIntegerField(default=0)
    accepted = models.PositiveIntegerField(default=0)
    rejected = models.PositiveIntegerField(default=0)
    warned = models.PositiveIntegerField(default=0)
    skipped = models.PositiveIntegerField(default=0)
    added = models.PositiveIntegerField("新增", default=0)
    removed = models.PositiveIntegerField("退出", default=0)
    changed = models.PositiveIntegerField("变更", default=0)
    same = models.PositiveIntegerField("不变", default=0)
    tables = models.JSONField(default=list)  # what was understood, one dict per sheet (bureau.sheets Reading.tables)
    file_error = models.JSONField(null=True)
    problems = models.JSONField(default=list)
    seconds = models.JSONField(default=dict)
    confirmed_by = models.ForeignKey("bureau.Account", models.PROTECT, null=True, related_name="+")
    received_from = models.CharField("报送单位", max_length=60, blank=True)
    received_by = models.ForeignKey("bureau.Account", models.PROTECT, related_name="+")
    received_at = models.DateTimeField(auto_now_add=True)
    job = models.ForeignKey("bureau.Job", models.SET_NULL, null=True, related_name="+")

    objects = SnapshotQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "名单期次"
        indexes = [models.Index(fields=["county", "register", "as_of"], name="snapshot_by_day")]

    def get_absolute_url(self) -> str:
        return reverse("students:snapshot", args=[self.pk])


class EntryFields(models.Model):
    """What a row of a list says about one person; shared by the staged and the kept form."""

    recognised_by = models.BinaryField(max_length=32)  # strongest key: ID index, else person number, else …
    person_key = models.BinaryField(max_length=32, null=True)  # digest of 人编号
    family_key = models.BinaryField(max_length=32, null=True)  # digest of household number, name, birth date
    household_key = models.BinaryField(max_length=32, null=True)  # digest of the household number
    household_no = models.CharField(max_length=60, blank=True)
    citizen_uuid = models.UUIDField(null=True)
    citizen_sealed = models.BinaryField(null=True)
    citizen_index = models.BinaryField(max_length=32, null=True)
    number_uuid = models.UUIDField(null=True)
    number_sealed = models.BinaryField(null=True)
    number_index = models.BinaryField(max_length=32, null=True)
    holder_index = models.BinaryField(max_length=32, null=True)  # citizen ID inside a 学籍号 or certificate
    guardian_index = models.BinaryField(max_length=32, null=True)
    account_index = models.BinaryField(max_length=32, null=True)  # bank account the benefit is paid into
    name = models.CharField(max_length=120, blank=True)
    name_key = models.CharField(max_length=120, blank=True)
    pinyin = models.CharField(max_length=200, blank=True)
    head_name = models.CharField(max_length=120, blank=True)
    relation = models.CharField(max_length=20, blank=True)
    sex = models.CharField(max_length=1, blank=True)
    birth_on = models.DateField(null=True)
    ethnicity = models.CharField(max_length=2, blank=True)
    category = models.CharField("类别", max_length=30, choices=Category.choices, blank=True)
    own_from = models.DateField(null=True)
    own_to = models.DateField(null=True)
    foreign = models.BooleanField(default=False)  # the row itself names another county
    township = models.ForeignKey("bureau.Township", models.PROTECT, null=True, db_index=False, related_name="+")
    village = models.ForeignKey("bureau.Village", models.PROTECT, null=True, db_index=False, related_name="+")
    school = models.ForeignKey("bureau.School", models.PROTECT, null=True, db_index=False, related_name="+")
    stage = models.CharField(max_length=20, blank=True)
    entered_in = models.PositiveSmallIntegerField(null=True)
    class_name = models.CharField(max_length=40, blank=True)
    status_text = models.CharField(max_length=40, blank=True)
    whereabouts = models.CharField(max_length=30, blank=True)  # a kind of Whereabouts the row gives evidence for
    place = models.CharField(max_length=200, blank=True)
    proof = models.CharField(max_length=400, blank=True)
    row_uuid = models.UUIDField()  # binds the payload, and becomes the person's key when the row makes one known
    payload_sealed = models.BinaryField(null=True)  # every other cell of the row, as JSON
    digest = models.BinaryField(max_length=32)  # of all cells: equal means unchanged
    identity = models.BinaryField(max_length=32, null=True)  # of the cells that tell who it is: a human answer rests on it

    class Meta:
        abstract = True


class EntryQuerySet(models.QuerySet):
    def covering(self, day) -> Self:
        """Stays on a register in force on `day`: a date, or an OuterRef to one.

        Both ends are inclusive; no `listed_to` means still listed.
        """
        return self.filter(Q(listed_to=None) | Q(listed_to__gte=day), listed_from__lte=day)

    def linked(self) -> Self:
        return self.filter(person__isnull=False)

    def on(self, *registers: str) -> Self:
        return self.filter(register__name__in=registers)

    def visible_to(self, account) -> Self:
        scope = account.scope
        if scope.whole_county:
            return self.filter(county__in=scope.counties)
        return self.filter(township__in=scope.townships, county__in=scope.counties)


class Entry(EntryFields):
    """One person's stay on one register in one category; `listed_from` and `listed_to` are inclusive.

    `listed_from` is the row's own date of identification, else the first day a list showed it; `listed_to` its own
    end date, else the day before the list that omits it. Source: docs/rules/registers.md.
    """

    class LinkState(models.TextChoices):
        UNLINKED = "unlinked", "未匹配到本人"
        PROPOSED = "proposed", "待认定"
        LINKED = "linked", "已匹配"

    county = models.ForeignKey("bureau.County", models.PROTECT, db_index=False)
    register = models.ForeignKey(Register, models.PROTECT, related_name="entries", db_index=False)
    scope_township = models.ForeignKey("bureau.Township", models.PROTECT, null=True, db_index=False, related_name="+")
    listed_from = models.DateField("纳入日期")
    listed_to = models.DateField("退出日期", null=True)
    omitted_on = models.DateField(null=True)  # as_of of the list that no longer shows it; still shown when empty
    person = models.ForeignKey("students.Person", models.SET_NULL, null=True, related_name="entries")
    link_state = models.CharField(max_length=8, choices=LinkState.choices, default=LinkState.UNLINKED)
    link_method = models.CharField(max_length=20, blank=True)

    objects = EntryQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "在册记录"
        indexes = [
            models.Index(fields=["register", "recognised_by"], name="entry_recognised"),
            models.Index(fields=["register", "person_key"], name="entry_person_no", condition=Q(person_key__isnull=False)),
            models.Index(fields=["county", "link_state", "id"], name="entry_waiting", condition=~Q(link_state="linked")),
            models.Index(fields=["citizen_index"], name="entry_citizen", condition=Q(person__isnull=True)),
            models.Index(fields=["account_index"], name="entry_account", condition=Q(account_index__isnull=False)),
            models.Index(fields=["household_key"], name="entry_household", condition=Q(household_key__isnull=False)),
        ]


class StagedEntry(EntryFields):
    """A row of a snapshot being loaded; gone once the snapshot is closed."""

    snapshot = models.ForeignKey(Snapshot, models.CASCADE, related_name="staged")
    sheet = models.PositiveSmallIntegerField()
    row = models.PositiveIntegerField()
    entry = models.ForeignKey(Entry, models.DO_NOTHING, null=True, db_constraint=False, related_name="+")
    same = models.BooleanField(default=False)

    class Meta:
        indexes = [models.Index(fields=["snapshot", "recognised_by"], name="staged_recognised")]


class Sighting(models.Model):
    """Where a snapshot shows an entry: sheet (position in `Snapshot.sheets`) and the row number the office sees."""

    snapshot = models.ForeignKey(Snapshot, models.CASCADE, related_name="sightings", db_index=False)
    entry = models.ForeignKey(Entry, models.CASCADE, related_name="sightings")
    sheet = models.PositiveSmallIntegerField()
    row = models.PositiveIntegerField()

    class Meta:
        indexes = [models.Index(fields=["snapshot", "entry"], name="sighting_of_snapshot")]


class FormerHousehold(models.Model):
    """What an older list said of a row's household, where the row says otherwise now; so it can be told from when to when.

    `person` is whose memberships it has gone into. Source: docs/rules/registers.md, “households”.
    """

    entry = models.ForeignKey(Entry, models.CASCADE, related_name="former_households")
    snapshot = models.ForeignKey(Snapshot, models.CASCADE, related_name="+", db_index=False)
    household_no = models.CharField(max_length=60)
    relation = models.CharField(max_length=20, blank=True)
    head_name = models.CharField(max_length=120, blank=True)
    person = models.UUIDField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["entry", "snapshot"], name="former_household_once")]


class LinkQuerySet(models.QuerySet):
    def visible_to(self, account) -> Self:
        """Links whose list row the account may see."""
        return self.filter(entry__in=Entry.objects.visible_to(account))

    def alone(self) -> Self:
        """Proposals that are the only one of their row."""
        more = Link.objects.filter(entry=OuterRef("entry"), status=Link.State.PROPOSED).exclude(pk=OuterRef("pk"))
        return self.filter(~Exists(more), status=Link.State.PROPOSED)

    def one_apart(self) -> Self:
        """The only proposal of their row, with everything that could be compared the same but for one thing."""
        return self.alone().exclude(differs="")


class Link(models.Model):
    """A proposed or decided link between an entry and a person; automatic links live on the entry itself.

    `evidence` says which fields agreed and how; `differs` names the one that did not, where all others did. A human
    answer sticks while what tells who the row is about stays the same (`digest`, of `Entry.identity`).
    """

    class State(models.TextChoices):
        PROPOSED = "proposed", "待认定"
        CONFIRMED = "confirmed", "是同一人"
        REJECTED = "rejected", "不是同一人"
        UNDECIDED = "undecided", "暂不能认定"

    county = models.ForeignKey("bureau.County", models.PROTECT)
    entry = models.ForeignKey(Entry, models.CASCADE, related_name="links")
    person = models.ForeignKey("students.Person", models.CASCADE, related_name="links")
    method = models.CharField(max_length=20)
    score = models.PositiveSmallIntegerField(default=0)
    evidence = models.JSONField(default=dict)
    differs = models.CharField(max_length=30, blank=True)
    digest = models.BinaryField(max_length=32)
    status = models.CharField(max_length=10, choices=State.choices, default=State.PROPOSED)
    reason = models.CharField(max_length=200, blank=True)
    decided_by = models.ForeignKey("bureau.Account", models.PROTECT, null=True)
    decided_at = models.DateTimeField(null=True)

    objects = LinkQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "身份匹配"
        constraints = [models.UniqueConstraint(fields=["entry", "person"], name="link_once")]
