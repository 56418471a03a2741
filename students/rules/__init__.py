"""The reconciliation rules of students and registers, by code. Codes are printed in letters: a retired one is not reused.

A rule's `offenders` gives querysets whose rows have the columns of FOUND; the engine, the page, the export and the test
call the same ones. Meaning, evidence, office and remedy stand in docs/rules/students.md under the rule's code.
"""

from students.models.differences import Office
from students.rules.aid_lists import account_of_many, disabled_and_not_placed, entered_or_left_a_list
from students.rules.lists import (
    listed_but_not_recorded,
    out_of_school,
    poor_and_not_found,
    recorded_but_not_listed,
)
from students.rules.matter import FOUND, Matter, Rule, school_age_births
from students.rules.schooling import (
    dead_and_on_the_roll,
    moved_without_paper,
    not_on_the_police_list,
    particulars_differ,
    present_not_registered,
    registered_not_present,
    registered_twice,
)
from students.rules.turning import (
    junior_leavers_without_destination,
    primary_leavers_missing,
    six_and_not_in_grade_one,
)

__all__ = ["FOUND", "RULES", "Matter", "Rule", "register", "school_age_births"]

def register(*rules: Rule) -> None:
    """Rules of the upper rooms, plugged in from `AppConfig.ready()`; told in the order of their codes."""
    known = RULES | {rule.code: rule for rule in rules}
    RULES.clear()
    RULES.update(sorted(known.items()))


RULES: dict[str, Rule] = {
    rule.code: rule
    for rule in (
        Rule(
            "R01",
            "户籍适龄儿童未在校",
            out_of_school,
            office=Office.TOWNSHIP,
            days=7,
            remedies=("whereabouts_known", "explain", "accept", "assign"),
            inputs=("population", "enrolment", "whereabouts"),
        ),
        Rule(
            "R02",
            "学籍在册、户籍名单无",
            not_on_the_police_list,
            office=Office.SCHOOL,
            days=20,
            remedies=("registered_outside", "explain", "accept", "assign"),
            inputs=("population", "enrolment",),
        ),
        Rule(
            "R03",
            "户籍与学籍信息不一致",
            particulars_differ,
            office=Office.SCHOOL,
            days=20,
            remedies=("adopt_list", "reported", "explain", "accept", "assign"),
            inputs=("population", "enrolment",),
        ),
        Rule(
            "R04",
            "死亡（注销）仍在册",
            dead_and_on_the_roll,
            office=Office.AID,
            days=5,
            remedies=("end_enrolments", "reported", "explain", "accept", "assign"),
            inputs=("deaths", "enrolment",),
        ),
        Rule(
            "R05",
            "在籍不在校",
            registered_not_present,
            office=Office.SCHOOL,
            days=3,
            remedies=("whereabouts_known", "reported", "explain", "accept", "assign"),
            inputs=("xueji", "enrolment", "whereabouts",),
        ),
        Rule(
            "R06",
            "在校无籍",
            present_not_registered,
            office=Office.SCHOOL,
            days=20,
            remedies=("reported", "explain", "accept", "assign"),
            inputs=("xueji", "enrolment",),
        ),
        Rule(
            "R07",
            "重复学籍",
            registered_twice,
            office=Office.SCHOOL,
            days=20,
            remedies=("reported", "explain", "accept", "assign"),
            inputs=("xueji", "enrolment",),
        ),
        Rule(
            "R08",
            "脱贫（监测）家庭适龄儿童未找到",
            poor_and_not_found,
            office=Office.TOWNSHIP,
            days=7,
            remedies=("whereabouts_known", "explain", "accept", "assign"),
            inputs=("poverty", "monitored", "enrolment", "whereabouts"),
        ),
        Rule(
            "R13",
            "适龄残疾儿童未安置",
            disabled_and_not_placed,
            office=Office.BASIC_EDUCATION,
            days=20,
            remedies=("whereabouts_known", "explain", "accept", "assign"),
            inputs=("disability", "enrolment", "whereabouts",),
        ),
        Rule(
            "R18",
            "多户共用银行账号",
            account_of_many,
            office=Office.AID,
            days=10,
            remedies=("explain", "accept", "assign"),
            inputs=("lists",),
        ),
        Rule(
            "R20",
            "名单增减变动",
            entered_or_left_a_list,
            office=Office.TOWNSHIP,
            days=5,
            remedies=("explain", "accept", "assign"),
            inputs=("lists", "enrolment",),
        ),
        Rule(
            "R25",
            "应认定未认定",
            listed_but_not_recorded,
            office=Office.AID,
            days=10,
            remedies=("record_hardship", "explain", "accept", "assign"),
            inputs=("lists", "hardship"),
        ),
        Rule(
            "R26",
            "已退出名单未调整",
            recorded_but_not_listed,
            office=Office.AID,
            days=10,
            remedies=("end_hardship", "explain", "accept", "assign"),
            inputs=("lists", "hardship"),
        ),
        Rule(
            "R27",
            "小学毕业未升初中",
            primary_leavers_missing,
            office=Office.SCHOOL,
            days=5,
            remedies=("whereabouts_known", "explain", "accept", "assign"),
            inputs=("enrolment", "whereabouts"),
        ),
        Rule(
            "R28",
            "满六周岁未入一年级",
            six_and_not_in_grade_one,
            office=Office.TOWNSHIP,
            days=7,
            remedies=("whereabouts_known", "explain", "accept", "assign"),
            inputs=("population", "enrolment", "whereabouts"),
        ),
        Rule(
            "R29",
            "初中毕业去向不明",
            junior_leavers_without_destination,
            office=Office.SCHOOL,
            days=20,
            remedies=("whereabouts_known", "explain", "accept", "assign"),
            inputs=("enrolment", "whereabouts"),
        ),
        Rule(
            "R32",
            "学籍异动无佐证",
            moved_without_paper,
            office=Office.SCHOOL,
            days=20,
            remedies=("whereabouts_known", "explain", "accept", "assign"),
            inputs=("enrolment", "whereabouts",),
        ),
    )
}
