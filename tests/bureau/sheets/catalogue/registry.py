"""Cases that need the registry, a page or a person: the outcome, and the test that holds it."""

from typing import NamedTuple


class Elsewhere(NamedTuple):
    id: str
    what: str
    outcome: str
    tells: str
    test: str


_ROSTERS = "tests/students/test_rosters.py::"
_HOSTILE = "tests/students/test_hostile_input.py::"
ELSEWHERE = [
    Elsewhere("B029", "文件属性、隐藏表里的旁人信息", "A", "原文件加密保存，只供核对，不公开", _HOSTILE + "test_the_file_lies_sealed"),
    Elsewhere("B030", "文件名含路径、控制符、从右向左符，或有 300 字", "A", "按编号保存；显示的名称已清理", _HOSTILE + "test_a_file_name_is_shown_without_what_could_mislead"),
    Elsewhere("B031", "同一文件上传两次", "A", "是同一份花名册，不重复导入", _ROSTERS + "test_the_same_bytes_are_the_same_roster_and_change_nothing"),
    Elsewhere("B032", "全是其他学校的学生；部分是其他学校的学生", "F/R", "文件里全部是其他学校的学生；这一行是其他学校的学生", _ROSTERS + "test_an_unknown_school_is_told_and_the_file_of_another_school_is_refused"),
    Elsewhere("B114", "年龄与学段不符", "W", "年龄与学段不符，请确认", "tests/students/test_stage_rolls.py::test_an_age_that_does_not_fit_is_asked_about_by_what_the_grade_means_there"),
    Elsewhere("B303", "同一人在两所学校", "W", "该生在另一所学校也在读，请与对方学校核对", _ROSTERS + "test_a_child_who_is_present_elsewhere_is_a_warning_and_stays_at_both"),
    Elsewhere("B306", "号码是外校另一名学生的", "R", "该证件号码已登记为另一所学校的另一名学生", _ROSTERS + "test_a_known_number_under_another_name_at_another_school_is_refused"),
    Elsewhere("B307", "名册上写明已转出、毕业、死亡等", "A", "按所写的状态登记在籍、在校，不算新生", _ROSTERS + "test_the_state_on_the_roll_decides_registered_and_present"),
    Elsewhere("B311", "文字中夹有网页代码、模板代码", "A", "原样显示，不起作用", _HOSTILE + "test_code_in_a_file_is_shown_as_text"),
    Elsewhere("B312", "查询框里填引号、%、_、反斜杠", "A", "按字面查找", _HOSTILE + "test_a_search_takes_every_character_as_itself"),
    Elsewhere("B315", "地址和表单里的怪参数", "R", "不出错：拒绝或按未填处理", _HOSTILE + "test_an_odd_address_is_answered"),
    Elsewhere("B316", "后退、连点两次、两个窗口", "A", "只入册一次", _ROSTERS + "test_two_clerks_confirm_at_once_and_the_second_changes_nothing"),
]  # fmt: skip
