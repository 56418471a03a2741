"""What the first floor brings to the frame: entries of the side bar, to-dos, recent uploads, freshness, job pages."""

from datetime import date, timedelta
from urllib.parse import urlencode

from django.db.models import Count, Exists, Max, Min, OuterRef, Q, QuerySet
from django.urls import reverse
from django.utils import timezone

from bureau import desk
from bureau.access.models import Account
from bureau.access.roles import Role
from bureau.desk import MOST_RECENT, Recent, ToDo
from bureau.jobs import Job, results
from bureau.organisation.models import School, Term
from bureau.organisation.terms import term_on
from bureau.pages import freshness, navigation
from bureau.pages.freshness import Freshness, Source
from bureau.pages.navigation import NavItem
from students import desk_absences, desk_collecting
from students.models import (
    Bundle,
    Discrepancy,
    Duplicate,
    Entry,
    Link,
    RollCheck,
    Roster,
    RosterSchool,
    Snapshot,
)
from students.models.differences import Office
from students.rules import RULES

OFFICES_OF_ROLE: dict = {
    Role.AID_OFFICER: {Office.AID},
    Role.BASIC_EDUCATION_OFFICER: {Office.BASIC_EDUCATION},
    Role.TOWNSHIP_OFFICER: {Office.TOWNSHIP},
    Role.DISTRICT_SCHOOL: set(Office),  # whoever settles it, the school is asked about its own children
    Role.SCHOOL_HEAD: set(Office),
    Role.SCHOOL_CLERK: set(Office),
}
STALE_AFTER_DAYS = 45  # lists come monthly; half a month late is worth a telephone call
ICONS = {"R01": "user-search", "R08": "user-search", "R25": "hand-heart", "R26": "user-x"}


def open_questions(account: Account) -> QuerySet[Discrepancy]:
    return Discrepancy.objects.visible_to(account).open(on=timezone.localdate())


def late_questions(account: Account) -> QuerySet[Discrepancy]:
    return Discrepancy.objects.visible_to(account).overdue(timezone.localdate())


def rolls_to_confirm(account: Account) -> QuerySet[Roster]:
    if not account.may("rosters.upload"):
        return Roster.objects.none()
    return Roster.objects.visible_to(account).filter(status=Roster.State.STAGED)


def checks_to_finish(account: Account) -> QuerySet[RollCheck]:
    """Rolls that a school began to check class by class; the county only looks on."""
    if account.scope.whole_county:
        return RollCheck.objects.none()
    return RollCheck.objects.visible_to(account).filter(state=RollCheck.State.OPEN)


def proposed_links(account: Account) -> QuerySet[Link]:
    return Link.objects.filter(status=Link.State.PROPOSED, entry__in=Entry.objects.visible_to(account))


def files_alike(account: Account) -> QuerySet[Duplicate]:
    return Duplicate.objects.visible_to(account).waiting()


def questions_to_settle(account: Account) -> list[ToDo]:
    """One line per rule that is this account's to settle, red where some are late."""
    if not account.may("differences.settle"):
        return []
    today = timezone.localdate()
    offices = set().union(*(OFFICES_OF_ROLE.get(role, set()) for role in account.scope.roles))
    rows = open_questions(account).filter(office__in=offices)
    if not account.scope.whole_county:  # what a school or township has answered waits for the bureau
        rows = rows.exclude(state=Discrepancy.State.EXPLAINED)
    counted = (
        rows.order_by()
        .values("rule")
        .annotate(count=Count("pk"), late=Count("pk", filter=Q(due_on__lt=today)), due=Min("due_on"))
        .order_by("rule")
    )
    state = {} if account.scope.whole_county else {"state": "todo"}
    return [_question_line(line, state) for line in counted]


def _question_line(line: dict, state: dict[str, str]) -> ToDo:
    rule = RULES.get(line["rule"])
    return ToDo(
        title=rule.title if rule else line["rule"],
        count=line["count"],
        url=f"{reverse('students:discrepancies')}?{urlencode({'rule': line['rule']} | state)}",
        due_on=line["due"],
        tone="red" if line["late"] else "blue",
        late=line["late"],
        detail=f"{Office(rule.office).label}承办" if rule else "",
        icon=ICONS.get(line["rule"], "git-compare"),
    )


def questions_given_to_me(account: Account) -> list[ToDo]:
    """What somebody gave to this very person, whichever office it belongs to."""
    if not account.may("differences.settle"):
        return []
    mine = open_questions(account).filter(assigned_to=account, state=Discrepancy.State.ASSIGNED)
    told = mine.aggregate(count=Count("pk"), late=Count("pk", filter=Q(due_on__lt=timezone.localdate())), due=Min("due_on"))
    url = f"{reverse('students:discrepancies')}?{urlencode({'assigned': account.pk, 'state': Discrepancy.State.ASSIGNED})}"
    tone = "red" if told["late"] else "blue"
    return [
        ToDo("交办给我的问题", told["count"], url, due_on=told["due"], tone=tone, late=told["late"], icon="user-check")
    ]


