"""待核实问题: the list with its counts, the export, and one question with the evidence of both sides."""

from datetime import timedelta
from urllib.parse import urlencode

from django.db.models import Count, Prefetch, Q, QuerySet
from django.http import FileResponse, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from bureau import audit
from bureau.access.models import Account
from bureau.identity import name_key
from bureau.lists import Choice, Listing, Order, Search
from bureau.organisation.models import Village
from students.actions.fieldwork import for_a_visit
from students.desk import period
from students.figures import QUESTION_FIGURES
from students.forms import SettleForm, terms_of
from students.models import Category, Discrepancy, Enrolment, Entry, Sighting
from students.models.differences import Office
from students.rules import RULES
from students.views import exporting
from students.views.compared import compared, evidence_in_words
from students.views.history import attachments_of, history_of
from students.views.places import schools, townships

OPEN, TODO, NO_PLACE = "open", "todo", "none"
STATES = [(OPEN, "待办理"), (TODO, "待办理（不含已答复的）"), *Discrepancy.State.choices]
DUE = [("overdue", "已逾期"), ("soon", "七日内到期")]
# What each rule found, in one sentence the township can act on; the title alone stands for rules of other rooms.
REASONS = {
    "R01": "户籍名单上的适龄儿童，在本县和外地都没有在籍、在校记录，也没有有效的去向佐证。请核实孩子在哪里。",
    "R02": "学校为他建了学籍，但覆盖到他的户籍名单上没有本人。请核实户口在哪里；在外县的，登记为外县户籍。",
    "R03": "户籍名单和学校登记的姓名、性别或出生日期不一致。请对照户口簿，按对的一方更正。",
    "R04": "本人在死亡（注销）名单上，却还有在籍或在校记录。请核实后办理离校，停发资助。",
    "R05": "学籍在本校，本校的班级花名册上却没有他。请核实孩子在哪里。",
    "R06": "在本校的班级花名册上，本校的学籍里却没有他。请建籍，或办理转入。",
    "R07": "同一名学生在两所以上学校都有学籍。请两校核对，保留实际就读的一处。",
    "R08": "脱贫（监测）家庭的适龄儿童，没有找到本人，或找到了但没有在籍、在校记录和有效的去向佐证。请核实孩子在哪里。",
    "R13": "持证的适龄残疾儿童，没有入学，也没有送教上门等安排。请会同专家委员会提出安置意见。",
    "R18": "名单上同一个银行账号被多户使用。请核实领款人和各户的关系。",
    "R20": "最近一期名单与上一期相比，这名在校学生新列入或不再列入。请核实原因。",
    "R25": "名单上有本人，但我们还没有登记这一类困难身份，可能漏助。请核实后登记。",
    "R26": "我们登记的困难身份来自名单，但最近一期名单上已没有本人。请核实后结束，或说明继续认定的依据。",
    "R32": "休学、转出等学籍变动没有留下佐证。请登记去向并写明凭据。",
}
MOST_SHARING = 60


def by_state(rows: QuerySet, state: str) -> QuerySet:
    if state in (OPEN, TODO):
        waiting = rows.open(on=timezone.localdate())
        return waiting if state == OPEN else waiting.exclude(state=Discrepancy.State.EXPLAINED)
    return rows.filter(state=state)


def by_due(rows: QuerySet, due: str) -> QuerySet:
    today = timezone.localdate()
    if due == "overdue":
        return rows.overdue(today)
    return rows.open(on=today).filter(due_on__range=(today, today + timedelta(days=7)))


def by_name(rows: QuerySet, text: str) -> QuerySet:
    key = name_key(text)
    return rows.filter(
        Q(student__person__name_key__startswith=key) | Q(student=None, entry__name_key__startswith=key)
    )


def rules(listing: Listing) -> list[tuple[str, str]]:
    return [(rule.code, f"{rule.code} {rule.title}") for rule in RULES.values()]


def terms(listing: Listing) -> list[tuple[str, str]]:
    return [(term.code, str(term)) for term in terms_of(listing.account)]


def named(place: str) -> str | None:
    """The key a filter names; NO_PLACE stands for rows without one."""
    return None if place == NO_PLACE else place


def townships_or_none(listing: Listing) -> list[tuple[str, str]]:
    return [*townships(listing), (NO_PLACE, "未注明乡镇")]


def schools_or_none(listing: Listing) -> list[tuple[str, str]]:
    return [*schools(listing), (NO_PLACE, "未注明学校")]


def by_village(rows: QuerySet, village: str) -> QuerySet:
    return rows.with_village().filter(at=named(village))


