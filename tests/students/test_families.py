"""家庭成员信息表: who is new, changed or as before; only for children of the school; numbers sealed; never anybody absent."""

from datetime import date

import pytest

from bureau import secrecy
from students.actions import rosters, undoing
from students.models import Guardianship, Identifier, Person, Roster, RosterRow
from tests.students.factories import citizen_id, codes

CHILD = {"姓名": "张三", "身份证号": citizen_id(date(2016, 5, 2), 1), "年级": "三年级", "班级": "1班"}
OTHER = {"姓名": "李四", "身份证号": citizen_id(date(2016, 5, 3), 2), "年级": "三年级", "班级": "1班"}
FATHER, MOTHER = citizen_id(date(1988, 1, 2), 1), citizen_id(date(1990, 3, 4), 2)


def member(name: str, relation: str = "", child: dict = CHILD, **more: str) -> dict[str, str]:
    return {"学生姓名": child["姓名"], "学生身份证号": child["身份证号"], "成员姓名": name, "关系": relation} | more


@pytest.fixture
def family(office, school):
    """Sends family lists of the school, which has the two children already."""
    office.enrol([CHILD, OTHER], school=school)

    def send(rows, *, apply: bool = True) -> Roster:
        return (office.enrol if apply else office.roll)(rows, school=school, kind="guardians")

    return send


def verdicts(roster: Roster) -> tuple[int, int, int, int]:
    return roster.new, roster.changed, roster.unchanged, roster.absent


def in_force(name: str = "张三") -> dict[str, str]:
    rows = Guardianship.objects.filter(student__person__name=name, valid_to=None)
    return dict(rows.order_by("id").values_list("name", "relation"))


def number_of(guardian: Guardianship) -> str:
    return secrecy.open_sealed(bytes(guardian.number_sealed), field="citizen_id", value_id=guardian.number_id)


def phone_of(guardian: Guardianship) -> str:
    return secrecy.open_sealed(bytes(guardian.phone_sealed), field="phone", value_id=guardian.phone_id)


def test_one_row_for_each_member(family):
    roster = family([
        member("张大山", "爸爸", 成员身份证号=FATHER, 电话="13800000001", 是否监护人="是"),
        member("李梅", "之母", 成员身份证号=MOTHER, 工作单位="县纺织厂"),
        member("张小妹", "妹妹"),
    ])  # fmt: skip

    assert verdicts(roster) == (3, 0, 0, 0) and codes(roster) == []
    assert in_force() == {"张大山": "父亲", "李梅": "母亲", "张小妹": "妹"}
    father = Guardianship.objects.get(name="张大山")
    assert (number_of(father), phone_of(father), father.legal) == (FATHER, "13800000001", True)
    assert bytes(father.number_index) == secrecy.blind(FATHER, field="citizen_id")
    assert Guardianship.objects.get(name="张小妹").legal is False


def test_members_side_by_side(family):
    """As the 学籍 system exports it; the guardian who is the father is one member."""
    row = {
        "学生姓名": "张三", "身份证号": CHILD["身份证号"], "父亲姓名": "张大山", "父亲身份证号": FATHER, "父亲电话": "13800000001",
        "母亲姓名": "李梅", "母亲身份证号": MOTHER, "监护人姓名": "张大山", "监护人关系": "父子", "成员3姓名": "张老汉", "成员3关系": "爷爷",
    }  # fmt: skip
    roster = family([row])

    assert (roster.rows, roster.accepted, verdicts(roster)) == (1, 1, (3, 0, 0, 0))
    assert in_force() == {"张大山": "父亲", "李梅": "母亲", "张老汉": "祖父"}
    assert roster.tables[0]["layout"] == "3.9m-wide"


def test_a_header_of_two_rows_is_understood(family, office, school):
    import openpyxl

    book = openpyxl.Workbook()
    for cells in (
        ["学生姓名", "学生身份证号", "父亲", None, "母亲", None],
        [None, None, "姓名", "联系电话", "姓名", "联系电话"],
        ["张三", CHILD["身份证号"], "张大山", "13800000001", "李梅", "13800000002"],
    ):
        book.active.append(cells)
    book.active.merge_cells("C1:D1")
    book.active.merge_cells("E1:F1")
    book.save(office.folder / "家庭.xlsx")

    office.enrol(office.folder / "家庭.xlsx", school=school, kind="guardians")

    assert in_force() == {"张大山": "父亲", "李梅": "母亲"}