def questions_to_press(account: Account) -> list[ToDo]:
    """For those who look on (局领导, 督学): what each office has let pass its date."""
    if account.may("differences.settle") or not account.may("differences.view"):
        return []
    counted = late_questions(account).order_by().values("office").annotate(late=Count("pk"), due=Min("due_on"))
    return [
        ToDo(
            f"{Office(line['office']).label}逾期未办的问题，请督办",
            line["late"],
            f"{reverse('students:discrepancies')}?due=overdue&office={line['office']}",
            due_on=line["due"],
            tone="red",
            late=line["late"],
            detail="点开可以留言催办",
            icon="clock",
        )
        for line in counted.order_by("office")
    ]


def files_to_finish(account: Account) -> list[ToDo]:
    """Rolls that were read and wait for a confirmation, schools whose roll of this term is still missing."""
    if not account.may("rosters.upload"):
        return []
    todos = [
        ToDo(
            "逐班核对还没有提交",
            checks_to_finish(account).count(),
            reverse("students:checks"),
            tone="amber",
            detail="各班都确认后，点“全部提交”",
            unit="所学校",
            icon="list-checks",
        ),
        ToDo(
            "花名册已核对，等待确认入库",
            rolls_to_confirm(account).count(),
            f"{reverse('students:rosters')}?{urlencode({'state': str(Roster.State.STAGED)})}",
            tone="amber",
            detail="看一遍新增、变化和不在册的学生，再点确认",
            unit="份",
            icon="file-spreadsheet",
        )
    ]
    if (
        not account.scope.whole_county
        and account.county
        and not desk_collecting.collected_rolls(account)
        and (term := term_on(account.county, timezone.localdate()))
    ):
        missing = schools_without_roll(account, term).count()
        todos.append(
            ToDo(
                f"{term}花名册还没有上传",
                missing,
                reverse("students:upload_roster"),
                tone="amber",
                detail="从学籍系统导出的表可以直接上传；变动少的可以逐班核对",
                unit="所学校",
                icon="upload",
            )
        )
    return todos


def schools_without_roll(account: Account, term: Term) -> QuerySet[School]:
    """Schools of the account that are on no roll of the term, neither applied nor on its way."""
    applied = RosterSchool.objects.filter(school=OuterRef("pk"), roster__term=term)
    underway = Roster.objects.filter(
        school=OuterRef("pk"), term=term, status__in=[Roster.State.READING, Roster.State.STAGED]
    )
    return (
        School.objects.visible_to(account).open_on(term.starts_on).filter(~Exists(applied), ~Exists(underway))
    )


def lists_to_work_on(account: Account) -> list[ToDo]:
    """Proposed identities to decide, and lists that are older than the office sends them."""
    todos = []
    if account.may("links.decide"):
        todos.append(
            ToDo(
                "身份匹配待认定",
                proposed_links(account).count(),
                reverse("students:links"),
                detail="名单上的人与学生是不是同一人",
                unit="条",
                icon="link",
            )
        )
    if account.may("students.merge"):
        todos.append(
            ToDo(
                "可能是同一人的档案",
                files_alike(account).count(),
                reverse("students:duplicates"),
                detail="是同一人就合并，不是的说明一下",
                unit="对",
                icon="merge",
            )
        )
    if account.may("registers.import"):
        oldest = timezone.localdate() - timedelta(days=STALE_AFTER_DAYS)
        newest = (
            Snapshot.objects.visible_to(account)
            .closed()
            .order_by()
            .values("register")
            .annotate(on=Max("as_of"))
        )
        todos.append(
            ToDo(
                "部门名单该更新了",
                newest.filter(on__lt=oldest).count(),
                reverse("students:registers"),
                tone="amber",
                detail=f"最近一期超过 {STALE_AFTER_DAYS} 天",
                unit="种",
                icon="files",
            )
        )
    return todos


