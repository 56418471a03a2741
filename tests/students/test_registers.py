"""部门名单: who is recognised in the next list, which stays begin and end, and what a late list changes."""

from datetime import date, timedelta
from itertools import permutations

import pytest

from students.models import Enrolment, Entry, Sighting, Snapshot, StagedEntry, Student
from tests.factories import SchoolFactory, TownshipFactory
from tests.students.factories import StudentFactory, citizen_id, codes

MARCH, JUNE, SEPTEMBER, OCTOBER, NOVEMBER = (date(2026, month, 10) for month in (3, 6, 9, 10, 11))
CHILDREN = {
    letter: {"姓名": name, "身份证号": citizen_id(date(2016, 5, n + 1), n + 1)}
    for n, (letter, name) in enumerate(zip("ABCDEF", ("安一", "白二", "陈三", "邓四", "方五", "高六"), strict=True))
}


def poor(*letters: str, **more: str) -> list[dict[str, str]]:
    return [CHILDREN[letter] | {"户类型": "脱贫户"} | more for letter in letters]


def day_before(day: date) -> date:
    return day - timedelta(days=1)


def changes(snapshot: Snapshot) -> tuple[int, int, int, int]:
    snapshot.refresh_from_db()
    return snapshot.added, snapshot.removed, snapshot.changed, snapshot.same


def stays(letter: str = "A", register: str = "poverty") -> list[tuple[date, date | None]]:
    """First and last day of each stay of one child on a list, in time's order."""
    found = Entry.objects.filter(register__name=register, name=CHILDREN[letter]["姓名"])
    return sorted(found.values_list("listed_from", "listed_to"))


def listed_on(day: date, register: str = "poverty") -> str:
    """The letters of the children on a list on one day."""
    names = set(Entry.objects.on(register).covering(day).values_list("name", flat=True))
    return "".join(letter for letter, child in CHILDREN.items() if child["姓名"] in names)


# Two lists.


def test_the_second_list_tells_added_removed_changed_and_same(office):
    first = office.list("poverty", poor("A", "B", "C"), on=OCTOBER)
    second = office.list("poverty", poor("B", "D") + poor("A", 村="上村"), on=NOVEMBER)

    assert changes(first) == (3, 0, 0, 0)
    assert changes(second) == (1, 1, 1, 1)
    assert stays("A") == stays("B") == [(OCTOBER, None)]
    assert stays("C") == [(OCTOBER, day_before(NOVEMBER))]
    assert stays("D") == [(NOVEMBER, None)]


def test_a_closed_list_leaves_nothing_staged_and_remembers_where_each_row_stood(office):
    snapshot = office.list("poverty", [*poor("A"), {}, *poor("B")], on=OCTOBER)

    assert not StagedEntry.objects.exists()
    rows = Sighting.objects.filter(snapshot=snapshot).order_by("row")
    assert list(rows.values_list("entry__name", "row")) == [("安一", 2), ("白二", 4)]


def test_a_household_in_one_row_is_each_member_with_his_own_number_or_none(office):
    head, child = citizen_id(date(1986, 1, 1), 1), CHILDREN["A"]["身份证号"]
    row = {
        "低保证号": "D1", "户主姓名": "安大", "户主身份证号": head, "成员1姓名": "安一", "成员1与户主关系": "之子", "成员1身份证号": child,
        "成员2姓名": "安二", "成员2与户主关系": "之女", "成员2身份证号": None, "成员3姓名": "安三", "成员3与户主关系": "之女",
        "成员3身份证号": child[:17] + "？",
    }  # fmt: skip

    snapshot = office.list("dibao", [row], on=OCTOBER)

    found = Entry.objects.order_by("pk").values_list("name", "relation", "citizen_index")
    assert [(name, relation, index is not None) for name, relation, index in found] == [
        ("安一", "之子", True), ("安二", "之女", False), ("安三", "之女", False),
    ]  # fmt: skip
    assert (snapshot.rows, snapshot.accepted) == (1, 1)
    assert "ignored_column" not in codes(snapshot)


