"""学籍 exports with one citizen ID at two schools; and the citizen IDs hidden in other numbers."""

from datetime import date

import pytest

from students.models import Enrolment, Entry, Identifier, Person
from tests.factories import SchoolFactory
from tests.students.factories import citizen_id

BORN = date(2016, 5, 1)
OWN, OTHER = citizen_id(BORN, 1), citizen_id(BORN, 3)
SEPTEMBER, OCTOBER, NOVEMBER, DECEMBER = date(2026, 9, 20), date(2026, 10, 20), date(2026, 11, 20), date(2026, 12, 20)


@pytest.fixture
def third_school(world):
    return SchoolFactory(township=world.other_township, name="河口乡第二小学")


@pytest.fixture
def export(office, world, third_school):
    """`export("A", "B", on=…)`: 张三's ID at these schools; somebody else is at each of them, so that they are in the file."""
    schools = {"A": world.school, "B": world.other_school, "C": third_school}

    def send(*places: str, on: date, name: str = "张三"):
        rows = [_row(schools[place], name, OWN) for place in places]
        rows += [_row(school, f"李{place}", citizen_id(BORN, 11 + 2 * n)) for n, (place, school) in enumerate(schools.items())]
        return office.list("xueji", rows, on=on)

    send.schools = schools
    return send


def _row(school, name: str, number: str) -> dict[str, str]:
    return {"学校标识码": school.code, "学校名称": school.name, "姓名": name, "身份证件号": number, "年级": "三年级", "班级": "1班", "学籍状态": "在籍"}


def registered(export) -> str:
    """The schools at which 张三 is 在籍."""
    at = Enrolment.objects.filter(student__person__name="张三", is_registered=True, ended_on=None).values_list("school", flat=True)
    return "".join(sorted(place for place, school in export.schools.items() if school.pk in set(at)))


def counts(snapshot) -> tuple[int, int, int, int]:
    return snapshot.added, snapshot.removed, snapshot.changed, snapshot.same


@pytest.mark.parametrize("places", ["AB", "BA"], ids=["one order", "the other"])
def test_one_id_at_two_schools_of_one_export_is_registered_at_both(export, places, office):
    snapshot = export(*places, on=SEPTEMBER)

    assert registered(export) == "AB"
    assert counts(snapshot) == (5, 0, 0, 0)
    assert Person.objects.filter(name="张三").count() == 1
    assert office.reconcile("R07")["R07"]["open"] == 2


@pytest.mark.parametrize("places", ["AB", "BA"])
def test_the_next_export_with_the_same_rows_in_any_order_changes_nothing(export, places):
    export("A", "B", on=SEPTEMBER)

    snapshot = export(*places, on=OCTOBER)

    assert counts(snapshot) == (0, 0, 0, 5)
    assert registered(export) == "AB"


@pytest.mark.parametrize("left", ["A", "B"])
def test_one_of_the_two_goes_and_the_other_is_the_same(export, left, office):
    export("A", "B", on=SEPTEMBER)

    snapshot = export(left, on=OCTOBER)

    assert counts(snapshot) == (0, 1, 0, 4)
    assert registered(export) == left
    assert office.reconcile("R07")["R07"]["open"] == 0


@pytest.mark.parametrize("left", ["A", "B"])
def test_who_was_twice_and_moves_on_is_changed_not_new(export, left):
    export("A", "B", on=SEPTEMBER)
    export(left, on=OCTOBER)

    snapshot = export("C", on=NOVEMBER)

    assert counts(snapshot) == (0, 0, 1, 3)
    assert registered(export) == "C"


def test_a_child_who_moved_between_two_exports_is_changed(export):
    export("A", on=SEPTEMBER)

    snapshot = export("B", on=OCTOBER)

    assert counts(snapshot) == (0, 0, 1, 3)
    assert Entry.objects.filter(name="张三").count() == 1
    assert registered(export) == "B"


@pytest.mark.parametrize("places", ["AB", "BA"])
def test_a_second_school_is_added_beside_the_first(export, places):
    export("B", on=SEPTEMBER)

    snapshot = export(*places, on=OCTOBER)

    assert counts(snapshot) == (1, 0, 0, 4)
    assert Entry.objects.get(name="张三", listed_from=SEPTEMBER).school == export.schools["B"]
    assert registered(export) == "AB"


def test_a_third_school_is_a_third_stay_and_moves_are_told(export):
    export("A", "B", on=SEPTEMBER)

    snapshot = export("B", "C", on=OCTOBER)
    assert counts(snapshot) == (0, 0, 1, 4)
    assert registered(export) == "BC"

    snapshot = export("A", "B", "C", on=NOVEMBER)
    assert counts(snapshot) == (1, 0, 0, 5)
    assert registered(export) == "ABC"


def test_a_late_export_finds_both_stays(export):
    export("A", "B", on=SEPTEMBER)
    export("A", "B", on=NOVEMBER)

    export("B", "A", on=OCTOBER)

    assert Entry.objects.filter(name="张三", omitted_on=None).count() == 2
    assert Entry.objects.filter(name="张三").count() == 2
    assert registered(export) == "AB"


def test_two_children_with_one_id_are_not_both_the_first(office, world):
    office.list("xueji", [_row(world.school, "张三", OWN), _row(world.other_school, "李四", OWN)], on=SEPTEMBER)

    assert Entry.objects.count() == 2
    assert Enrolment.objects.filter(is_registered=True).count() == 1  # the other row is asked about


# Citizen IDs inside other numbers.


def hints() -> list[tuple[str, bool]]:
    return list(Identifier.objects.filter(kind="citizen_id").order_by("derived").values_list("person__name", "derived"))


def test_an_id_inside_the_student_number_that_is_not_the_childs_own_is_kept_as_a_hint(office, world):
    row = _row(world.school, "张三", OWN) | {"全国学籍号": f"G{OTHER}"}

    office.list("xueji", [row], on=SEPTEMBER)
    office.list("xueji", [row], on=OCTOBER)

    assert hints() == [("张三", False), ("张三", True)]


def test_the_usual_student_number_is_no_hint(office, world):
    office.list("xueji", [_row(world.school, "张三", OWN) | {"全国学籍号": f"G{OWN}"}], on=SEPTEMBER)

    assert hints() == [("张三", False)]


def test_a_roll_row_leaves_the_hint_too_and_undoing_takes_it_away(office, world):
    from students.actions.undoing import undo_roster

    row = {"姓名": "张三", "身份证号": OWN, "学籍号": f"G{OTHER}", "年级": "三年级", "班级": "1班"}
    roster = office.enrol([row], school=world.school)
    assert hints() == [("张三", False), ("张三", True)]

    undo_roster(roster=roster, by=office.by, reason="传错了")
    assert hints() == []


def test_a_certificate_leaves_the_hint(office, world):
    office.enrol([{"姓名": "张三", "身份证号": OWN, "年级": "三年级", "班级": "1班"}], school=world.school)
    rows = [{"姓名": "张三", "身份证号": OWN, "残疾人证号": f"{OTHER}44", "残疾类别": "智力", "残疾等级": "四级"}]

    office.list("disability", rows, on=SEPTEMBER)

    assert hints() == [("张三", False), ("张三", True)]