def test_the_same_again_is_unchanged_and_other_words_for_it_too(family):
    family([member("张大山", "父亲", 电话="13800000001")])

    roster = family([member(" 张大山", "爸爸", 电话="138 0000 0001")])

    assert verdicts(roster) == (0, 0, 1, 0)
    assert Guardianship.objects.count() == 1


def test_a_new_phone_closes_the_old_record_and_what_is_not_said_stays(family, office):
    family([member("张大山", "父亲", 成员身份证号=FATHER, 电话="13800000001")])

    roster = family([member("张大山", 电话="13800000002")])

    assert verdicts(roster) == (0, 1, 0, 0)
    assert RosterRow.objects.get(roster=roster).changes == [["guardian_phone", None, None]]
    old, new = Guardianship.objects.order_by("id")
    assert (old.valid_to, new.valid_to) == (office.term.starts_on, None)
    assert (number_of(new), phone_of(new), new.relation) == (FATHER, "13800000002", "父亲")


def test_another_father_takes_the_place_of_the_one_before(family, office):
    family([member("张大山", "父亲"), member("李梅", "母亲")])

    roster = family([member("张大海", "父亲")])

    assert RosterRow.objects.get(roster=roster).changes == [["guardian", "张大山", "张大海"]]
    assert in_force() == {"李梅": "母亲", "张大海": "父亲"}
    assert Guardianship.objects.get(name="张大山").valid_to == office.term.starts_on


def test_two_brothers_stand_side_by_side(family):
    family([member("张一", "哥哥"), member("张二", "哥哥")])
    family([member("张五", "哥哥")])

    assert set(in_force()) == {"张一", "张二", "张五"}


def test_a_child_of_another_school_is_refused_as_one_nobody_knows(family, office, world):
    elsewhere = {"姓名": "王五", "身份证号": citizen_id(date(2016, 5, 4), 3), "年级": "三年级", "班级": "1班"}
    office.enrol([elsewhere], school=world.other_school)
    nobody = {"姓名": "王五", "身份证号": citizen_id(date(2016, 5, 9), 9)}
    misnamed = CHILD | {"姓名": "王五"}

    roster = family([member("王大", "父亲", child) for child in (elsewhere, nobody, misnamed)], apply=False)

    told = {(problem["code"], problem["message"]) for problem in roster.problems}
    assert len(told) == 1 and told.pop()[0] == "unknown_student"
    assert (roster.rejected, verdicts(roster)) == (3, (0, 0, 0, 0))
    assert not roster.staged.exclude(person_id=None).exists()


def test_a_child_who_left_before_it_is_confirmed_stops_the_list(family, office, school):
    roster = family([member("张大山", "父亲"), member("李大", "父亲", OTHER)], apply=False)
    from students.models import Enrolment

    Enrolment.objects.filter(student__person__name="张三").update(ended_on=date(2026, 9, 30))

    with pytest.raises(rosters.NotApplicable):
        rosters.apply_roster(roster=roster, by=office.by)
    rosters.apply_roster(roster=roster, by=office.by, accept_good=True)

    assert (in_force(), in_force("李四")) == ({}, {"李大": "父亲"})


def test_nothing_else_about_the_child_is_changed(family, school):
    """Found by his 学籍号, a wrong ID in the list is no new ID of his; nobody is made, nobody is absent."""
    before = set(Identifier.objects.values_list("pk", flat=True))

    roster = family([member("张大山", "父亲", 电话="13800000001")])

    assert set(Identifier.objects.values_list("pk", flat=True)) == before
    assert (Person.objects.count(), roster.absent) == (2, 0)


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({"成员身份证号": CHILD["身份证号"]}, "id_same_as_guardian"),
        ({"成员身份证号": "990101198801020011"}, "id_checksum"),
        ({"电话": "1380000"}, "phone_format"),
        ({"成员姓名": ""}, "required"),
        ({"学生身份证号": ""}, "required"),
        ({"是否监护人": "大概"}, "unknown_value"),
    ],
)
def test_faults_are_told_at_their_cell(family, facts, code):
    roster = family([member("张大山", "父亲") | facts], apply=False)

    assert (codes(roster, "error"), roster.rejected) == ([code], 1)


