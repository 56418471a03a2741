"""核对代替上报: the classes of a school, one class, its children, and how far all schools are."""

from collections.abc import Callable
from uuid import UUID

from django.contrib import messages
from django.db.models import Exists, OuterRef, Prefetch, QuerySet, UUIDField, Value
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from bureau import audit, secrecy
from bureau.access.models import Account
from bureau.lists import Choice, Listing, Order
from bureau.organisation.models import School, Term
from bureau.organisation.terms import term_on
from students.actions import checking as actions
from students.actions.refusals import NotApplicable
from students.intake.checkfile import guardians
from students.intake.checkroll import Pupil, Roll, RollClass, roll_of, rolls_of
from students.models import Enrolment, Identifier, RollChange, RollCheck, Roster
from students.views.checking_forms import Held, PlaceForm, PupilForm, judge_number
from students.views.places import schools, townships
from students.views.windows import told_when_locked

NOT_YOURS = "逐班核对由学校办理，县局只能查看。"
STATES = [("open", "核对中"), ("sent", "已提交"), ("none", "没有开始")]


def may_check(account: Account) -> bool:
    """A school answers for its own roll: the county looks on."""
    return account.may("rosters.upload") and not account.scope.whole_county


def by_state(rows: QuerySet, state: str) -> QuerySet:
    checks = RollCheck.objects.filter(school=OuterRef("pk"), term=OuterRef("term_shown"))
    if state == "none":
        return rows.filter(~Exists(checks.exclude(state="given_up")))
    return rows.filter(Exists(checks.filter(state=state)))


class Schools(Listing):
    """The schools an account answers for, with the newest check of the term of each."""

    unit = "所学校"
    size = 25
    orders = [Order("code", "学校", "code")]
    filters = [
        Choice("township", "乡镇", lambda rows, township: rows.filter(township=township), options=townships),
        Choice("school", "学校", lambda rows, school: rows.filter(pk=school), options=schools),
        Choice("state", "进度", by_state, options=STATES),
    ]

    def __init__(self, *args, term: Term, **kwargs):
        super().__init__(*args, **kwargs)
        self.term = term

    def decorate(self, queryset: QuerySet) -> QuerySet:
        checks = RollCheck.objects.filter(term=self.term).exclude(state="given_up").order_by("-pk")
        checks = checks.select_related("term__school_year", "roster", "opened_by")
        return queryset.select_related("township").prefetch_related(Prefetch("rollcheck_set", checks, to_attr="checks"))


@require_safe
def checks(request: HttpRequest) -> HttpResponse:
    """Every school of the account: begin or go on; for the county, how far each is."""
    today = timezone.localdate()
    term = term_on(request.user.county, today)
    if term is None:
        return render(request, "students/checks.html", {"term": None})
    rows = School.objects.visible_to(request.user).open_on(today)
    page = Schools(rows.annotate(term_shown=Value(term.pk, UUIDField())), request.GET, account=request.user, term=term).page()
    shown = [school.checks[0] for school in page.rows if school.checks]
    rolls = rolls_of(shown)
    for school in page.rows:
        school.check_now = school.checks[0] if school.checks else None
        school.roll = rolls.get(school.check_now.pk) if school.check_now else None
    context = {"page": page, "term": term, "may_check": may_check(request.user)}
    return render(request, "students/checks.html", context)


@require_POST
@told_when_locked
def start_check(request: HttpRequest) -> HttpResponse:
    """Begin for one school, or go on where it was begun."""
    today = timezone.localdate()
    if not may_check(request.user):
        messages.error(request, NOT_YOURS)
        return redirect("students:checks")
    wanted = request.POST.get("school", "")
    mine = School.objects.visible_to(request.user).open_on(today).select_related("county")
    school = next((one for one in mine if str(one.pk) == wanted), None)
    term = term_on(request.user.county, today)
    if school is None or term is None:
        messages.error(request, "请选择要核对的学校。")
        return redirect("students:checks")
    check, is_new = actions.open_check(school=school, term=term, on=today, by=request.user)
    if not is_new:
        messages.info(request, f"{school}的核对已由{check.opened_by}开始，接着办理即可。")
    return redirect(check)