def villages(listing: Listing) -> list[tuple[str, str]]:
    """Villages of the township chosen, or of the only one in sight; one that the address names is told as well."""
    offered = townships(listing)
    chosen = listing.params.get("township", "") or (offered[0][0] if len(offered) == 1 else "")
    named = listing.params.get("village", "")
    within = Village.objects.filter(township__in=[pk for pk, _ in offered])
    found = [(str(pk), township, name) for pk, township, name in within.values_list("pk", "township", "name")]
    told = [(pk, name) for pk, township, name in found if str(township) == chosen or pk == named]
    return [*told, (NO_PLACE, "未注明村")] if told or named else []


def assignees(listing: Listing) -> list[tuple[str, str]]:
    return [(str(listing.account.pk), "交办给我的")]


class Discrepancies(Listing):
    """Most urgent first. Without a word about the state only what still has to be settled is shown."""

    unit = "件"
    orders = [Order("due", "办理期限", "due_on"), Order("new", "发现先后", "id", descending=True)]
    filters = [
        Search("q", "姓名", by_name, hint="姓名"),
        Choice("rule", "问题类型", lambda rows, rule: rows.filter(rule=rule), options=rules),
        Choice("state", "办理状态", by_state, options=STATES),
        Choice("due", "期限", by_due, options=DUE),
        Choice("township", "乡镇", lambda rows, place: rows.filter(township=named(place)), options=townships_or_none),
        Choice("village", "村", by_village, options=villages),
        Choice("school", "学校", lambda rows, place: rows.filter(school=named(place)), options=schools_or_none),
        Choice("office", "承办", lambda rows, office: rows.filter(office=office), options=Office.choices),
        Choice("assigned", "交办", lambda rows, person: rows.filter(assigned_to=person), options=assignees),
        Choice(
            "category",
            "类别",
            lambda rows, kind: rows.filter(category=kind),
            options=Category.choices,
            hidden=True,
        ),
        Choice("visit", "到村核查", lambda rows, _: for_a_visit(rows), options=[("yes", "可到村里核查的")], hidden=True),
        Choice("term", "学期", lambda rows, term: rows.filter(term__code=term), options=terms, hidden=True),
        QUESTION_FIGURES,
    ]

    def decorate(self, queryset: QuerySet) -> QuerySet:
        return with_children(queryset)


def with_children(rows: QuerySet) -> QuerySet:
    """Everything `told` needs, read in a handful of statements."""
    enrolments = (
        Enrolment.objects.filter(ended_on=None).select_related("school").order_by("-is_present", "id")
    )
    return rows.select_related(
        "student__person", "student__hukou_village", "entry__register", "entry__village",
        "school", "township", "assigned_to", "term__school_year",
    ).prefetch_related(Prefetch("student__enrolments", enrolments, to_attr="current"))  # fmt: skip


def listing_for(account: Account, params: QueryDict) -> Discrepancies:
    asked = params.copy()
    if "figure" not in asked:  # a figure says itself what it counts
        asked.setdefault("state", OPEN)
    return Discrepancies(Discrepancy.objects.visible_to(account), asked, account=account)


def told(rows: list[Discrepancy]) -> list[Discrepancy]:
    """Rows with what a list says of the child; where nobody was found, the list's own row speaks."""
    for row in rows:
        child = row.student.person if row.student else row.entry
        row.child_name = child.name if child else "（名单记录已删除）"
        row.child_birth_on = child.birth_on if child else None
        village = row.student.hukou_village if row.student else row.entry and row.entry.village
        row.village_name = str(village or "")
        places = row.student.current if row.student else []
        for place in places:
            place.grade_name = place.grade(row.term.school_year.starts_in) if row.term else ""
        row.class_name = f"{places[0].grade_name}{places[0].class_name}" if places else ""
        row.evidence_words = evidence_in_words(row)
        if row.subject_kind == "account":
            row.child_name = f"{row.child_name}等{row.evidence.partition(' ')[0]}户"
        row.rule_title = RULES[row.rule].title if row.rule in RULES else row.rule
        row.category_name = dict(Category.choices).get(row.category, "")
    return rows


def children_of(rows: list[Discrepancy]) -> list:
    return [row.student_id for row in rows if row.student_id]


@require_safe
def discrepancies(request: HttpRequest) -> HttpResponse:
    page = listing_for(request.user, request.GET).page()
    told(page.rows)
    audit.saw(request, children_of(page.rows))
    context = {
        "page": page,
        "tiles": _tiles(request.user),
        "may_settle": request.user.may("differences.settle"),
        "may_run": request.user.may("reconcile.run"),
        "may_export": request.user.may("figures.export"),
        "run_place": _place_asked(request.GET),
    }
    return render(request, "students/discrepancies.html", context)