@pytest.mark.parametrize("first", ["A", None], ids=["among the members", "beside them"])
def test_a_child_who_heads_his_household_is_one_person(office, first):
    own = CHILDREN["A"]["身份证号"]
    row = {"低保证号": "D1", "户主姓名": "安一", "户主身份证号": own} | ({"成员1姓名": "安一", "成员1身份证号": own} if first else {})

    office.list("dibao", [row | {"成员2姓名": "白二", "成员2身份证号": CHILDREN["B"]["身份证号"]}], on=OCTOBER)

    assert list(Entry.objects.order_by("pk").values_list("name", flat=True)) == ["安一", "白二"]


# One number, two people.


@pytest.mark.parametrize("order", ["AB", "BA"])
def test_a_number_that_stands_with_two_names_is_two_stays_and_links_only_whom_it_belongs_to(office, order):
    child = StudentFactory(name="安一", number=CHILDREN["A"]["身份证号"])
    wrong = poor("B", 身份证号=CHILDREN["A"]["身份证号"], 村="上村")
    rows = {"A": poor("A"), "B": wrong}

    office.list("poverty", [row for letter in order for row in rows[letter]], on=OCTOBER)

    linked = dict(Entry.objects.values_list("name", "link_state"))
    assert linked == {"安一": "linked", "白二": "proposed"}
    assert Entry.objects.get(name="安一").person == child.person

    again = office.list("poverty", [*poor("A"), *wrong], on=NOVEMBER)
    assert changes(again) == (0, 0, 0, 2)

    put_right = office.list("poverty", poor("B", "A"), on=NOVEMBER + timedelta(days=30))
    assert changes(put_right) == (1, 1, 0, 1)
    assert listed_on(NOVEMBER + timedelta(days=31)) == "AB"


def test_a_name_written_with_a_lost_character_is_not_a_second_person(office):
    snapshot = office.list("poverty", [*poor("A"), *poor("A", 姓名="安?")], on=OCTOBER)

    assert (changes(snapshot)[0], Entry.objects.count()) == (1, 1)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"身份证号": "own"}, {"身份证号": "own", "姓名": "安壹", "户编号": "9"}),
        ({"人编号": "7001"}, {"人编号": "7001", "姓名": "安壹"}),
        ({"人编号": "7001"}, {"人编号": "7001", "身份证号": "own"}),
        ({"户编号": "88"}, {"户编号": "88", "村": "上村"}),
        ({"户编号": "88"}, {"户编号": "88", "身份证号": "own"}),
        ({"村": "上村"}, {"村": "上村"}),
    ],
    ids=["ID", "person number", "person number before the ID came", "family", "family before the ID came", "the whole row"],
)
def test_a_person_is_recognised_by_the_strongest_key_both_rows_have(office, first, second):
    def row(cells):
        own = {"身份证号": CHILDREN["A"]["身份证号"]} if cells.get("身份证号") else {}
        return [{"姓名": "安一", "户类型": "脱贫户", "出生日期": "2016-05-01", "身份证号": ""} | cells | own]

    office.list("poverty", row(first), on=OCTOBER)
    snapshot = office.list("poverty", row(second), on=NOVEMBER)

    assert (snapshot.added, snapshot.removed) == (0, 0)
    assert list(Entry.objects.values_list("listed_from", "listed_to")) == [(OCTOBER, None)]


def test_a_row_with_nothing_but_a_name_that_changed_is_another_row(office):
    row = {"姓名": "安一", "户类型": "脱贫户", "身份证号": "", "村": "上村"}
    office.list("poverty", [row], on=OCTOBER)

    assert changes(office.list("poverty", [row | {"村": "下村"}], on=NOVEMBER)) == (1, 1, 0, 0)


def test_a_shifted_serial_number_is_no_change(office):
    office.list("poverty", [{"序号": "1"} | row for row in poor("A")], on=OCTOBER)

    assert changes(office.list("poverty", [{"序号": "2"} | row for row in poor("A")], on=NOVEMBER)) == (0, 0, 0, 1)


