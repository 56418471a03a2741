"""What a school types while it checks its roll: where a child is now, and a child who came."""

from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from bureau.forms import DateField, OfficeForm
from bureau.identity import Fault, clean_name, parse_document, parse_phone
from bureau.identity.codes import DOCUMENT_KINDS
from bureau.identity.documents import HELD_AS_CITIZEN_ID
from bureau.organisation.models import Stage
from bureau.sheets.grades import GRADES, MIXED, ClassName
from bureau.sheets.kinds import Moment
from students.intake.checkroll import Pupil, Roll, RollClass
from students.models import RollCheck
from students.models.schooling import STAGE_OF_LETTER, entry_year, grade_in

BOARDING = [("", "未登记"), ("no", "走读"), ("yes", "住校")]
STATES = ("在籍", "借读", "随班就读", "休学")
SEXES = [("", "请选择"), ("1", "男"), ("2", "女")]
CITIZEN_ID = "1"


def grades_of(stages: list[str], also: str = "") -> list[tuple[str, str]]:
    """The grades a school of these stages has; all of them where its stages are not known."""
    letters = {letter for letter, stage in STAGE_OF_LETTER.items() if stage in stages}
    if Stage.SPECIAL in stages:
        letters |= {"P", "J"}
    chosen = letters or set(STAGE_OF_LETTER)
    known = [(code, name) for code, name in GRADES.items() if code[0] in chosen]
    return known if not also or also in dict(known) else [*known, (also, GRADES[also])]


class PlaceForm(OfficeForm):
    """Grade, class, boarding and state of one child. A typed class is read as a cell of a roll is."""

    grade = forms.ChoiceField(label="年级", error_messages={"required": "请选择年级。"})
    class_name = forms.CharField(
        label="班级",
        max_length=30,
        help_text="例如：1班",
        error_messages={"required": "请填写班级。"},
        widget=forms.TextInput(attrs={"list": "classes", "autocomplete": "off"}),
    )
    boarding = forms.ChoiceField(label="住校", choices=BOARDING, required=False)
    state = forms.ChoiceField(label="学籍状态", required=False)

    def __init__(self, *args, check: RollCheck, roll: Roll, today: date, **kwargs):
        super().__init__(*args, **kwargs)
        self.school_year, self.today, self.roll = check.term.school_year.starts_in, today, roll
        self.fields["grade"].choices = [("", "请选择"), *grades_of(check.school.stages, self.initial.get("grade", ""))]
        given = self.initial.get("state", "")
        states = [*STATES, given] if given and given not in STATES else STATES
        self.fields["state"].choices = [("", "未登记"), *((state, state) for state in states)]
        self.classes = sorted({one.class_name for one in roll.classes if one.class_name})

    @staticmethod
    def initial_of(pupil: Pupil | RollClass, school_year: int) -> dict[str, Any]:
        code = MIXED if pupil.stage == Stage.PRESCHOOL else ""
        if pupil.stage and pupil.entered_in:
            code = grade_in(school_year, stage=pupil.stage, entered_in=pupil.entered_in)
        boarding = {True: "yes", False: "no"}.get(getattr(pupil, "boarding", None), "")
        return {
            "grade": code if code in GRADES else "",
            "class_name": pupil.class_name,
            "boarding": boarding,
            "state": getattr(pupil, "state", ""),
        }

    def clean_class_name(self) -> str:
        try:
            found = ClassName().cell(self.cleaned_data["class_name"], Moment(self.today))
        except Fault as fault:
            raise ValidationError(fault.message, code=fault.code) from fault
        grade = self.cleaned_data.get("grade")
        if found.grade in GRADES and grade and found.grade != grade:
            raise ValidationError("班级里写的年级与所选年级不一致，请核对。", code="other_grade")
        return found.text

    def place(self) -> dict[str, Any]:
        """The columns of an enrolment."""
        given = self.cleaned_data
        grade = given["grade"]
        return {
            "stage": STAGE_OF_LETTER[grade[0]].value,
            "entered_in": entry_year(grade, self.school_year) or 0,
            "class_name": given["class_name"],
            "boarding": {"yes": True, "no": False}.get(given["boarding"]),
            "state": given["state"],
        }


