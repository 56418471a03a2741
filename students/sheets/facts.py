"""Facts about a child we hold, under the names in which blank forms from above ask for them."""

from typing import ClassVar

from bureau.sheets import Column, Sheet
from bureau.sheets.kinds import Text

from .columns import (
    BIRTH_WORDS,
    CERTIFICATE_WORDS,
    GUARDIAN_ID_WORDS,
    GUARDIAN_NAME_WORDS,
    GUARDIAN_PHONE_WORDS,
    ID_WORDS,
    NAME_WORDS,
    NATION_WORDS,
    NUMBER_WORDS,
    PHONE_WORDS,
    SEX_WORDS,
)


class ChildFacts(Sheet):
    """What a blank form can be filled with. Only the headers are used; a form is never read with it."""

    code = "facts"
    layout = "form"
    title = "空表"
    known: ClassVar[tuple[str, ...]] = ()

    serial = Column("序号", "编号", "行号", "顺序号")
    name = Column(*NAME_WORDS)
    sex = Column(*SEX_WORDS)
    birth_on = Column(*BIRTH_WORDS)
    ethnicity = Column(*NATION_WORDS)
    citizen_id = Column(*ID_WORDS, kind=Text(digits=True))
    student_number = Column(*NUMBER_WORDS, kind=Text(digits=True))
    school = Column("学校", "学校名称", "就读学校", "所在学校", "学校全称", "校名", "所在学校名称")
    school_code = Column("学校标识码", "学校代码", "机构标识码", "学校（机构）标识码", kind=Text(digits=True))
    stage = Column("学段", "就读学段", "教育阶段")
    grade = Column("年级", "就读年级", "所在年级", "年级名称")
    class_name = Column("班级", "所在班级", "班级名称", "班")
    grade_class = Column("年级班级", "就读班级", "所在年级班级", "年级（班级）", "班级年级", "年级及班级")
    boarding = Column("是否寄宿", "是否住校", "是否寄宿生", "寄宿情况", "就读方式")
    status = Column("学籍状态", "学生状态", "在校状态")
    guardian_name = Column(*GUARDIAN_NAME_WORDS)
    guardian_relation = Column("与学生关系", "监护人关系", "监护人与学生关系", "与监护人关系")
    guardian_citizen_id = Column(*GUARDIAN_ID_WORDS, kind=Text(digits=True))
    phone = Column(*PHONE_WORDS, *GUARDIAN_PHONE_WORDS, kind=Text(digits=True))
    township = Column("户籍乡镇", "乡镇", "乡（镇）", "所属乡镇", "户籍所在乡镇", "乡镇（街道）")
    village = Column("户籍村", "村", "行政村", "村（社区）", "所属村", "户籍所在村")
    hukou = Column("户籍地址", "户口所在地", "户籍所在地", "户籍地", "户口地址")
    home = Column("家庭住址", "现住址", "家庭地址", "现居住地", "居住地址", "住址", kind=Text(digits=True))
    hardships = Column(
        "困难类别", "困难类型", "困难身份", "家庭困难类型", "资助对象类别", "类别", "困难学生类别", "贫困类型"
    )
    certificate = Column(*CERTIFICATE_WORDS, kind=Text(digits=True))

    # Sealed where we keep them: written only for an account that may see full numbers.
    sealed: ClassVar[tuple[str, ...]] = (
        "citizen_id",
        "student_number",
        "guardian_citizen_id",
        "phone",
        "home",
        "certificate",
    )
