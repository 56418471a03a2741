"""部门名单: what each office has sent, how fresh it is, how much of it we could link; and one list in detail."""

from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import HttpResponseClientRefresh

from bureau import audit
from students.actions import registers as register_actions
from students.desk import STALE_AFTER_DAYS, period
from students.forms import RegisterForm, SnapshotForm
from students.intake.known import REGISTERS, register_named
from students.intake.neighbours import neighbours
from students.models import Category, Entry, Register, Sighting, Snapshot
from students.views.entries import mark_grown_ups, not_students
from students.views.problems import Asked, grouped
from students.views.reading import reading_page

PAGE, RECENT = 50, 12
DIFFERENCES = {"added": "新增", "removed": "退出", "moved": "类别变动"}


@dataclass(frozen=True)
class Overview:
    """One register as its panel tells it. Shares are of the rows listed today that may be students."""

    register: Register
    newest: Snapshot | None
    listed: int
    linked: int
    proposed: int
    unlinked: int
    grown_up: int
    age_days: int | None

    @property
    def coverage(self) -> int:
        children = self.listed - self.grown_up
        return self.linked * 100 // children if children else 0

    @property
    def is_stale(self) -> bool:
        return self.age_days is not None and self.age_days > STALE_AFTER_DAYS

    @property
    def issue(self) -> str:
        return period(self.newest.as_of) if self.newest else ""


@require_safe
def registers(request: HttpRequest) -> HttpResponse:
    today = timezone.localdate()
    snapshots = Snapshot.objects.visible_to(request.user)
    recent = snapshots.select_related("register", "township", "received_by").order_by("-id")
    overviews = _overviews(request, today)
    context = {
        "overviews": overviews,
        "awaited": [overview for overview in overviews if overview.newest is None],
        "recent": recent.defer("problems", "tables")[:RECENT],
        "today": today,
        "may_import": request.user.may("registers.import"),
    }
    return render(request, "students/registers.html", context)


def all_registers(counties: frozenset[UUID]) -> list[Register]:
    """The lists every county gets; those never received yet are not stored and have no key."""
    known = {register.name: register for register in Register.objects.filter(county__in=counties)}
    expected = [
        known.pop(name, None) or Register(name=name, title=title, office=office)
        for name, (title, office, _) in REGISTERS.items()
    ]
    return expected + list(known.values())


def _overviews(request: HttpRequest, today) -> list[Overview]:
    state, grown_up = Entry.LinkState, not_students(today)
    counted = (
        Entry.objects.visible_to(request.user)
        .covering(today)
        .order_by()
        .values("register_id")
        .annotate(
            listed=Count("id"),
            linked=Count("id", filter=Q(link_state=state.LINKED)),
            proposed=Count("id", filter=Q(link_state=state.PROPOSED)),
            unlinked=Count("id", filter=Q(link_state=state.UNLINKED) & ~grown_up),
            grown_up=Count("id", filter=grown_up),
        )
    )
    counts = {row.pop("register_id"): row for row in counted}
    nothing = {"listed": 0, "linked": 0, "proposed": 0, "unlinked": 0, "grown_up": 0}
    closed = Snapshot.objects.visible_to(request.user).closed().order_by("as_of", "id")
    newest = {snapshot.register_id: snapshot for snapshot in closed.defer("problems", "tables")}
    return [
        Overview(
            register=register,
            newest=newest.get(register.pk),
            age_days=(today - newest[register.pk].as_of).days if register.pk in newest else None,
            **counts.get(register.pk, nothing),
        )
        for register in all_registers(request.user.scope.counties)
    ]


@require_http_methods(["GET", "HEAD", "POST"])
def upload_register(request: HttpRequest) -> HttpResponse:
    form = SnapshotForm(
        request.POST or None,
        request.FILES or None,
        account=request.user,
        today=timezone.localdate(),
        initial={"register": request.GET.get("register", "")},
    )
    if form.is_valid():
        given, county = form.cleaned_data, request.user.county
        snapshot = register_actions.receive_snapshot(
            file=Path(given["file"].temporary_file_path()),
            file_name=given["file"].name,
            register=register_named(county, given["register"]),
            as_of=given["as_of"],
            county=county,
            township=given["township"],
            partial=given["partial"],
            received_from=given["received_from"],
            by=request.user,
        )
        return redirect(snapshot)
    return render(request, "students/upload_register.html", {"form": form})


