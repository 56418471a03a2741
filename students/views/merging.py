"""可能是同一人, 合并, 拆分 and what was done: each shows what will move before it moves, and can be taken back."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from bureau import audit, jobs
from bureau.lists import Choice, Listing, Order
from students import panels
from students.actions import merging
from students.actions.merging import NotMerged
from students.linkage.files import NOUNS, Chosen
from students.models import Duplicate, Merge, Student
from students.panels import Panel
from students.views import sides
from students.views.merging_forms import MergeForm, SplitForm, TakeBackForm
from students.views.searching import by_words

SEEK = "students.seek_duplicates"
MOST_FOUND = 20


class Duplicates(Listing):
    """The pairs in the order of their reasons, the strongest first."""

    unit = "对"
    size = 20
    orders = [Order("why", "先后", "id")]
    filters = [
        Choice("state", "状态", lambda rows, state: rows.filter(state=state), options=Duplicate.State.choices),
        Choice("why", "原因", lambda rows, why: rows.filter(why=why), options=Duplicate.Why.choices),
    ]  # fmt: skip


@require_safe
def duplicates(request: HttpRequest) -> HttpResponse:
    asked = request.GET.copy()
    asked.setdefault("state", Duplicate.State.PROPOSED)
    page = Duplicates(Duplicate.objects.visible_to(request.user), asked, account=request.user).page()
    files = _files(request, [key for row in page.rows for key in (row.first, row.second)])
    for row in page.rows:
        pair = (files.get(row.first), files.get(row.second))
        row.facts = sides.side_by_side(*pair, account=request.user)[:FIRST_FACTS] if all(pair) else []
        row.files = pair
    audit.saw(request, list(files.values()))
    return render(request, "students/duplicates.html", {"page": page})


FIRST_FACTS = 9  # name to guardian: what tells two children apart


def _files(request: HttpRequest, keys: list[UUID]) -> dict[UUID, Student]:
    visible = Student.objects.visible_to(request.user).filter(pk__in=keys)
    return {one.pk: one for one in visible.select_related("person", "hukou_township", "hukou_village")}


@require_POST
def seek_duplicates(request: HttpRequest) -> HttpResponse:
    county = request.user.county
    if county is None:
        raise Http404
    job = jobs.enqueue(SEEK, by=request.user, county=county)
    messages.info(request, "已开始查找，完成后列在这里。")
    return redirect("bureau:job", job.pk)


@require_POST
def decide_duplicate(request: HttpRequest, duplicate_id: int) -> HttpResponse:
    found = get_object_or_404(Duplicate.objects.visible_to(request.user), pk=duplicate_id)
    audit.saw(request, list(_files(request, [found.first, found.second]).values()))
    reason, answer = request.POST.get("reason", "").strip(), request.POST.get("answer", "")
    if answer not in ("no", "undecided") or not reason:
        messages.error(request, "请写明理由，下次遇到同样的情况时可以参考。")
        return redirect("students:duplicates")
    try:
        merging.decide(duplicate=found, answer=answer, reason=reason, by=request.user)
    except NotMerged as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, "已记录：不是同一人。" if answer == "no" else "已记录：暂不能认定。")
    return redirect("students:duplicates")


@require_http_methods(["GET", "HEAD", "POST"])
def merge_students(request: HttpRequest, student_id: UUID) -> HttpResponse:
    """`with` names the other file; without it the page asks for one. The file of the address is kept."""
    kept = _student(request, student_id)
    audit.saw(request, [kept])
    other = _other(request, kept)
    if other is None:
        return _choose_other(request, kept)
    audit.saw(request, [other])
    choices = [(number.pk, whose) for whose in (kept, other) for number in merging.numbers_in_force(whose)]
    form = MergeForm(request.POST or None, numbers=_told_numbers(choices, kept))
    if form.is_valid():
        try:
            done = merging.merge(kept=kept, other=other, by=request.user, **form.cleaned_data)
        except NotMerged as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, "两份档案已合并。看错了可以在这里撤销。")
            return redirect(done)
    context = {
        "student": kept, "other": other, "form": form, "facts": sides.side_by_side(kept, other, account=request.user),
        "conflicts": merging.conflicts(kept, other),
    }  # fmt: skip
    return render(request, "students/merge_students.html", context)


def _other(request: HttpRequest, kept: Student) -> Student | None:
    try:
        key = UUID(request.GET.get("with", ""))
    except ValueError:
        return None
    return _student(request, key) if key != kept.pk else None


def _choose_other(request: HttpRequest, kept: Student) -> HttpResponse:
    text = request.GET.get("q", "").strip()
    if text:
        others = by_words(Student.objects.visible_to(request.user), text).exclude(pk=kept.pk)
        found = list(others.select_related("person", "hukou_township").order_by("person__pinyin", "pk")[:MOST_FOUND])
    else:
        pairs = Duplicate.objects.visible_to(request.user).waiting()
        keys = [*pairs.filter(first=kept.pk).values_list("second", flat=True)]
        keys += pairs.filter(second=kept.pk).values_list("first", flat=True)
        found = list(_files(request, keys).values())
    audit.saw(request, found)
    return render(request, "students/merge_with.html", {"student": kept, "found": found, "text": text})


def _told_numbers(choices: list[tuple], kept: Student) -> list[tuple[str, str]]:
    if len({whose.pk for _, whose in choices}) < 2:
        return []
    return [(str(pk), f"{'左边' if whose.pk == kept.pk else '右边'}档案的号码") for pk, whose in choices]


@require_http_methods(["GET", "HEAD", "POST"])
def split_student(request: HttpRequest, student_id: UUID) -> HttpResponse:
    """First what goes to the new file, then, with everything on one page, the confirmation."""
    student = _student(request, student_id)
    audit.saw(request, [student])
    form = SplitForm(request.POST or None, student=student, account=request.user)
    confirmed = "confirm" in request.POST
    if form.is_valid() and confirmed:
        given = dict(form.cleaned_data)
        chosen = Chosen(**{kind: set(given.pop(kind)) for kind in form.kinds})
        try:
            done = merging.split(student=student, chosen=chosen, by=request.user, **given)
        except NotMerged as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, "已拆成两份档案。看错了可以在这里撤销。")
            return redirect(done)
    template = "students/split_confirm.html" if form.is_bound and form.is_valid() else "students/split_student.html"
    return render(request, template, {"student": student, "form": form})


@require_safe
def merge(request: HttpRequest, merge_id: UUID) -> HttpResponse:
    done = _merge(request, merge_id)
    return render(request, "students/merge.html", _told(request, done, TakeBackForm()))


@require_POST
def undo_merge(request: HttpRequest, merge_id: UUID) -> HttpResponse:
    done = _merge(request, merge_id)
    form = TakeBackForm(request.POST)
    if form.is_valid():
        try:
            merging.undo(done=done, reason=form.cleaned_data["reason"], by=request.user)
        except NotMerged as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, "已撤销，两份档案恢复原样。" if done.kind == Merge.Kind.MERGE else "已撤销，拆出的内容回到原档案。")
            return redirect(done)
    return render(request, "students/merge.html", _told(request, done, form))


def _told(request: HttpRequest, done: Merge, form) -> dict:
    files = _files(request, [done.kept, done.other])
    audit.saw(request, list(files.values()))
    return {
        "done": done,
        "kept": files.get(done.kept),
        "other": files.get(done.other),
        "moved": [(NOUNS[table], count) for table, count in done.counts.items() if table in NOUNS],
        "obstacles": [] if done.undone_at else merging.obstacles(done),
        "form": form,
    }


def merges_of(student: Student, account) -> dict | None:
    """The panel of a child's page: what was merged into this file, or taken out of it."""
    if not account.may("students.merge"):
        return None
    done = Merge.objects.visible_to(account).of(student.pk).select_related("done_by", "undone_by").order_by("-pk")
    return {"student": student, "merges": list(done)}


def plug_in() -> None:
    """Called once from `AppConfig.ready()`."""
    panels.register(Panel("merges", "合并、拆分", "students/_merges.html", merges_of))


def _student(request: HttpRequest, key: UUID) -> Student:
    visible = Student.objects.visible_to(request.user).select_related("person", "hukou_township", "hukou_village")
    return get_object_or_404(visible, pk=key)


def _merge(request: HttpRequest, key: UUID) -> Merge:
    return get_object_or_404(Merge.objects.visible_to(request.user).select_related("done_by", "undone_by", "county"), pk=key)