def test_a_changed_category_ends_one_stay_and_begins_another_on_the_list_s_day(office):
    office.list("poverty", poor("A"), on=OCTOBER)
    snapshot = office.list("poverty", poor("A", 户类型="边缘易致贫户"), on=NOVEMBER)

    assert changes(snapshot) == (0, 0, 1, 0)
    assert stays("A") == [(OCTOBER, day_before(NOVEMBER)), (NOVEMBER, None)]
    assert list(Entry.objects.order_by("listed_from").values_list("category", flat=True)) == ["lifted_poor", "marginal_risk"]


@pytest.mark.parametrize(
    ("own", "begins"),
    [("2026-03-10", NOVEMBER), ("2026-10-20", date(2026, 10, 20))],
    ids=["the household's old date", "a date after the old stay began"],
)
def test_the_new_category_begins_on_its_own_date_only_where_that_is_later(office, own, begins):
    office.list("poverty", poor("A", 纳入时间="2026-03-10"), on=OCTOBER)
    office.list("poverty", poor("A", 户类型="边缘易致贫户", 纳入时间=own), on=NOVEMBER)

    assert Entry.objects.get(category="marginal_risk").listed_from == begins


def test_a_child_in_two_categories_of_one_list_has_two_stays(office):
    rows = poor("A") + poor("A", 户类型="突发严重困难户", 纳入时间="2026-09-01")

    office.list("poverty", rows, on=OCTOBER)

    assert {e.category for e in Entry.objects.all()} == {"lifted_poor", "sudden_hardship"}


# Dates of the row's own.


def test_the_row_s_own_dates_win_over_the_list_s(office):
    rows = [CHILDREN["A"] | {"保障类别": "低保对象", "批准时间": "2026-03-01", "停发时间": "2026-12-31"}]

    office.list("dibao", rows, on=OCTOBER)

    assert stays("A", "dibao") == [(date(2026, 3, 1), date(2026, 12, 31))]


def test_an_own_end_after_the_list_that_omits_him_does_not_keep_him(office):
    office.list("dibao", [CHILDREN["A"] | {"停发时间": "2027-12-31"}], on=OCTOBER)
    office.list("dibao", [CHILDREN["B"]], on=NOVEMBER)

    assert stays("A", "dibao") == [(OCTOBER, day_before(NOVEMBER))]


def test_an_own_end_before_the_list_that_omits_him_is_the_end(office):
    office.list("dibao", [CHILDREN["A"] | {"停发时间": "2026-10-20"}], on=OCTOBER)
    office.list("dibao", [CHILDREN["B"]], on=NOVEMBER)

    assert stays("A", "dibao") == [(OCTOBER, date(2026, 10, 20))]


def test_a_cleared_end_date_opens_the_stay_again(office):
    office.list("dibao", [CHILDREN["A"] | {"停发时间": "2026-10-20"}], on=OCTOBER)
    office.list("dibao", [CHILDREN["A"] | {"停发时间": ""}], on=NOVEMBER)

    assert stays("A", "dibao") == [(OCTOBER, None)]


def test_a_cleared_or_later_first_day_never_shortens_what_we_know(office):
    office.list("dibao", [CHILDREN["A"] | {"批准时间": "2026-03-01"}], on=OCTOBER)
    office.list("dibao", [CHILDREN["A"] | {"批准时间": ""}], on=NOVEMBER)

    assert stays("A", "dibao") == [(date(2026, 3, 1), None)]


def test_a_first_day_in_the_future_counts_from_the_list(office):
    office.list("dibao", [CHILDREN["A"] | {"批准时间": "2026-12-01"}], on=OCTOBER)

    assert stays("A", "dibao") == [(OCTOBER, None)]