class PupilForm(PlaceForm):
    """A child who came: what a roll needs. Without a number he is admitted until it is brought (先入册、证件待补)."""

    name = forms.CharField(
        label="姓名", max_length=60, error_messages={"required": "请填写姓名。"}, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    document_kind = forms.ChoiceField(label="证件类型", choices=DOCUMENT_KINDS.items(), initial=CITIZEN_ID)
    citizen_id = forms.CharField(
        label="证件号码",
        max_length=40,
        required=False,
        help_text="18 位身份证号，边填边检查。",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    without_number = forms.BooleanField(label="暂时没有证件，先入册、证件待补", required=False)
    sex = forms.ChoiceField(label="性别", choices=SEXES, required=False)
    birth_on = DateField(label="出生日期", required=False, help_text="有身份证号的不用填。")
    guardian_name = forms.CharField(label="监护人姓名", max_length=60, required=False)
    guardian_relation = forms.CharField(label="与学生关系", max_length=20, required=False, help_text="例如：父亲、母亲、祖父")
    phone = forms.CharField(label="联系电话", max_length=20, required=False, widget=forms.TextInput(attrs={"inputmode": "tel"}))

    def __init__(self, *args, change_id: int | None = None, held: "Held", **kwargs):
        super().__init__(*args, **kwargs)
        self.change_id, self.held = change_id, held

    def clean_name(self) -> str:
        return _read(lambda: clean_name(self.cleaned_data["name"]).value)

    def clean_guardian_name(self) -> str:
        name = self.cleaned_data["guardian_name"]
        return _read(lambda: clean_name(name).value) if name else ""

    def clean_phone(self) -> str:
        phone = self.cleaned_data["phone"]
        return _read(lambda: parse_phone(phone)) if phone else ""

    def clean(self):
        cleaned = super().clean()
        text, kind = cleaned.get("citizen_id") or "", cleaned.get("document_kind")
        if not text and not cleaned.get("without_number"):
            self.add_error("citizen_id", "请填写证件号码；暂时没有证件的，请勾选“先入册、证件待补”。")
        elif text and kind:
            self._number(kind, text)
        if (not text or kind not in HELD_AS_CITIZEN_ID) and not cleaned.get("birth_on") and "birth_on" not in self.errors:
            self.add_error("birth_on", "请填写出生日期。")
        if cleaned.get("birth_on") and cleaned["birth_on"] > self.today:
            self.add_error("birth_on", "出生日期不能晚于今天。")
        if cleaned.get("name") and not text:
            self._namesake(cleaned["name"], cleaned.get("birth_on"))
        return cleaned

    def _number(self, kind: str, text: str) -> None:
        cleaned = self.cleaned_data
        verdict = judge_number(kind, text, today=self.today, held=self.held, but=self.change_id)
        if verdict.fault:
            self.add_error("citizen_id", verdict.fault)
            return
        cleaned["citizen_id"], cleaned["without_number"] = verdict.value, False
        if verdict.born_on:
            if cleaned.get("birth_on") and cleaned["birth_on"] != verdict.born_on:
                self.add_error("birth_on", "与证件号码中的出生日期不一致，请核对。")
            if cleaned.get("sex") and cleaned["sex"] != verdict.sex:
                self.add_error("sex", "与证件号码表示的性别不一致，请核对。")
            cleaned["birth_on"], cleaned["sex"] = verdict.born_on, verdict.sex

    def _namesake(self, name: str, birth_on: date | None) -> None:
        for pupil in (*self.roll.pupils, *self.roll.left):
            if (pupil.change is None or pupil.change.pk != self.change_id) and pupil.is_like(name, birth_on):
                self.add_error("name", "本校名单上已有同名、同出生日期的学生，请核对，不要重复添加。")
                return

    def typed(self) -> dict[str, Any]:
        """What is sealed; days as text."""
        given = self.cleaned_data
        names = ("name", "sex", "guardian_name", "guardian_relation", "phone", "citizen_id", "without_number")
        kind = given["document_kind"] if given["citizen_id"] and given["document_kind"] != CITIZEN_ID else ""
        born = given["birth_on"].isoformat() if given["birth_on"] else ""
        return {name: given[name] for name in names} | {"document_kind": kind, "birth_on": born} | self.place()

    @staticmethod
    def initial_of_typed(pupil: Pupil, school_year: int) -> dict[str, Any]:
        typed = pupil.typed | PlaceForm.initial_of(pupil, school_year)
        return typed | {"document_kind": typed.get("document_kind") or CITIZEN_ID, "birth_on": pupil.birth_on}


class Held:
    """Whose the numbers on a school's roll are: of its own children and of those added in this check."""

    def __init__(self, recorded, roll: Roll) -> None:
        self.recorded = recorded  # number -> the child's name on this school's roll, or None
        self.added = {pupil.typed.get("citizen_id"): pupil for pupil in roll.pupils if pupil.is_added}

    def holder(self, value: str, *, but: int | None = None) -> str | None:
        added = self.added.get(value)
        if added and added.change.pk != but:
            return added.name
        return self.recorded(value)


class Verdict:
    """What a number says, for a field that is checked while it is typed."""

    def __init__(self, value: str = "", *, fault: str = "", born_on: date | None = None, sex: str = "") -> None:
        self.value, self.fault, self.born_on, self.sex = value, fault, born_on, sex

    @property
    def sex_name(self) -> str:
        return dict(SEXES).get(self.sex, "")


def judge_number(kind: str, text: str, *, today: date, held: Held, but: int | None = None) -> Verdict:
    try:
        found = parse_document(kind, text, today=today)
    except Fault as fault:
        return Verdict(fault=fault.message)
    if holder := held.holder(found.value, but=but):
        return Verdict(fault=f"本校名单上已有这个号码（{holder}），请核对，不要重复添加。")
    return Verdict(found.value, born_on=found.born_on, sex=found.sex or "")


def _read(parse) -> str:
    try:
        return parse()
    except Fault as fault:
        raise ValidationError(fault.message, code=fault.code) from fault