def test_side_by_side_faults_are_told_at_the_members_cell(family):
    row = {"学生姓名": "张三", "身份证号": CHILD["身份证号"], "父亲姓名": "张大山", "父亲身份证号": CHILD["身份证号"], "母亲电话": "13800000001"}
    roster = family([row], apply=False)

    told = {(problem["column"], problem["code"]) for problem in roster.problems}
    assert told == {("父亲身份证号", "id_same_as_guardian"), (None, "required")}


def test_undone_the_family_is_what_it_was(family, office):
    family([member("张大山", "父亲", 成员身份证号=FATHER), member("李梅", "母亲")])
    roster = family([member("张大海", "父亲"), member("李梅", 电话="13800000002"), member("张奶奶", "奶奶")])

    undoing.undo_roster(roster=roster, by=office.by, reason="传错了表")

    assert in_force() == {"张大山": "父亲", "李梅": "母亲"}
    assert Guardianship.objects.count() == 2 and number_of(Guardianship.objects.get(name="张大山")) == FATHER


def test_the_preview_says_whose_phone_it_is(client, family, school_clerk):
    family([member("张大山", "父亲"), member("李梅", "母亲")])
    roster = family([member("张大海", "父亲"), member("李梅", 电话="13800000002")], apply=False)
    client.force_login(school_clerk)

    page = client.get(roster.get_absolute_url(), {"show": "changed"}).content.decode()

    assert "<del>张大山</del><ins>张大海</ins>" in page and "李梅的电话" in page
    assert "本次未出现" not in page


# The guardian that a class roll names.


def test_a_roll_seals_the_guardians_number_and_phone(office, school):
    office.enrol([CHILD | {"监护人姓名": "张大山", "监护人关系": "父亲", "监护人身份证号": FATHER, "监护人电话": "13800000001"}], school=school)

    guardian = Guardianship.objects.get()
    assert (number_of(guardian), phone_of(guardian), guardian.legal) == (FATHER, "13800000001", True)
    assert guardian.student.person.identifiers.filter(kind="phone").exists()  # the family is reached by it


def test_a_roll_with_another_guardian_is_a_change_that_closes_the_one_before(office, school):
    office.enrol([CHILD | {"监护人姓名": "张大山"}], school=school)

    silent = office.roll([CHILD], school=school)
    roster = office.enrol([CHILD | {"监护人姓名": "张大海"}], school=school)

    assert (silent.unchanged, RosterRow.objects.get(roster=roster).changes) == (1, [["guardian", "张大山", "张大海"]])
    assert list(in_force()) == ["张大海"]


def test_a_roll_that_names_one_parent_leaves_the_other(family, office, school):
    family([member("张大山", "父亲"), member("李梅", "母亲")])

    roster = office.enrol([CHILD | {"监护人姓名": "李梅"}, OTHER], school=school)

    assert (roster.unchanged, in_force()) == (2, {"张大山": "父亲", "李梅": "母亲"})


def test_one_id_for_child_and_guardian_is_an_error_on_a_roll_too(office, school):
    roster = office.roll([CHILD | {"监护人姓名": "张大山", "监护人身份证号": CHILD["身份证号"]}], school=school)

    assert codes(roster, "error") == ["id_same_as_guardian"]


def test_the_childs_page_shows_guardians_and_relatives_with_masked_numbers(client, aid_officer, family):
    family([member("张大山", "父亲", 成员身份证号=FATHER), member("张小妹", "妹妹", 电话="13800000001")])
    child = Person.objects.get(name="张三").student
    client.force_login(aid_officer)

    page = client.get(child.get_absolute_url()).content.decode()

    assert "监护人张大山的身份证号" in page and FATHER not in page
    assert "其他家庭成员" in page and "张小妹" in page and "13800000001" not in page