@pytest.mark.parametrize(
    ("register", "off"),
    [("dibao", {"状态": "停发"}), ("poverty", {"户类型": "一般户"}), ("population", {"户籍状态": "迁出"}), ("monitored", {"风险是否消除": "是", "监测对象类别": "边缘易致贫户"})],
)
def test_a_row_that_says_he_is_off_the_list_ends_the_stay_the_day_before(office, register, off):
    on = {"monitored": {"监测对象类别": "边缘易致贫户"}, "poverty": {"户类型": "脱贫户"}}.get(register, {})
    office.list(register, [CHILDREN["A"] | on], on=OCTOBER)
    office.list(register, [CHILDREN["A"] | off], on=NOVEMBER)

    assert listed_on(OCTOBER, register) == listed_on(day_before(NOVEMBER), register) == "A"
    assert listed_on(NOVEMBER, register) == ""


def test_a_row_already_off_at_first_sight_never_was_on_the_list(office):
    office.list("dibao", [CHILDREN["A"] | {"状态": "停发"}], on=OCTOBER)

    assert [listed_on(day, "dibao") for day in (day_before(OCTOBER), OCTOBER, NOVEMBER)] == ["", "", ""]


def test_an_off_row_repeated_does_not_move_the_end(office):
    for day, state in ((SEPTEMBER, "正常"), (OCTOBER, "停发"), (NOVEMBER, "停发")):
        office.list("dibao", [CHILDREN["A"] | {"状态": state}], on=day)

    assert stays("A", "dibao") == [(SEPTEMBER, day_before(OCTOBER))]


def test_who_comes_back_has_a_new_stay(office):
    for day, letters in ((SEPTEMBER, "AB"), (OCTOBER, "B"), (NOVEMBER, "AB")):
        office.list("poverty", poor(*letters), on=day)

    assert stays("A") == [(SEPTEMBER, day_before(OCTOBER)), (NOVEMBER, None)]
    assert (listed_on(SEPTEMBER), listed_on(OCTOBER), listed_on(NOVEMBER)) == ("AB", "B", "AB")


# Scope and partial lists.


def test_a_partial_list_adds_and_changes_but_removes_nobody(office):
    office.list("poverty", poor("A", "B"), on=OCTOBER)

    assert changes(office.list("poverty", poor("B", "C"), on=NOVEMBER, partial=True)) == (1, 0, 0, 1)
    assert listed_on(NOVEMBER) == "ABC"


def test_a_township_s_list_removes_its_own_people_only(office):
    ours, theirs = TownshipFactory(name="上河镇"), TownshipFactory(name="下河镇")
    office.list("poverty", poor("A", "B", 乡镇="上河镇") + poor("C", 乡镇="下河镇") + poor("D"), on=OCTOBER)

    snapshot = office.list("poverty", poor("A"), on=NOVEMBER, township=ours)

    assert (snapshot.removed, listed_on(NOVEMBER)) == (1, "ACD")
    assert office.list("poverty", poor("E"), on=NOVEMBER, township=theirs).removed == 1
    assert listed_on(NOVEMBER) == "ADE"


def test_county_list_after_a_township_s_removes_from_all(office):
    ours = TownshipFactory(name="上河镇")
    office.list("poverty", poor("A", "B"), on=OCTOBER, township=ours)

    office.list("poverty", poor("B", 乡镇="上河镇"), on=NOVEMBER)

    assert listed_on(NOVEMBER) == "B"


# Late lists: whatever the order of arrival, the stays are those of the right order.

STORIES = {
    "a: on all three": ("A", "A", "A"),
    "b: joined with the middle one": ("B", "AB", "AB"),
    "c: left after the middle one": ("AB", "AB", "B"),
    "d: left with the middle one": ("AB", "B", "B"),
    "e: only on the middle one": ("B", "AB", "B"),
    "f: missing on the middle one": ("AB", "B", "AB"),
    "everybody else every time": ("AC", "BC", "AB"),
    "emptied and filled": ("ABC", "D", "ABC"),
}


def told(office, story: tuple[str, str, str], order: tuple[int, ...], **how) -> dict:
    days = (SEPTEMBER, OCTOBER, NOVEMBER)
    for place in order:
        office.list("poverty", poor(*story[place]), on=days[place], **how)
    return {letter: stays(letter) for letter in CHILDREN} | {
        "changes": [changes(snapshot) for snapshot in Snapshot.objects.order_by("as_of")]
    }