@require_safe
def snapshot(request: HttpRequest, snapshot_id: UUID) -> HttpResponse:
    """Reading, refused, or what the list holds and how it differs from the one before it."""
    visible = Snapshot.objects.visible_to(request.user).select_related(
        "register", "township", "county", "job", "received_by"
    )
    found = get_object_or_404(visible, pk=snapshot_id)
    context = {"snapshot": found, "issue": period(found.as_of)}
    if found.state == Snapshot.State.READING:
        again = reverse("students:read_snapshot", args=[found.pk])
        return reading_page(request, "students/snapshot_reading.html", context, job=found.job, again=again)
    if request.htmx.target == "reading":
        return HttpResponseClientRefresh()
    earlier, _ = neighbours(found)
    show = request.GET.get("show", "")
    show = show if show in DIFFERENCES else "added"
    seen = Entry.objects.visible_to(request.user).filter(register=found.register)
    rows, after = _difference(request, DIFFERS[show](seen, found, earlier))
    audit.saw(request, [entry.person_id for entry in rows if entry.person_id and entry.is_student])
    context |= {
        "may_import": request.user.may("registers.import"),
        "earlier": earlier,
        "earlier_issue": period(earlier.as_of) if earlier else "",
        "problems": grouped(found.problems, Asked.of(request.GET)),
        # Counts are the whole list's; a township reads only its own people, and not what is wrong with others' rows.
        "sees_all": request.user.scope.whole_county or found.township_id is not None,
        "show": show,
        "tabs": [
            (code, title, getattr(found, code) if code != "moved" else _moved(seen, found, earlier).count())
            for code, title in DIFFERENCES.items()
        ],
        "rows": rows,
        "after": after,
    }
    if request.htmx and request.htmx.target in ("difference", "problems"):
        return render(request, f"students/_snapshot_{request.htmx.target}.html", context)
    return render(request, "students/snapshot.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def edit_register(request: HttpRequest, register_id: int | None = None) -> HttpResponse:
    """Add a list of the county's own, or change one. The usual lists are what they are."""
    if not request.user.scope.whole_county:
        raise PermissionDenied
    own = Register.objects.filter(county__in=request.user.scope.counties, kept_by_officer=True)
    found = get_object_or_404(own, pk=register_id) if register_id else None
    form = RegisterForm(request.POST or None, county=request.user.county, register=found)
    if form.is_valid():
        saved = register_actions.save_register(
            register=found, county=request.user.county, by=request.user, **form.cleaned_data
        )
        messages.success(request, f"已保存“{saved}”。现在可以导入它的名单。")
        return redirect(f"{reverse('students:upload_register')}?register={saved.name}")
    return render(request, "students/edit_register.html", {"form": form, "register": found})


@require_POST
def confirm_snapshot(request: HttpRequest, snapshot_id: UUID) -> HttpResponse:
    found = get_object_or_404(Snapshot.objects.visible_to(request.user), pk=snapshot_id)
    register_actions.confirm_snapshot(snapshot=found, by=request.user)
    return redirect(found)


@require_POST
def drop_snapshot(request: HttpRequest, snapshot_id: UUID) -> HttpResponse:
    found = get_object_or_404(Snapshot.objects.visible_to(request.user), pk=snapshot_id)
    register_actions.drop_snapshot(snapshot=found, by=request.user)
    messages.success(request, "已不采用，原来的名单没有改动。")
    return redirect(found)


def _shown_by(snapshot: Snapshot) -> Exists:
    return Exists(Sighting.objects.filter(snapshot=snapshot, entry=OuterRef("pk")))


def _difference(request: HttpRequest, rows: QuerySet) -> tuple[list[Entry], str]:
    """Fifty of them from `after`, and where the next fifty begin."""
    after = request.GET.get("after", "")
    if after.isdigit() and len(after) < 19:
        rows = rows.filter(pk__gt=int(after))
    rows = rows.select_related("township", "village", "person__student").order_by("pk")
    page, names = list(rows[: PAGE + 1]), dict(Category.choices)
    mark_grown_ups(page, timezone.localdate())
    for entry in page:
        entry.is_student = bool(entry.person and hasattr(entry.person, "student"))
        entry.category_was = names.get(getattr(entry, "category_before", ""), "")
    return page[:PAGE], str(page[PAGE - 1].pk) if len(page) > PAGE else ""


def _same_person_on(snapshot: Snapshot) -> Exists:
    """Another stay of the same person stands on `snapshot`: a change of category ends one stay and begins another."""
    twin = Entry.objects.filter(register=OuterRef("register"), recognised_by=OuterRef("recognised_by"))
    return Exists(twin.filter(Exists(Sighting.objects.filter(snapshot=snapshot, entry=OuterRef("pk")))))


def _added(entries: QuerySet, snapshot: Snapshot, earlier: Snapshot | None) -> QuerySet:
    here = entries.filter(_shown_by(snapshot))
    return here.filter(~_shown_by(earlier), ~_same_person_on(earlier)) if earlier else here


def _removed(entries: QuerySet, snapshot: Snapshot, earlier: Snapshot | None) -> QuerySet:
    if earlier is None or snapshot.partial:
        return entries.none()
    gone = entries.filter(_shown_by(earlier), ~_shown_by(snapshot), ~_same_person_on(snapshot))
    return gone.filter(scope_township=snapshot.township) if snapshot.township_id else gone


def _moved(entries: QuerySet, snapshot: Snapshot, earlier: Snapshot | None) -> QuerySet:
    if earlier is None:
        return entries.none()
    before = Entry.objects.filter(register=OuterRef("register"), recognised_by=OuterRef("recognised_by"))
    before = before.filter(Exists(Sighting.objects.filter(snapshot=earlier, entry=OuterRef("pk"))))
    here = entries.filter(_shown_by(snapshot), ~_shown_by(earlier), _same_person_on(earlier))
    return here.annotate(category_before=Subquery(before.values("category")[:1]))


# People this list shows and the one before did not, the other way round, or in another category than before.
DIFFERS = {"added": _added, "removed": _removed, "moved": _moved}