def uploads(account: Account) -> list[Recent]:
    rolls = (
        Roster.objects.visible_to(account)
        .light()
        .filter(uploaded_by=account)
        .select_related("school")
        .order_by("-pk")
    )
    zips = Bundle.objects.visible_to(account).filter(uploaded_by=account).order_by("-pk")
    lists = (
        Snapshot.objects.visible_to(account)
        .filter(received_by=account)
        .defer("problems", "tables")
        .select_related("register")
        .order_by("-pk")
    )
    return [
        *(
            Recent(
                title=roll.file_name,
                at=roll.uploaded_at,
                url=roll.get_absolute_url(),
                state=roll.status,
                label=roll.get_status_display(),
                detail=f"{roll.school.name if roll.school else '全县各校'} · {roll.rows:,} 行",
            )
            for roll in rolls[:MOST_RECENT]
        ),
        *(
            Recent(
                title=one.file_name,
                at=one.uploaded_at,
                url=one.get_absolute_url(),
                state="refused" if one.file_error else "reading" if one.is_reading else "done",
                label="无法读取" if one.file_error else "正在解开" if one.is_reading else "已解开",
                detail=f"压缩包 · {len(one.entries)} 个文件",
            )
            for one in zips[:MOST_RECENT]
        ),
        *(
            Recent(
                title=f"{snapshot.register.title} {period(snapshot.as_of)}名单",
                at=snapshot.received_at,
                url=snapshot.get_absolute_url(),
                state="done" if snapshot.state == Snapshot.State.CLOSED else snapshot.state,
                label=snapshot.get_state_display(),
                detail=f"{snapshot.rows:,} 行",
            )
            for snapshot in lists[:MOST_RECENT]
        ),
    ]


def period(day: date) -> str:
    """How the office calls a list: 10月期, with the year when it is not this one."""
    year = "" if day.year == timezone.localdate().year else f"{day.year}年"
    return f"{year}{day.month}月期"


def lists_in_force(account: Account) -> Freshness:
    """The newest closed list of each register of the county, and when anything was last applied."""
    closed = Snapshot.objects.closed().filter(county=account.county)
    newest = {}
    for snapshot in (
        closed.select_related("register", "township")
        .only("as_of", "partial", "received_at", "register__title", "township__name")
        .order_by("as_of", "pk")
    ):
        newest[snapshot.register_id] = snapshot
    moments = [
        closed.aggregate(last=Max("received_at"))["last"],
        Roster.objects.filter(county=account.county).aggregate(last=Max("applied_at"))["last"],
    ]
    sources = [
        Source(one.register.title, period(one.as_of), one.as_of, covers=_covers(one))
        for one in newest.values()
    ]
    return Freshness(max(filter(None, moments), default=None), sources)


def _covers(snapshot: Snapshot) -> str:
    place = snapshot.township.name if snapshot.township else "全县"
    return f"{place}（部分）" if snapshot.partial else place


def _page_of_roster(job: Job) -> str:
    return reverse("students:roster", args=[job.params["roster"]])


def _page_of_bundle(job: Job) -> str:
    return reverse("students:bundle", args=[job.params["bundle"]])


def _page_of_snapshot(job: Job) -> str:
    return reverse("students:snapshot", args=[job.params["snapshot"]])


def _page_of_pushed(job: Job) -> str:
    return reverse("students:snapshot", args=[job.result["snapshot"]])


def _page_of_form(job: Job) -> str:
    return reverse("students:form", args=[job.params["form"]])


def _page_of_run(job: Job) -> str:
    return reverse("students:discrepancies")


def _page_of_duplicates(job: Job) -> str:
    return reverse("students:duplicates")


def plug_in() -> None:
    """Called once from `AppConfig.ready()`."""
    questions = (questions_given_to_me, questions_to_settle, questions_to_press)
    for provider in (*desk_absences.PROVIDERS, *questions, files_to_finish, lists_to_work_on):
        desk.register(provider)
    desk.register(desk_collecting.rolls_owed)
    desk.register(desk_collecting.unlock_requests)
    desk.register_recent(uploads, "rosters.upload", "registers.import")
    freshness.register(lists_in_force)
    results.register("students.read_roster", _page_of_roster)
    results.register("students.mark_roster", _page_of_roster)
    results.register("students.open_bundle", _page_of_bundle)
    results.register("students.apply_bundle", _page_of_bundle)
    results.register("students.read_register", _page_of_snapshot)
    results.register("students.reconcile", _page_of_run)
    results.register("students.seek_duplicates", _page_of_duplicates)
    results.register("students.fill_form", _page_of_form)
    results.register("students.gather_pushed", _page_of_pushed)
    navigation.register(
        NavItem("学生档案", "graduation-cap", "students:students", "students.view", 20),
        NavItem(
            "花名册", "file-spreadsheet", "students:rosters", "rosters.view", 30, waiting=rolls_to_confirm
        ),
        NavItem("上报进度", "calendar-check", "students:collections", "rosters.view", 35),
        NavItem("空表填数", "clipboard-pen-line", "students:forms", "figures.export", 45),
        NavItem("部门名单", "files", "students:registers", "registers.view", 40),
        NavItem("数据交换", "arrow-left-right", "students:exchange", "exchange.edit", 82),
        NavItem("身份匹配", "link", "students:links", "links.decide", 50, waiting=proposed_links),
        NavItem("可能是同一人", "merge", "students:duplicates", "students.merge", 55, waiting=files_alike),
        NavItem(
            "待核实问题",
            "git-compare",
            "students:discrepancies",
            "differences.view",
            58,
            waiting=open_questions,
            overdue=late_questions,
        ),
    )