def expected(story: tuple[str, str, str]) -> dict[str, list]:
    """Stays by the plain meaning of three lists."""
    days = (SEPTEMBER, OCTOBER, NOVEMBER)
    found: dict[str, list] = {}
    for letter in CHILDREN:
        runs, since = [], None
        for day, listed in zip(days, story, strict=True):
            if letter in listed and since is None:
                since = day
            if letter not in listed and since is not None:
                runs.append((since, day_before(day)))
                since = None
        found[letter] = [*runs, (since, None)] if since else runs
    return found


@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES)
@pytest.mark.parametrize("order", [(0, 2, 1), (2, 1, 0)], ids=["the middle one late", "backwards"])
def test_a_late_list_leaves_the_stays_of_the_right_order(office, story, order):
    found = told(office, story, order)

    assert {letter: found[letter] for letter in CHILDREN} == expected(story)
    added = [set(b) - set(a) for a, b in zip(("", *story), story, strict=False)]
    removed = [set(a) - set(b) for a, b in zip(("", *story), story, strict=False)]
    assert [(a, r) for a, r, _, _ in found["changes"]] == [(len(a), len(r)) for a, r in zip(added, removed, strict=True)]


@pytest.mark.slow
@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES)
@pytest.mark.parametrize("order", list(permutations(range(3))), ids=str)
def test_every_order_of_three_lists_gives_the_same_stays(office, story, order):
    found = told(office, story, order)

    assert {letter: found[letter] for letter in CHILDREN} == expected(story)


def test_a_late_list_of_another_category_splits_the_stay_by_category(office):
    office.list("poverty", poor("A"), on=SEPTEMBER)
    office.list("poverty", poor("A", 户类型="边缘易致贫户"), on=NOVEMBER)
    office.list("poverty", poor("A", 户类型="边缘易致贫户"), on=OCTOBER)

    assert stays("A") == [(SEPTEMBER, day_before(OCTOBER)), (OCTOBER, None)]


def test_a_late_county_list_does_not_undo_what_a_township_said_later(office):
    """The township's November list is newer than the county's October list, though that arrives after it."""
    ours = TownshipFactory(name="上河镇")
    office.list("poverty", poor("A", "B", 乡镇="上河镇") + poor("D", 乡镇="下河镇"), on=SEPTEMBER)
    office.list("poverty", poor("B", "C"), on=NOVEMBER, township=ours)
    assert listed_on(NOVEMBER) == "BCD"

    office.list("poverty", poor("A", "B", 乡镇="上河镇") + poor("D", 乡镇="下河镇"), on=OCTOBER)

    assert listed_on(OCTOBER) == "ABD"
    assert listed_on(NOVEMBER) == "BCD"


def test_a_late_complete_list_before_a_partial_one_removes_whom_it_omits(office):
    office.list("poverty", poor("A", "B"), on=SEPTEMBER)
    office.list("poverty", poor("B"), on=NOVEMBER, partial=True)

    office.list("poverty", poor("B"), on=OCTOBER)

    assert (listed_on(SEPTEMBER), listed_on(OCTOBER), listed_on(NOVEMBER)) == ("AB", "B", "B")


def test_a_late_list_before_a_partial_one_does_not_end_with_it(office):
    office.list("poverty", poor("B"), on=SEPTEMBER)
    office.list("poverty", poor("B"), on=NOVEMBER, partial=True)

    office.list("poverty", poor("A", "B"), on=OCTOBER)

    assert (listed_on(OCTOBER), listed_on(NOVEMBER)) == ("AB", "AB")


def test_a_partial_list_that_arrives_late_adds_and_stretches_but_ends_nothing(office):
    office.list("poverty", poor("A", "B"), on=SEPTEMBER)
    office.list("poverty", poor("A", "B", "C"), on=NOVEMBER)

    office.list("poverty", poor("C"), on=OCTOBER, partial=True)

    assert stays("A") == [(SEPTEMBER, None)]
    assert stays("C") == [(OCTOBER, None)]


