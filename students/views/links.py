"""身份匹配: proposals side by side; a person says yes, no, or not yet, one by one or for many that are alike."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.contrib import messages
from django.db.models import Count, Max, Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from bureau import audit
from students.actions import linking
from students.desk import period
from students.forms import LinkAnswerForm
from students.models import Enrolment, Guardianship, Link, Membership, Register, Sighting
from students.models.people import Person

PAGE = 10
AT_ONCE = 50
# What the linker found (Link.evidence), in words; numbers themselves are never shown here.
FIELDS = {
    "name": "姓名",
    "number": "证件号码",
    "birth": "出生日期",
    "sex": "性别",
    "household": "户编号",
    "guardian": "监护人证件号码",
    "embedded": "学籍号（残疾人证）中的证件号码",
    "village": "户籍村",
    "township": "户籍乡镇",
    "head": "户主（监护人）姓名",
}
LIKENESS = {
    "damaged": "疑似生僻字丢失",
    "homophone": "同音不同字",
    "near": "相近",
    "surname": "只有姓相同",
    "swapped": "月日颠倒",
    "different": "不同",
}
NUMBER_SIDES = ("（不显示）", "（不显示）")
NUMBER_NOTES = {
    "one_off": "只差一位或两位颠倒",
    "truncated": "末几位丢失",
    "cut": "只有前 14 位相同",
    "damaged": "有残缺，部分相同",
    "beside": "两个都是有效号码，只差一位",
    "anothers": "不同，名单上的号码登记在另一个人名下",
    "different": "不同",
}
STRENGTHS = ((95, "几乎可以肯定"), (80, "很像"), (70, "比较像"), (0, "有些像"))


@dataclass(frozen=True)
class Compared:
    """One fact on both sides. `agrees` is None where one side does not know it."""

    label: str
    listed: str
    known: str
    agrees: bool | None
    note: str = ""


@dataclass(frozen=True)
class Proposal:
    """`rank` of `among`: a row may propose several children, the likeliest first."""

    link: Link
    facts: list[Compared]
    rank: int = 1
    among: int = 1

    @property
    def strength(self) -> str:
        return next(words for least, words in STRENGTHS if self.link.score >= least)

    @property
    def explained(self) -> str:
        return in_words(self.link.evidence)

    @property
    def shown_by(self) -> str:
        """The newest list that shows the row, and where."""
        seen = max(self.link.entry.seen, key=lambda one: (one.snapshot.as_of, one.pk), default=None)
        return f"{period(seen.snapshot.as_of)}名单第 {seen.row} 行" if seen else ""


@dataclass(frozen=True)
class Group:
    """Proposals of one list in which everything is the same but for one thing."""

    register: Register
    differs: str
    count: int

    @property
    def words(self) -> str:
        return f"其余都一致，{differs_in_words(self.differs)}"

    @property
    def url(self) -> str:
        return f"{reverse('students:bulk_links')}?{urlencode({'register': self.register.name, 'differs': self.differs})}"


def in_words(evidence: dict[str, str]) -> str:
    """Which fields agree, and how the others do not: 相同：姓名、出生日期；证件号码只差一位。"""
    same = [FIELDS[kind] for kind, how in evidence.items() if how == "same" and kind in FIELDS]
    other = [_deviation(kind, how) for kind, how in evidence.items() if how != "same" and kind in FIELDS]
    return "；".join(filter(None, [f"相同：{'、'.join(same)}" if same else "", *other])) + "。"


def differs_in_words(differs: str) -> str:
    kind, _, how = differs.partition(":")
    return _deviation(kind, how) if kind in FIELDS else ""


def _deviation(kind: str, how: str) -> str:
    notes = NUMBER_NOTES if kind == "number" else LIKENESS
    return f"{FIELDS[kind]}{notes.get(how, '不同')}"


@require_safe
def links(request: HttpRequest) -> HttpResponse:
    """The likeliest rows first, each with all its candidates; those put off (暂不能认定) have a list of their own."""
    state = request.GET.get("state", "")
    state = state if state in (Link.State.PROPOSED, Link.State.UNDECIDED) else Link.State.PROPOSED
    every = Link.objects.visible_to(request.user)
    waiting = every.filter(status=state)
    counts = dict(waiting.order_by().values_list("entry__register").annotate(Count("entry", distinct=True)))
    register = request.GET.get("register", "")
    if register:
        waiting = waiting.filter(entry__register__name=register)
    shown = _best_rows(waiting)
    audit.saw(request, _students(shown))
    registers = Register.objects.filter(county__in=request.user.scope.counties).order_by("id")
    return render(
        request,
        "students/links.html",
        {
            "proposals": shown,
            "total": waiting.order_by().values("entry").distinct().count(),
            "state": state,
            "register": register,
            "tiles": [(one, counts.get(one.pk, 0)) for one in registers if counts.get(one.pk) or one.name == register],
            "put_off": every.filter(status=Link.State.UNDECIDED).count(),
            "groups": _groups(every, register) if state == Link.State.PROPOSED else [],
            "form": LinkAnswerForm(),
        },
    )


def _best_rows(waiting: QuerySet[Link]) -> list[Proposal]:
    best = waiting.order_by().values_list("entry").annotate(best=Max("score")).order_by("-best", "entry")[:PAGE]
    order = {entry: place for place, (entry, _) in enumerate(best)}
    of_row: dict[int, list[Link]] = {}
    for link in _with_both_sides(waiting.filter(entry__in=order).order_by("-score", "id")):
        of_row.setdefault(link.entry_id, []).append(link)
    return [
        proposal_of(link, rank=rank, among=len(of_row[entry]))
        for entry in sorted(of_row, key=order.__getitem__)
        for rank, link in enumerate(of_row[entry], 1)
    ]


def _groups(every: QuerySet[Link], register: str) -> list[Group]:
    """Kinds of proposals worth one look together, the most first."""
    alike = every.one_apart()
    if register:
        alike = alike.filter(entry__register__name=register)
    counted = alike.order_by().values_list("entry__register", "differs").annotate(count=Count("pk")).filter(count__gt=1)
    registers = Register.objects.in_bulk({key for key, *_ in counted})
    groups = [Group(registers[key], differs, count) for key, differs, count in counted]
    return sorted(groups, key=lambda group: (-group.count, group.register.pk, group.differs))


@require_POST
def decide_link(request: HttpRequest, link_id: int) -> HttpResponse:
    """Answers one proposal. htmx gets the card back with the answer on it, or with what is missing."""
    link = get_object_or_404(_with_both_sides(Link.objects.visible_to(request.user)), pk=link_id)
    form = LinkAnswerForm(request.POST)
    audit.saw(request, _students([proposal_of(link)]))
    if form.is_valid():
        linking.decide(link=link, by=request.user, **form.cleaned_data)
        link.refresh_from_db(fields=["status", "reason"])
    if request.htmx:
        context = {"proposal": proposal_of(link), "form": form, "decided": form.is_valid()}
        return render(request, "students/_proposal.html", context)
    if not form.is_valid():
        context = {"proposals": [proposal_of(link)], "total": 1, "put_off": 0, "form": form, "state": link.status}
        return render(request, "students/links.html", context)
    messages.success(request, f"已记录：{link.get_status_display()}。")
    return redirect(reverse("students:links"))


@require_http_methods(["GET", "HEAD", "POST"])
def bulk_links(request: HttpRequest) -> HttpResponse:
    """A group in which all agrees but one thing: seen as one table, the ticked ones answered together."""
    asked = request.POST if request.method == "POST" else request.GET
    register, differs = asked.get("register", ""), asked.get("differs", "")
    alike = Link.objects.visible_to(request.user).one_apart()
    group = alike.filter(entry__register__name=register, differs=differs) if differs_in_words(differs) else alike.none()
    form = LinkAnswerForm(request.POST or None)
    if form.is_valid():
        ticked = [key for key in request.POST.getlist("ids") if key.isascii() and key.isdigit()][:AT_ONCE]
        decided = linking.decide_many(links=list(group.filter(pk__in=ticked)), by=request.user, **form.cleaned_data)
        messages.success(request, f"已记录 {decided} 件。") if decided else messages.info(request, "没有勾选，或都已认定过。")
        query = urlencode({"register": register, "differs": differs})
        return redirect(f"{reverse('students:bulk_links')}?{query}" if group.exists() else reverse("students:links"))
    shown = [proposal_of(link) for link in _with_both_sides(group.order_by("-score", "id"))[:AT_ONCE]]
    audit.saw(request, _students(shown))
    context = {
        "proposals": shown, "total": group.count(), "differs": differs, "words": differs_in_words(differs),
        "register": Register.objects.filter(county__in=request.user.scope.counties, name=register).first(), "form": form,
    }  # fmt: skip
    return render(request, "students/links_bulk.html", context)


def _with_both_sides(waiting: QuerySet[Link]) -> QuerySet[Link]:
    enrolments = Enrolment.objects.filter(ended_on=None).select_related("school")
    return waiting.select_related(
        "entry__register", "entry__township", "entry__village", "entry__school",
        "person__student__hukou_township", "person__student__hukou_village",
    ).prefetch_related(
        Prefetch("person__student__enrolments", enrolments, to_attr="current"),
        Prefetch("person__student__guardianships", Guardianship.objects.order_by("id"), to_attr="guardians"),
        Prefetch("person__memberships", Membership.objects.select_related("household"), to_attr="households"),
        Prefetch("entry__sightings", Sighting.objects.select_related("snapshot"), to_attr="seen"),
    )  # fmt: skip


def proposal_of(link: Link, *, rank: int = 1, among: int = 1) -> Proposal:
    """What each side says, fact by fact."""
    entry, person = link.entry, link.person
    student = getattr(person, "student", None)
    village = str(student.hukou_village or student.hukou_township or "") if student else ""
    school = "、".join(str(e.school or e.outside_school) for e in student.current) if student else ""
    heads = [m.household.head_name for m in person.households if m.household.head_name]
    guardians = [guardian.name for guardian in student.guardians] if student else []
    family = list(dict.fromkeys([*guardians, *heads]))
    how = link.evidence
    family_agrees = _same_family(entry.head_name, family, how)
    facts = [
        Compared("姓名", entry.name, person.name, how.get("name") == "same", LIKENESS.get(how.get("name"), "")),
        Compared("证件号码", *NUMBER_SIDES, _agrees(how.get("number")), NUMBER_NOTES.get(how.get("number"), "")),
        _compared("出生日期", _day(entry.birth_on), _day(person.birth_on), LIKENESS.get(how.get("birth"), "")),
        _compared("性别", dict(Person.Sex.choices).get(entry.sex, ""), person.get_sex_display()),
        _compared("户籍", str(entry.village or entry.township or ""), village),
        Compared("户主、监护人", entry.head_name, "、".join(family), family_agrees),
        _compared("学校", str(entry.school or ""), school),
    ]
    if "embedded" in how:
        facts.append(Compared(FIELDS["embedded"], *NUMBER_SIDES, True))
    said = [fact for fact in facts if fact.listed or fact.known]
    return Proposal(link, said, rank, among)


def _same_family(head: str, family: list[str], how: dict[str, str]) -> bool | None:
    """The linker may know that household or guardian are the same by their numbers, which are not shown."""
    if how.get("household") == "same" or how.get("guardian") == "same":
        return True
    return head in family if head and family else None


def _agrees(likeness: str | None) -> bool | None:
    return None if likeness is None else likeness == "same"


def _compared(label: str, listed: str, known: str, note: str = "") -> Compared:
    return Compared(label, listed, known, listed == known if listed and known else None, note)


def _day(day) -> str:
    return f"{day.year}年{day.month}月{day.day}日" if day else ""


def _students(proposals: Iterable[Proposal]) -> list[UUID]:
    return [p.link.person_id for p in proposals if hasattr(p.link.person, "student")]
