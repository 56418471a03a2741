"""核查名单: which villages have questions, the sheet on paper, and keying in what came back."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import groupby

import segno
from django import forms
from django.contrib import messages
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from bureau import audit
from bureau.access.models import Account
from bureau.forms import OfficeForm
from bureau.organisation.models import Township, Village
from students.actions import fieldwork
from students.models import Discrepancy, FieldLine, FieldSheet
from students.models.papers import number_of
from students.rules import RULES
from students.views.discrepancies import children_of, told, with_children

RECENT = 20
Answer = FieldLine.Answer
BRIEFLY = {"R01": "不在校", "R05": "在籍不在校", "R08": "脱贫监测户未找到", "R13": "残疾未安置", "R32": "异动无佐证"}


class PaperForm(OfficeForm):
    """Which village is printed: one of a township in sight, or the children of that township without a known village."""

    township = forms.ModelChoiceField(queryset=Township.objects.none())
    village = forms.ModelChoiceField(queryset=Village.objects.none(), required=False)
    rule = forms.ChoiceField(required=False)

    def __init__(self, *args, account: Account, **kwargs):
        super().__init__(*args, **kwargs)
        own = townships_of(account)
        self.fields["township"].queryset = own
        self.fields["village"].queryset = Village.objects.filter(township__in=own)
        self.fields["rule"].choices = [("", ""), *((code, code) for code in fieldwork.rules_for_paper())]

    def clean(self):
        cleaned = super().clean()
        village = cleaned.get("village")
        if village and village.township != cleaned.get("township"):
            self.add_error("village", "这个村不属于所选乡镇。")
        return cleaned


def townships_of(account: Account):
    """Where the account may send paper: its own townships, or all of the county."""
    own = Township.objects.visible_to(account)
    return own if account.scope.whole_county else own.filter(pk__in=account.scope.townships)


@dataclass(frozen=True)
class Waiting:
    """A village (None: not known) with questions nobody has answered."""

    township: Township
    village: Village | None
    count: int


@dataclass
class Child:
    """One line of a sheet: a child with the questions about him."""

    position: int
    lines: list[FieldLine]
    answer: str = ""
    note: str = ""
    fault: str = ""
    questions: list[Discrepancy] = field(default_factory=list)

    @property
    def why(self) -> str:
        """What is asked about him, in the few words a narrow column holds."""
        return "；".join(BRIEFLY.get(question.rule, question.rule_title) for question in self.questions)

    @property
    def keyed(self) -> FieldLine | None:
        return next((line for line in self.lines if line.answer), None)

    @property
    def settled(self) -> str:
        """Why there is nothing to key in: every question was settled, or has come back anew since it was printed."""
        waiting = [q for line, q in zip(self.lines, self.questions, strict=True) if _waits(line, q)]
        if waiting:
            return ""
        anew = any(q.occurrence != line.occurrence for line, q in zip(self.lines, self.questions, strict=True))
        return "打印以后重新列出过，见新的名单" if anew else f"已办理（{self.questions[0].get_state_display()}）"


def _waits(line: FieldLine, question: Discrepancy) -> bool:
    return question.state in Discrepancy.WAITING and question.occurrence == line.occurrence


@require_safe
def field_sheets(request: HttpRequest) -> HttpResponse:
    """A serial typed or scanned leads to its sheet; else the villages and the sheets printed last."""
    serial = request.GET.get("serial", "").strip()
    if serial:
        number = number_of(serial)
        sheet = FieldSheet.objects.visible_to(request.user).filter(pk=number).first() if number else None
        if sheet:
            return redirect("students:key_sheet", sheet.pk)
        messages.error(request, "没有这个编号的核查名单。请看纸上二维码下面的编号，HC 开头，后面八位数字。")
        return redirect("students:field_sheets")
    rule = request.GET.get("rule", "")
    rule = rule if rule in fieldwork.rules_for_paper() else ""
    sheets = FieldSheet.objects.visible_to(request.user).select_related("township", "village", "printed_by")
    children = Count("lines__position", distinct=True)
    keyed = Count("lines__position", distinct=True, filter=~Q(lines__answer=""))
    context = {
        "waiting": _waiting(request.user, rule),
        "rules": [(code, RULES[code].title) for code in fieldwork.rules_for_paper()],
        "rule": rule,
        "sheets": sheets.annotate(children=children, keyed=keyed).order_by("-pk")[:RECENT],
    }
    return render(request, "students/field_sheets.html", context)


def _waiting(account: Account, rule: str) -> list[Waiting]:
    found = fieldwork.waiting_in_villages(account)
    if rule:
        found = found.filter(rule=rule)
    townships = {township.pk: township for township in townships_of(account)}
    villages = {village.pk: village for village in Village.objects.filter(township__in=townships)}
    counts: dict[tuple, int] = {}
    for at, township, count in found.order_by().values_list("at", "township").annotate(count=Count("pk")):
        village = villages.get(at)
        place = village.township_id if village else township
        if place in townships and (village or at is None):
            counts[place, at] = counts.get((place, at), 0) + count
    order = {pk: place for place, pk in enumerate(townships)}
    return [
        Waiting(townships[place], villages.get(at), count)
        for (place, at), count in sorted(counts.items(), key=lambda one: (order[one[0][0]], villages[one[0][1]].code if one[0][1] else "~"))
    ]  # fmt: skip


@require_POST
def print_sheet(request: HttpRequest) -> HttpResponse:
    form = PaperForm(request.POST, account=request.user)
    if not form.is_valid():
        messages.error(request, "请在列表里选一个村再打印。")
        return redirect("students:field_sheets")
    try:
        sheet = fieldwork.print_sheet(**form.cleaned_data, by=request.user)
    except fieldwork.NotPrinted as nothing:
        messages.info(request, nothing.message)
        return redirect("students:field_sheets")
    return redirect(sheet)


@require_safe
def field_sheet(request: HttpRequest, sheet_id: int) -> HttpResponse:
    """The sheet as it goes to the village: names, months and households, never a number of a person."""
    sheet = _sheet(request, sheet_id)
    children = children_on(sheet, request.user)
    audit.saw(request, _students(children))
    context = {
        "sheet": sheet,
        "children": children,
        "answers": list(enumerate(Answer.labels, 1)),
        "qr": qr_of(sheet.serial),
        "title": RULES[sheet.rule].title if sheet.rule in RULES else "",
    }
    return render(request, "students/field_sheet.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def key_sheet(request: HttpRequest, sheet_id: int) -> HttpResponse:
    """The grid: line by line as on the paper; lines left blank may be keyed in another day."""
    sheet = _sheet(request, sheet_id)
    children = children_on(sheet, request.user)
    faults = False
    if request.method == "POST":
        ticked, faults = _read(request, children)
        if not faults:
            keyed = fieldwork.key_in(sheet=sheet, ticked=ticked, by=request.user)
            messages.success(request, _told(keyed, left=sum(1 for c in children if not c.keyed and not c.settled) - len(ticked)))
            return redirect(reverse("students:key_sheet", args=[sheet.pk]))
    audit.saw(request, _students(children))
    context = {
        "sheet": sheet,
        "children": children,
        "answers": [(value, f"{n} {label}") for n, (value, label) in enumerate(Answer.choices, 1)],
        "waiting": sum(1 for child in children if not child.keyed and not child.settled),
    }
    return render(request, "students/key_sheet.html", context, status=400 if faults else 200)


def _read(request: HttpRequest, children: list[Child]) -> tuple[dict[int, fieldwork.Ticked], bool]:
    """What was keyed in, by line; what cannot be so stands in the child's `fault`."""
    ticked, faults = {}, False
    for child in children:
        child.answer = request.POST.get(f"answer_{child.position}", "")
        child.note = request.POST.get(f"note_{child.position}", "").strip()
        if child.answer and child.answer not in Answer.values:
            child.fault = "请从列表里选核查结果。"
        elif child.note and not child.answer and not child.keyed:
            child.fault = "写了说明，还没有选核查结果。"
        elif len(child.note) > 200:
            child.fault = "说明不能超过 200 字。"
        elif child.answer:
            ticked[child.position] = fieldwork.Ticked(child.answer, child.note)
        faults = faults or bool(child.fault)
    return ticked, faults