def _place_asked(asked: QueryDict) -> str:
    """The place the list is narrowed to, for the form that compares it again."""
    return urlencode({word: asked[word] for word in ("school", "township") if asked.get(word)})


def _tiles(account: Account) -> list[dict]:
    """Per rule: how many wait, how many of them are late."""
    today = timezone.localdate()
    counted = (
        Discrepancy.objects.visible_to(account)
        .open(on=today)
        .order_by()
        .values("rule")
        .annotate(
            count=Count("pk", distinct=True), late=Count("pk", distinct=True, filter=Q(due_on__lt=today))
        )
    )
    by_rule = {row["rule"]: row for row in counted}
    nothing = {"count": 0, "late": 0}
    waiting = [by_rule.get(rule.code, nothing) | {"rule": rule} for rule in RULES.values()]
    return [tile for tile in waiting if tile["count"]]


@require_safe
def export(request: HttpRequest) -> FileResponse:
    """The list as filtered, without any number of a person."""
    rows = told(list(listing_for(request.user, request.GET).export_rows(most=exporting.MOST_ROWS)))
    audit.saw(request, children_of(rows))
    audit.record(
        by=request.user,
        verb="students.discrepancies_exported",
        county=request.user.county,
        detail={"rows": len(rows)},
    )
    return exporting.workbook(
        exporting.DiscrepancySheet, map(exporting.discrepancy_line, rows), name="待核实问题"
    )


@require_safe
def discrepancy(request: HttpRequest, discrepancy_id: int) -> HttpResponse:
    return show(request, discrepancy_id)


def show(request: HttpRequest, discrepancy_id: int, *, said: str = "", fault: str = "") -> HttpResponse:
    """One question; `said` is a comment that could not be taken, and `fault` why."""
    visible = with_children(Discrepancy.objects.visible_to(request.user))
    found = get_object_or_404(
        visible.select_related("student__hukou_township", "entry__township"), pk=discrepancy_id
    )
    told([found])
    audit.saw(request, children_of([found]))
    today = timezone.localdate()
    is_open = Discrepancy.objects.filter(pk=found.pk).open().exists()
    context = {
        "found": found,
        "reason": REASONS.get(found.rule, ""),
        "compared": compared(found),
        "sharing": _sharing(found),
        "sightings": _sightings(found),
        "is_open": is_open,
        "history": history_of(found),
        "attachments": [one for one in attachments_of(found) if not one.withdrawn_at],
        "said": said,
        "fault": fault,
        "next": _next(request.user, found),
        "may_link": request.user.may("links.decide"),
        "may_read_lists": request.user.may("registers.view"),
        "may_settle": request.user.may("differences.settle"),
    }
    if found.student:
        context |= {
            "hardships": found.student.hardships.select_related("register").order_by("-valid_from"),
            "whereabouts": found.student.whereabouts.filter(withdrawn_at=None).order_by("-valid_from"),
        }
    if is_open and context["may_settle"]:
        work = Discrepancy.objects.visible_to(request.user).filter(pk=found.pk)
        context["form"] = SettleForm(account=request.user, work=work, today=today)
    return render(request, "students/discrepancy.html", context, status=400 if fault else 200)


def _sightings(found: Discrepancy) -> list[dict]:
    """On which lists the row stands: list, date, sheet and row as the sending office sees them; newest first."""
    if found.entry is None:
        return []
    seen = Sighting.objects.filter(entry=found.entry).select_related("snapshot").order_by("-snapshot__as_of")
    return [
        {
            "snapshot": sighting.snapshot,
            "issue": period(sighting.snapshot.as_of),
            "sheet": _sheet_name(sighting),
            "row": sighting.row,
        }
        for sighting in seen[:6]
    ]


def _sharing(found: Discrepancy) -> list[Entry]:
    """R18: the rows on which the same account stands, as many as a page can take."""
    if found.subject_kind != "account" or found.entry is None:
        return []
    same = Entry.objects.filter(county=found.county, account_index=found.entry.account_index, omitted_on=None)
    return list(same.select_related("register", "township", "village").order_by("household_no", "pk")[:MOST_SHARING])


def _sheet_name(sighting: Sighting) -> str:
    sheets = sighting.snapshot.sheets
    return (sheets[sighting.sheet] or "") if sighting.sheet < len(sheets) else ""


def _next(account: Account, found: Discrepancy) -> Discrepancy | None:
    """The next of the same kind that waits, so that one works down the list without going back to it."""
    waiting = Discrepancy.objects.visible_to(account).open(on=timezone.localdate()).filter(rule=found.rule)
    later = Q(due_on__gt=found.due_on) | Q(due_on=found.due_on, pk__gt=found.pk)
    return waiting.filter(later).order_by("due_on", "pk").first()
