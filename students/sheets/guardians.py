"""家庭成员信息表: who belongs to a child's family, one row for each member or the members side by side."""

from typing import ClassVar

from bureau.sheets import ABSENT, Column, Draft, Sheet
from bureau.sheets.choices import YesNo
from bureau.sheets.kinds import CitizenNumber, PersonName, Phone

from .columns import (
    GUARDIAN_ID_WORDS,
    GUARDIAN_NAME_WORDS,
    GUARDIAN_PHONE_WORDS,
    ID_WORDS,
    NAME_WORDS,
    PHONE_WORDS,
    student_number_column,
)
from .relations import Relation
from .schools import ClassRoll

SIDE_BY_SIDE = ("father", "mother", "carer", "member1", "member2", "member3", "member4", "member5", "member6")
FACTS = ("name", "relation", "citizen_id", "phone", "legal")  # of each member, in the words of RollStager
_TITLES = {"father": "父亲", "mother": "母亲", "carer": "监护人"}


class GuardianList(Sheet):
    """One row for each child and member. What we do not keep of a member (工作单位, 职务) is no column of ours."""

    code = "guardians"
    layout = "3.9m"
    title = "家庭成员信息表"
    key: ClassVar[tuple[str, ...]] = ("citizen_id", "guardian_name")
    either: ClassVar[tuple[tuple[str, ...], ...]] = (("citizen_id", "student_number"),)
    known: ClassVar[tuple[str, ...]] = (
        *Sheet.known, "性别", "民族", "出生日期", "工作单位", "职务", "文化程度", "现住址", "户口所在地", "关系说明", "证件类型",
    )  # fmt: skip

    school_name = ClassRoll.by_attr["school_name"]
    school_code = ClassRoll.by_attr["school_code"]
    grade = ClassRoll.by_attr["grade"]
    class_name = ClassRoll.by_attr["class_name"]
    name = Column("学生姓名", "幼儿姓名", "孩子姓名", *NAME_WORDS, kind=PersonName(), required=True, fill_down=True)
    citizen_id = Column(
        "学生身份证号", "学生身份证号码", "学生证件号码", "学生证件号", "学生身份证件号", "学生身份证", "幼儿身份证号",
        "孩子身份证号", *ID_WORDS, kind=CitizenNumber(minor=True), fill_down=True, width=22, example="990101201205030011",
    )  # fmt: skip
    student_number = student_number_column(fill_down=True)
    guardian_name = Column(
        "成员姓名", "家庭成员姓名", "家庭成员", "成员", *GUARDIAN_NAME_WORDS, kind=PersonName(), required=True, example="张大山"
    )
    guardian_relation = Column(
        "与学生关系", "关系", "成员关系", "家庭成员关系", "家庭关系", "与本人关系", "称谓", "监护人关系", "监护人与学生关系",
        kind=Relation(), example="父亲", width=10,
    )  # fmt: skip
    guardian_citizen_id = Column(
        "成员身份证号", "成员身份证号码", "成员证件号码", "成员证件号", "成员身份证件号", "家庭成员身份证号", *GUARDIAN_ID_WORDS,
        kind=CitizenNumber(), width=22,
    )  # fmt: skip
    guardian_phone = Column(
        "成员电话", "成员联系电话", "家庭成员电话", "家庭成员联系电话", *GUARDIAN_PHONE_WORDS, *PHONE_WORDS, kind=Phone()
    )
    guardian_legal = Column("是否监护人", "监护人标志", "是否为监护人", kind=YesNo(), example="是", width=10)

    @classmethod
    def settle(cls, draft: Draft) -> None:
        need_a_number(draft)


def need_a_number(draft: Draft) -> None:
    """A child is found by his number; a name alone could be somebody else's child."""
    if "citizen_id" in draft.values or "student_number" in draft.values:
        return
    if not {"citizen_id", "student_number"} & draft.troubles.keys():
        draft.report("citizen_id", "required", "学生的身份证号和学籍号都没有填，请至少填写一项。")


def _columns() -> dict[str, Column]:
    found: dict[str, Column] = {}
    for place in SIDE_BY_SIDE:
        titles = [_TITLES[place]] if place in _TITLES else _numbered(place[-1])
        found |= {
            f"{place}_name": Column(*_words(titles, "姓名", ""), kind=PersonName()),
            f"{place}_citizen_id": Column(
                *_words(titles, "身份证号", "身份证号码", "证件号", "证件号码", "身份证件号", "身份证", "公民身份号码"),
                kind=CitizenNumber(),
                width=22,
            ),
            f"{place}_phone": Column(
                *_words(titles, "电话", "联系电话", "手机", "手机号", "手机号码", "电话号码", "联系方式"), kind=Phone()
            ),
        }
        if place != "father" and place != "mother":
            found[f"{place}_relation"] = Column(*_words(titles, "关系", "与学生关系", "称谓"), kind=Relation(), width=10)
        if place not in _TITLES:
            found[f"{place}_legal"] = Column(*_words(titles, "是否监护人", "监护人标志"), kind=YesNo(), width=10)
    return found


def _numbered(number: str) -> list[str]:
    return [f"成员{number}", f"家庭成员{number}", f"监护人{number}", f"家长{number}"]


def _words(titles: list[str], *facts: str) -> list[str]:
    return [title + fact for title in titles for fact in facts]


_SideBySide = type("_SideBySide", (Sheet,), _columns())


class GuardiansSideBySide(_SideBySide, GuardianList):
    """One row for each child: 父亲, 母亲, 监护人 and 成员1 to 成员6 side by side, as the 学籍 system exports them.

    Its members become values["members"], a list of dictionaries of FACTS. A 监护人 who is the father or the mother is one
    member, not two.
    """

    layout = "3.9m-wide"
    title = "家庭成员信息表（每生一行）"
    key: ClassVar[tuple[str, ...]] = ("citizen_id",)
    either: ClassVar[tuple[tuple[str, ...], ...]] = (
        ("citizen_id", "student_number"),
        tuple(f"{place}_name" for place in SIDE_BY_SIDE),
    )

    guardian_name = ABSENT
    guardian_relation = ABSENT
    guardian_citizen_id = ABSENT
    guardian_phone = ABSENT
    guardian_legal = ABSENT

    @classmethod
    def settle(cls, draft: Draft) -> None:
        need_a_number(draft)
        members: dict[str, dict] = {}
        for place in SIDE_BY_SIDE:
            if member := _member(draft, place):
                known = members.setdefault(member["guardian_name"], member)
                if known is not member:
                    known.update({fact: value for fact, value in member.items() if value not in (None, "")})
        if members:
            draft.values["members"] = list(members.values())
        elif not draft.troubles:
            draft.report("name", "required", "没有填写任何家庭成员，请补填或删除本行。")


def _member(draft: Draft, place: str) -> dict | None:
    values = draft.values
    told = {f"guardian_{fact}": values[f"{place}_{fact}"] for fact in FACTS if f"{place}_{fact}" in values}
    if not told or f"{place}_name" in draft.troubles:
        return None
    if "guardian_name" not in told:
        title = _TITLES.get(place, f"成员{place[-1]}")
        draft.report(f"{place}_name", "required", f"“{title}”填了号码、电话或关系而没有填姓名，请补填。")
        return None
    if told.get("guardian_citizen_id") and told["guardian_citizen_id"] == values.get("citizen_id"):
        draft.report(f"{place}_citizen_id", "id_same_as_guardian", "监护人与学生身份证号相同，请改正其中一个。")
    if place in ("father", "mother"):
        told["guardian_relation"] = _TITLES[place]
    if place == "carer":
        told["guardian_legal"] = True
    return told