def _told(keyed: fieldwork.Keyed, *, left: int) -> str:
    parts = [f"登记去向 {keyed.recorded} 件", f"答复 {keyed.explained} 件"]
    if keyed.settled_before:
        parts.append(f"录入前已办理、没有改动的 {keyed.settled_before} 件")
    if keyed.known:
        parts.append(f"以前录入过、没有改动的 {keyed.known} 行")
    rest = f"还有 {left} 行没有录入。" if left > 0 else "这张名单已全部录入。"
    return f"已录入：{'，'.join(parts)}。{rest}"


def children_on(sheet: FieldSheet, account: Account) -> list[Child]:
    """The lines of the sheet whose questions the account may still see."""
    seen = Discrepancy.objects.visible_to(account).filter(field_lines__sheet=sheet)
    lines = sheet.lines.filter(discrepancy__in=seen.values("pk")).select_related("keyed_by").order_by("position", "pk")
    questions = with_children(seen)
    by_key = {question.pk: question for question in told(list(questions))}
    found = []
    for position, group in groupby(lines, key=lambda line: line.position):
        own = list(group)
        found.append(Child(position, own, questions=[by_key[line.discrepancy_id] for line in own]))
    return found


def _students(children: Iterable[Child]) -> list:
    return children_of([question for child in children for question in child.questions])


def _sheet(request: HttpRequest, key: int) -> FieldSheet:
    visible = FieldSheet.objects.visible_to(request.user).select_related("county", "township", "village", "printed_by")
    return get_object_or_404(visible, pk=key)


def qr_of(text: str) -> SafeString:
    """The serial as a QR code, inline SVG: what a hand scanner types into the field for the serial."""
    return mark_safe(segno.make(text, error="m", micro=False).svg_inline(border=2, omitsize=True))  # our own digits, drawn by the library