@require_safe
def check(request: HttpRequest, check_id: UUID) -> HttpResponse:
    """The classes of the school, what is confirmed and what is left to do."""
    found = _found(request, check_id)
    roll = roll_of(found)
    audit.saw(request, [pupil.student for pupil in (*roll.leavers, *roll.left) if pupil.student])
    context = _frame(request, found, roll) | {"meanwhile": _meanwhile(found), "may_reopen": actions.may_reopen(found)}
    return render(request, "students/check.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def check_class(request: HttpRequest, check_id: UUID, class_key: str) -> HttpResponse:
    """One class: tick who left, or confirm it; a confirmation leads on to the next class."""
    found = _found(request, check_id)
    if request.method == "POST":
        return _for_school(request, found, lambda: _settle_class(request, found, class_key))
    roll = roll_of(found)
    one = _class(roll, class_key)
    shown = {pupil.student for pupil in one.pupils if pupil.student}
    audit.saw(request, shown)
    names = {student: (name, relation) for student, name, relation in guardians(shown)}
    for pupil in one.pupils:
        typed = (pupil.typed.get("guardian_name", ""), pupil.typed.get("guardian_relation", ""))
        pupil.guardian = names.get(pupil.student, typed)
    context = _frame(request, found, roll) | {"class": one, "place": roll.classes.index(one) + 1}
    return render(request, "students/check_class.html", context)


def _settle_class(request: HttpRequest, found: RollCheck, key: str) -> HttpResponse:
    """Ticked children are noted first: nobody says “no change” and “left” with one button."""
    ticked = [value for value in map(_uuid, request.POST.getlist("left")) if value]
    here = redirect("students:check_class", found.pk, key)
    if ticked:
        count = actions.note_leavers(check=found, enrolments=ticked, by=request.user)
        messages.info(request, f"已登记 {count} 人不在本班，请核对后确认本班。")
        return here
    try:
        one = actions.confirm_class(check=found, key=key, seen=request.POST.get("seen", ""), by=request.user)
    except NotApplicable as error:
        if error.code not in ("class_gone", "class_changed"):
            raise
        messages.warning(request, error.message)
        return here if error.code == "class_changed" else redirect(found)
    following = roll_of(found).next_after(key)
    if following:
        messages.success(request, f"{one.title}已确认。")
        return redirect("students:check_class", found.pk, following.key)
    messages.success(request, "全部班级已确认，请核对下面的汇总后提交。")
    return redirect("students:send_check", found.pk)


@require_http_methods(["GET", "HEAD", "POST"])
def check_pupil(request: HttpRequest, check_id: UUID, enrolment_id: UUID) -> HttpResponse:
    """Class, boarding and state of a child on the roll."""
    found = _found(request, check_id)
    enrolment = get_object_or_404(Enrolment.objects.visible_to(request.user).present(), pk=enrolment_id, school=found.school)
    roll, year = roll_of(found), found.term.school_year.starts_in
    pupil = _pupil(roll, enrolment.pk)
    audit.saw(request, [enrolment.student_id])

    def edit() -> HttpResponse:
        actions.refuse_unless_open(found)
        form = PlaceForm(
            request.POST or None, initial=PlaceForm.initial_of(pupil, year), check=found, roll=roll, today=timezone.localdate()
        )
        if form.is_valid():
            differs = actions.edit_pupil(check=found, enrolment=enrolment, facts=form.place(), by=request.user)
            messages.success(request, f"{pupil.name}的变动已记下。" if differs else f"{pupil.name}与系统登记一致，没有变动。")
            return _to_class(found, enrolment=enrolment.pk)
        context = _frame(request, found, roll) | {"form": form, "pupil": pupil, "back": _back(found, roll, pupil)}
        return render(request, "students/check_pupil.html", context)

    return _for_school(request, found, edit)


@require_http_methods(["GET", "HEAD", "POST"])
def check_add(request: HttpRequest, check_id: UUID) -> HttpResponse:
    """A child who came; `class` in the address fills in the class."""
    found = _found(request, check_id)
    roll = roll_of(found)
    one = roll.find(request.GET.get("class", ""))
    initial = PlaceForm.initial_of(one, found.term.school_year.starts_in) if one else {}
    return _for_school(request, found, lambda: _take_pupil(request, found, roll, initial | {"state": "在籍"}))


@require_http_methods(["GET", "HEAD", "POST"])
def check_added(request: HttpRequest, check_id: UUID, change_id: int) -> HttpResponse:
    """A child who was added, to be corrected."""
    found = _found(request, check_id)
    change = get_object_or_404(RollChange, pk=change_id, check_of=found, kind=RollChange.Kind.ADD)
    roll = roll_of(found)
    pupil = next(one for one in roll.pupils if one.change == change)
    initial = PupilForm.initial_of_typed(pupil, found.term.school_year.starts_in)
    return _for_school(request, found, lambda: _take_pupil(request, found, roll, initial, change))


def _take_pupil(
    request: HttpRequest, found: RollCheck, roll: Roll, initial: dict, change: RollChange | None = None
) -> HttpResponse:
    actions.refuse_unless_open(found)
    form = PupilForm(
        request.POST or None, initial=initial, check=found, roll=roll, today=timezone.localdate(),
        held=_held(found, roll), change_id=change and change.pk,
    )  # fmt: skip
    if form.is_valid():
        change = actions.add_pupil(check=found, typed=form.typed(), change=change, by=request.user)
        messages.success(request, f"{form.cleaned_data['name']}已记下，提交核对结果并入库后生效。")
        return _to_class(found, change=change.pk)
    context = _frame(request, found, roll) | {"form": form, "change": change, "opened_class": request.GET.get("class", "")}
    return render(request, "students/check_add.html", context)


@require_POST
def check_number(request: HttpRequest, check_id: UUID) -> HttpResponse:
    """What the number being typed says; it travels in the body, never in an address."""
    found = _found(request, check_id)
    kind, text = request.POST.get("document_kind", ""), request.POST.get("citizen_id", "").strip()
    verdict = None
    if text and kind in dict(PupilForm.base_fields["document_kind"].choices):
        roll, but = roll_of(found), request.POST.get("change", "")
        held = _held(found, roll)
        but = int(but) if but.isascii() and but.isdigit() else None
        verdict = judge_number(kind, text[:40], today=timezone.localdate(), held=held, but=but)
    return render(request, "students/_check_number.html", {"verdict": verdict})


@require_POST
def take_back_change(request: HttpRequest, check_id: UUID, change_id: int) -> HttpResponse:
    found = _found(request, check_id)
    change = get_object_or_404(RollChange, pk=change_id, check_of=found)
    back = _to_class(found, change=change.pk, enrolment=change.enrolment_id)

    def take_back() -> HttpResponse:
        actions.take_back(check=found, change=change, by=request.user)
        messages.success(request, "已撤回，恢复为系统登记的情况。" if change.enrolment_id else "已撤回新增的学生。")
        return back

    return _for_school(request, found, take_back)


@require_http_methods(["GET", "HEAD", "POST"])
def send_check(request: HttpRequest, check_id: UUID) -> HttpResponse:
    """The summary of what was entered, and 全部提交."""
    found = _found(request, check_id)
    if request.method == "POST":
        return _for_school(request, found, lambda: _send(request, found))
    roll = roll_of(found)
    changed = [pupil for pupil in (*roll.pupils, *roll.left) if pupil.change]
    audit.saw(request, [pupil.student for pupil in (*changed, *roll.leavers) if pupil.student])
    context = _frame(request, found, roll) | {
        "added": [pupil for pupil in changed if pupil.is_added],
        "left": roll.left,
        "edited": [pupil for pupil in changed if pupil.is_edited],
        "summary": roll.summary,
    }
    return render(request, "students/check_send.html", context)


def _send(request: HttpRequest, found: RollCheck) -> HttpResponse:
    roster = actions.send_check(check=found, by=request.user)
    audit.saw(request, list(Enrolment.objects.present().filter(school=found.school).values_list("student_id", flat=True)))
    return redirect(roster)


@require_POST
def give_up_check(request: HttpRequest, check_id: UUID) -> HttpResponse:
    found = _found(request, check_id)

    def give_up() -> HttpResponse:
        actions.give_up(check=found, by=request.user)
        messages.success(request, "已放弃这次核对，录入的变动已删除，没有改动任何学生信息。")
        return redirect("students:checks")

    return _for_school(request, found, give_up)


@require_POST
def reopen_check(request: HttpRequest, check_id: UUID) -> HttpResponse:
    found = _found(request, check_id)

    def reopen() -> HttpResponse:
        actions.reopen(check=found, by=request.user)
        return redirect(found)

    return _for_school(request, found, reopen)


def _for_school(request: HttpRequest, found: RollCheck, work: Callable[[], HttpResponse]) -> HttpResponse:
    """The page's work, done for those who check; a refusal is told on the page of the check, which tells its state."""
    try:
        if not may_check(request.user):
            raise NotApplicable("not_yours", NOT_YOURS)
        return work()
    except NotApplicable as error:
        if request.method == "POST":
            messages.error(request, error.message)
        return redirect(found)


def _found(request: HttpRequest, check_id: UUID) -> RollCheck:
    related = ("school__county", "term__school_year", "roster", "opened_by")
    return get_object_or_404(RollCheck.objects.visible_to(request.user).select_related(*related), pk=check_id)


def _frame(request: HttpRequest, found: RollCheck, roll: Roll) -> dict:
    may_edit = may_check(request.user) and found.state == RollCheck.State.OPEN
    return {"check": found, "roll": roll, "may_edit": may_edit, "may_check": may_check(request.user)}


def _class(roll: Roll, key: str) -> RollClass:
    if (one := roll.find(key)) is None:
        raise Http404
    return one


def _pupil(roll: Roll, enrolment: UUID) -> Pupil:
    everybody = (*roll.pupils, *roll.left, *roll.leavers)
    return next(pupil for pupil in everybody if pupil.enrolment == enrolment)


def _back(found: RollCheck, roll: Roll, pupil: Pupil) -> RollClass | None:
    return next((one for one in roll.classes if one.cohort == pupil.cohort), None)


def _to_class(found: RollCheck, *, enrolment: UUID | None = None, change: int | None = None) -> HttpResponse:
    """To the class in which the child stands now."""
    for one in roll_of(found).classes:
        for pupil in one.here + [pupil for pupil in one.pupils if pupil.has_left]:
            mine = pupil.change is not None and pupil.change.pk == change
            if mine or (enrolment and pupil.enrolment == enrolment):
                return redirect("students:check_class", found.pk, one.key)
    return redirect(found)


def _meanwhile(found: RollCheck) -> Roster | None:
    """A roll of the school that was applied, or undone, since the check began."""
    if found.state != RollCheck.State.OPEN:
        return None
    others = Roster.objects.filter(parts__school=found.school, parts__kind=Roster.Kind.ROLL).defer("problems", "tables")
    applied = others.filter(status=Roster.State.APPLIED, applied_at__gt=found.opened_at)
    undone = others.filter(status=Roster.State.UNDONE, undone_at__gt=found.opened_at)
    return applied.order_by("-applied_at").first() or undone.order_by("-undone_at").first()


def _held(found: RollCheck, roll: Roll) -> Held:
    here = Enrolment.objects.present().filter(school=found.school)

    def recorded(value: str) -> str | None:
        indexes = [secrecy.blind(value, field=field) for field in ("citizen_id", "document")]
        holders = Identifier.objects.filter(
            county=found.county_id, kind__in=["citizen_id", "document"], index__in=indexes, valid_to=None, derived=False
        )
        return holders.filter(person__in=here.values("student")).values_list("person__name", flat=True).first()

    return Held(recorded, roll)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None