def test_a_corrected_list_of_the_same_day_replaces_the_first(office):
    office.list("poverty", poor("A", "B"), on=OCTOBER)
    second = office.list("poverty", poor("B", "C"), on=OCTOBER)

    assert changes(second) == (1, 1, 0, 1)
    assert listed_on(OCTOBER) == "BC"


# The same file, refused files.


def test_the_same_bytes_for_the_same_day_are_the_same_snapshot(office):
    path = office.file(poor("A"))
    first = office.list("poverty", path, on=OCTOBER)

    assert office.list("poverty", path, on=OCTOBER) == first
    assert office.list("poverty", path, on=NOVEMBER) != first
    assert office.list("monitored", path, on=OCTOBER) != first
    assert office.list("poverty", path, on=OCTOBER, township=TownshipFactory()) != first


@pytest.mark.parametrize(
    ("content", "code"),
    [(b"", "empty"), ("没有表头\n随便写写\n".encode(), "no_header"), (b"PK\x03\x04 broken", "truncated")],
    ids=["empty", "no header", "broken workbook"],
)
def test_a_refused_file_leaves_the_list_as_it_was(office, content, code):
    office.list("poverty", poor("A"), on=OCTOBER)
    path = office.folder / ("名单.xlsx" if content[:2] == b"PK" else "名单.csv")
    path.write_bytes(content)

    snapshot = office.list("poverty", path, on=NOVEMBER)

    assert (snapshot.state, snapshot.file_error["code"]) == (Snapshot.State.REFUSED, code)
    assert not StagedEntry.objects.exists()
    assert stays("A") == [(OCTOBER, None)]
    assert changes(office.list("poverty", poor("A"), on=NOVEMBER)) == (0, 0, 0, 1)


def test_a_refused_file_may_be_sent_again(office):
    path = office.folder / "名单.csv"
    path.write_bytes(b"")

    assert office.list("poverty", path, on=OCTOBER) != office.list("poverty", path, on=OCTOBER)


def test_an_identity_fault_is_a_warning_and_the_row_stays(office):
    snapshot = office.list("poverty", [CHILDREN["A"] | {"身份证号": "990101201605010010", "户类型": "脱贫户"}], on=OCTOBER)

    assert (snapshot.accepted, snapshot.rejected, snapshot.warned) == (1, 0, 1)
    assert codes(snapshot) == ["id_checksum"]
    assert listed_on(OCTOBER) == "A"


def test_a_row_without_name_and_number_is_rejected(office):
    snapshot = office.list("poverty", [*poor("A"), {"姓名": "", "身份证号": "", "户类型": "脱贫户", "村": "上村"}], on=OCTOBER)

    assert (snapshot.accepted, snapshot.rejected) == (1, 1)


# 学籍 exports.


def xueji(school, *letters: str, **more: str) -> list[dict[str, str]]:
    row = {"学校标识码": school.code, "学校名称": school.name, "年级": "三年级", "班级": "1班", "学籍状态": "在籍"}
    return [CHILDREN[letter] | row | more for letter in letters]


def registered(school) -> set[str]:
    return set(Enrolment.objects.filter(school=school, is_registered=True).values_list("student__person__name", flat=True))


def test_a_xueji_export_makes_children_known_and_registered_but_not_present(office, school):
    office.list("xueji", xueji(school, "A", "B"), on=OCTOBER)

    assert registered(school) == {"安一", "白二"}
    assert Student.objects.count() == 2
    assert not Enrolment.objects.filter(is_present=True).exists()


def test_who_is_gone_from_the_export_is_registered_no_longer(office, school):
    office.list("xueji", xueji(school, "A", "B"), on=OCTOBER)
    office.list("xueji", xueji(school, "B") + xueji(school, "A", 学籍状态="转出")[:0], on=NOVEMBER)

    assert registered(school) == {"白二"}


@pytest.mark.parametrize(("state", "still"), [("休学", True), ("转出", False), ("毕业", False), ("辍学", False)])
def test_the_state_in_the_export_decides(office, school, state, still):
    office.list("xueji", xueji(school, "A"), on=OCTOBER)
    office.list("xueji", xueji(school, "A", 学籍状态=state), on=NOVEMBER)

    assert (registered(school) == {"安一"}) is still


def test_a_school_the_export_does_not_list_is_left_alone(office, world):
    office.list("xueji", xueji(world.school, "A") + xueji(world.other_school, "B"), on=OCTOBER)

    office.list("xueji", xueji(world.school, "A"), on=NOVEMBER)

    assert registered(world.other_school) == {"白二"}


def test_a_partial_export_unregisters_nobody(office, school):
    office.list("xueji", xueji(school, "A", "B"), on=OCTOBER)
    office.list("xueji", xueji(school, "B"), on=NOVEMBER, partial=True)

    assert registered(school) == {"安一", "白二"}


def test_a_late_export_does_not_overrule_the_newer_one(office, school):
    office.list("xueji", xueji(school, "A", "B"), on=NOVEMBER)
    office.list("xueji", xueji(school, "A", "C"), on=OCTOBER)

    assert registered(school) == {"安一", "白二"}


def test_a_transfer_moves_the_registration(office, world):
    office.list("xueji", xueji(world.school, "A", "B"), on=OCTOBER)
    office.list("xueji", xueji(world.school, "B") + xueji(world.other_school, "A"), on=NOVEMBER)

    assert (registered(world.school), registered(world.other_school)) == ({"白二"}, {"安一"})


def test_an_unknown_school_in_the_export_registers_nobody_there(office):
    rows = [CHILDREN["A"] | {"学校标识码": "3599999999", "学籍状态": "在籍"}]

    snapshot = office.list("xueji", rows, on=OCTOBER)

    assert snapshot.accepted == 1
    assert not Enrolment.objects.exists()


# Who becomes a student.


def test_only_school_age_rows_of_the_police_list_become_students(office):
    born = {"six": date(2020, 8, 31), "five": date(2020, 9, 1), "fifteen": date(2010, 10, 11), "sixteen": date(2010, 10, 10)}
    rows = [{"姓名": f"周{'甲乙丙丁'[n]}", "身份证号": citizen_id(day)} for n, day in enumerate(born.values())]

    office.list("population", rows, on=OCTOBER)

    assert set(Student.objects.values_list("person__birth_on", flat=True)) == {born["six"], born["fifteen"]}


@pytest.mark.parametrize("roll_first", [True, False])
def test_the_police_list_tells_where_a_child_is_registered_whichever_file_came_first(office, school, roll_first):
    TownshipFactory(name="上河镇")

    def roll():
        office.enrol([CHILDREN["A"] | {"年级": "三年级", "班级": "1班"}], school=school)

    if roll_first:
        roll()
    office.list("population", [CHILDREN["A"] | {"乡镇": "上河镇"}], on=OCTOBER)
    if not roll_first:
        roll()

    assert Student.objects.get().hukou_township.name == "上河镇"


def test_no_other_list_makes_students(office):
    for register in ("poverty", "dibao", "monitored"):
        office.list(register, poor("A"), on=OCTOBER)

    assert not Student.objects.exists()


def test_one_number_on_two_lists_is_one_student(office):
    office.list("population", [CHILDREN["A"]], on=OCTOBER)
    office.list("xueji", xueji(SchoolFactory(), "A"), on=OCTOBER)

    assert Student.objects.count() == 1
    assert set(Entry.objects.values_list("person_id", flat=True)) == {Student.objects.get().pk}


def test_a_family_that_moved_belongs_to_its_new_township(office):
    """The county's list says so; the old township's next list, which has them no longer, takes nobody away."""
    old, _ = TownshipFactory(name="上河镇"), TownshipFactory(name="下河镇")
    office.list("poverty", poor("A", 乡镇="上河镇") + poor("B", 乡镇="上河镇"), on=SEPTEMBER)
    office.list("poverty", poor("A", 乡镇="下河镇") + poor("B", 乡镇="上河镇"), on=OCTOBER)

    office.list("poverty", poor("B"), on=NOVEMBER, township=old)

    assert listed_on(NOVEMBER) == "AB"
