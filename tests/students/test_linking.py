"""身份匹配: every step of the ladder, and those who must never be taken for one another."""

from datetime import date

import pytest

from bureau import secrecy
from bureau.audit import AuditEvent
from students.actions import linking
from students.models import Entry, Link, Membership, Student
from tests.students.factories import StudentFactory, citizen_id, give_number

OCTOBER, NOVEMBER = date(2026, 10, 10), date(2026, 11, 10)
BORN = date(2016, 5, 1)
OWN, OTHER = citizen_id(BORN, 1), citizen_id(BORN, 3)
FATHER = citizen_id(date(1985, 3, 2), 7)


def row(name: str = "张三", number: str = "", **more: str) -> dict[str, str]:
    return {"姓名": name, "身份证号": number, "户类型": "脱贫户", "出生日期": "2016-05-01"} | more


def linked(office, rows, register: str = "poverty", on: date = OCTOBER) -> list[tuple]:
    """(linked person's name, method) of each row of the list, in its order."""
    snapshot = office.list(register, rows, on=on)
    entries = Entry.objects.filter(sightings__snapshot=snapshot).order_by("sightings__row").select_related("person")
    return [(entry.person and entry.person.name, entry.link_method) for entry in entries]


def state(name: str = "张三") -> str:
    return Entry.objects.get(name=name).link_state


def one_digit_off(number: str) -> str:
    return number[:16] + str((int(number[16]) + 1) % 10) + number[17]


# Steps 1–3: the number.


@pytest.mark.parametrize(
    "written",
    [OWN, f" {OWN} ", f"'{OWN}", OWN.translate(str.maketrans("0123456789", "０１２３４５６７８９")), f"{OWN[:6]} {OWN[6:14]} {OWN[14:]}"],
    ids=["as it is", "spaces around", "quote", "full width", "spaces inside"],
)
@pytest.mark.parametrize("name", ["张三", "张 三", "張三", "张·三"], ids=["same", "space", "traditional", "dot"])
def test_the_same_number_and_name_however_written_is_the_same_child(office, written, name):
    StudentFactory(name="张三", number=OWN)

    assert linked(office, [row(name, written)]) == [("张三", "citizen_id")]


def test_fifteen_digits_are_the_same_number(office):
    born = date(1999, 5, 1)
    eighteen = citizen_id(born, 1)
    StudentFactory(name="张三", born=born, number=eighteen)

    assert linked(office, [row("张三", eighteen[:6] + eighteen[8:17], 出生日期="")]) == [("张三", "citizen_id")]


@pytest.mark.parametrize("name", ["张?", "张□", "张\ue863"], ids=["question mark", "box", "private use"])
def test_a_damaged_name_under_the_same_number_is_compatible(office, name):
    StudentFactory(name="张三", number=OWN)

    assert linked(office, [row(name, OWN)]) == [("张三", "citizen_id")]


def test_a_former_name_is_compatible(office):
    person = StudentFactory(name="张三", number=OWN).person
    person.former_names = ["张小花"]
    person.save()

    assert linked(office, [row("张小花", OWN)]) == [("张三", "citizen_id")]


@pytest.mark.parametrize("name", ["李四", "张珊", "张三丰"], ids=["another name", "homophone", "longer"])
def test_the_same_number_under_another_name_is_proposed_as_a_conflict(office, name):
    student = StudentFactory(name="张三", number=OWN)

    assert linked(office, [row(name, OWN)]) == [(None, "")]
    proposal = Link.objects.get()
    assert (proposal.person_id, proposal.method, state(name)) == (student.pk, "name_conflict", "proposed")


def test_a_number_that_was_closed_is_nobody_s_proof(office):
    identifier = give_number(StudentFactory(name="张三").person, OWN)
    identifier.valid_to = date(2026, 1, 1)
    identifier.save()

    assert linked(office, [row("张三", OWN)])[0][1] != "citizen_id"


# Steps 4 and 5: hints.


def test_the_student_number_links_where_name_and_birth_date_agree(office):
    give_number(StudentFactory(name="张三").person, "G" + OWN, "student_number")

    assert linked(office, [row(全国学籍号="G" + OWN)]) == [("张三", "student_number")]


def test_the_id_inside_a_student_number_links_where_name_and_birth_date_agree(office):
    StudentFactory(name="张三", number=OWN)

    assert linked(office, [row(全国学籍号="G" + OWN)]) == [("张三", "embedded_id")]


@pytest.mark.parametrize("faulty", [{"姓名": "张珊"}, {"出生日期": "2016-05-02"}], ids=["name", "birth date"])
def test_a_hint_alone_is_no_proof(office, faulty):
    StudentFactory(name="张三", number=OWN)

    assert linked(office, [row(全国学籍号="G" + OWN) | faulty]) == [(None, "")]


def test_a_certificate_with_the_child_s_own_number_links(office):
    StudentFactory(name="张三", number=OWN)
    rows = [{"姓名": "张三", "残疾人证号": OWN + "44", "出生日期": "2016-05-01", "残疾类别": "智力", "残疾等级": "四级"}]

    assert linked(office, rows, "disability") == [("张三", "embedded_id")]


def test_a_parent_s_certificate_on_the_child_s_row_links_neither(office):
    StudentFactory(name="张三", number=OWN)
    StudentFactory(name="张大", born=date(1985, 3, 2), number=FATHER)
    rows = [{"姓名": "张三", "残疾人证号": FATHER + "44", "出生日期": "2016-05-01", "残疾类别": "肢体", "残疾等级": "四级"}]

    assert linked(office, rows, "disability") == [(None, "")]


# Step 6: the family.


def guarded_by(student: Student, number: str) -> None:
    student.guardianships.create(name="张大", number_index=secrecy.blind(number, field="citizen_id"))


def test_name_birth_date_and_guardian_link(office):
    guarded_by(StudentFactory(name="张三"), FATHER)

    assert linked(office, [row(户主身份证号=FATHER)], "population") == [("张三", "family")]


def test_name_birth_date_and_household_link(office):
    """The household is known from a row whose own number linked it."""
    StudentFactory(name="张三", number=OWN)
    linked(office, [row(number=OWN, 户编号="88")], on=OCTOBER)

    assert linked(office, [row(户编号="88", 监测对象类别="边缘易致贫户")], "monitored", on=NOVEMBER) == [("张三", "family")]


@pytest.mark.parametrize(
    "faulty",
    [{"姓名": "张珊"}, {"出生日期": "2016-05-02"}, {"户主身份证号": citizen_id(date(1985, 3, 2), 9)}],
    ids=["name", "birth date", "guardian"],
)
def test_a_family_that_agrees_in_all_but_one_is_not_linked(office, faulty):
    guarded_by(StudentFactory(name="张三"), FATHER)

    assert linked(office, [row(户主身份证号=FATHER) | faulty]) == [(None, "")]


def test_two_candidates_are_never_decided_by_the_program(office):
    for _ in range(2):
        guarded_by(StudentFactory(name="张三"), FATHER)

    assert linked(office, [row(户主身份证号=FATHER)], "population") == [(None, "")]
    assert Link.objects.count() == 2


def test_two_rows_for_one_child_are_never_decided_by_the_program(office):
    guarded_by(StudentFactory(name="张三"), FATHER)

    rows = [row(户主身份证号=FATHER, 户号="1"), row(户主身份证号=FATHER, 户号="2")]
    assert linked(office, rows, "population") == [(None, ""), (None, "")]


# Those who must not be taken for one another.


def test_a_namesake_of_the_same_day_is_not_linked(office):
    StudentFactory(name="张三", number=OWN)

    assert linked(office, [row("张三", OTHER)]) == [(None, "")]


def test_a_number_that_is_somebody_s_is_never_given_to_another(office):
    """Everything but the number speaks for 张三; the number is 李四's."""
    guarded_by(StudentFactory(name="张三"), FATHER)
    StudentFactory(name="李四", number=OTHER)

    assert linked(office, [row("张三", OTHER, 户主身份证号=FATHER)], "population") == [(None, "")]


def test_twins_are_told_apart(office):
    for name in ("张大双", "张小双"):
        guarded_by(StudentFactory(name=name), FATHER)

    rows = [row(name, 户主身份证号=FATHER, 户号="9") for name in ("张小双", "张大双")]
    assert linked(office, rows, "population") == [("张小双", "family"), ("张大双", "family")]


@pytest.mark.parametrize("damaged", ["张?", "张□", "张*", "张\ue863", "张\U000f0001"])
def test_two_names_damaged_at_the_same_place_are_not_the_same_name(office, damaged):
    """张伟 and 张强 are twins; each list lost the character that tells them apart."""
    twin = StudentFactory(name=damaged, number=OWN)
    guarded_by(twin, FATHER)
    give_number(twin.person, "G" + OWN, "student_number")

    rows = [row(damaged, 户主身份证号=FATHER), row(damaged, 户主身份证号=FATHER, 全国学籍号="G" + OWN)]
    assert linked(office, rows, "population")[0] == (None, "")
    assert Entry.objects.filter(person=twin.person).count() == 0


def test_a_damaged_name_does_no_harm_where_the_number_is_the_proof(office):
    StudentFactory(name="张?", number=OWN)

    assert linked(office, [row("张?", OWN), row("张?", OTHER)]) == [("张?", "citizen_id"), (None, "")]


# Steps 7 and 8: only proposed.


@pytest.mark.parametrize(
    ("number", "how"),
    [
        (one_digit_off(OWN), "one_off"),
        (OWN[:12] + OWN[13] + OWN[12] + OWN[14:], "one_off"),
        (OWN[:15] + "000", "truncated"),
    ],
    ids=["one digit", "neighbours swapped", "cut by a spreadsheet"],
)
def test_a_number_nearly_right_is_proposed_with_its_reason(office, number, how):
    student = StudentFactory(name="张三", number=OWN)

    assert linked(office, [row("张三", number)]) == [(None, "")]
    proposal = Link.objects.get()
    assert (proposal.person_id, proposal.evidence["number"], proposal.evidence["name"]) == (student.pk, how, "same")


def test_proposals_are_few_and_the_best_comes_first(office):
    best = StudentFactory(name="张三", number=OWN)
    for n in range(6):
        StudentFactory(name="张三", number=citizen_id(BORN, 101 + 2 * n))

    linked(office, [row("张三", one_digit_off(OWN))])

    proposals = list(Link.objects.order_by("-score", "id"))
    assert len(proposals) <= 3
    assert proposals[0].person_id == best.pk


def test_strangers_are_not_proposed(office):
    StudentFactory(name="王五", born=date(2012, 1, 1), number=citizen_id(date(2012, 1, 1)))

    linked(office, [row("张三", OWN)])

    assert state() == "unlinked"


def test_a_row_waits_until_the_child_is_known(office, school):
    linked(office, [row("张三", OWN)])
    assert state() == "unlinked"

    office.enrol([{"姓名": "张三", "身份证号": OWN, "年级": "三年级", "班级": "1班"}], school=school)

    assert state() == "linked"


# Human answers.


@pytest.fixture
def proposal(office) -> Link:
    """张三's row with a digit wrong, proposed for 张三."""
    StudentFactory(name="张三", number=OWN)
    office.list("poverty", [row("张三", one_digit_off(OWN), 人编号="7")], on=OCTOBER)
    return Link.objects.get()


def test_yes_links_and_is_written_down(office, proposal):
    decided = linking.decide(link=proposal, answer="yes", reason="核对户口本", by=office.by)

    entry = Entry.objects.get()
    assert (entry.person_id, entry.link_state, entry.link_method) == (proposal.person_id, "linked", "confirmed")
    assert (decided.status, decided.reason, decided.decided_by) == ("confirmed", "核对户口本", office.by)
    assert AuditEvent.objects.filter(verb="students.link_decided", by=office.by).count() == 1


def test_yes_ends_the_other_proposals_of_the_row(office):
    for _ in range(2):
        StudentFactory(name="张三")
    office.list("poverty", [row("张三")], on=OCTOBER)
    first, _ = Link.objects.all()

    linking.decide(link=first, answer="yes", reason="", by=office.by)

    assert [link.status for link in Link.objects.all()] == ["confirmed"]


def test_yes_remembers_the_household(office):
    student = StudentFactory(name="张三", number=OWN)
    office.list("poverty", [row("张三", one_digit_off(OWN), 户编号="88")], on=OCTOBER)
    assert not Membership.objects.exists()

    linking.decide(link=Link.objects.get(), answer="yes", reason="", by=office.by)

    assert Membership.objects.get().person_id == student.pk


@pytest.mark.parametrize(("answer", "status"), [("no", "rejected"), ("undecided", "undecided")])
def test_no_and_not_yet_leave_the_row_unlinked_and_are_not_asked_again(office, proposal, answer, status):
    linking.decide(link=proposal, answer=answer, reason="不是一家", by=office.by)
    linking.link_all(county=office.county, by=office.by)

    assert state() == "unlinked"
    assert [link.status for link in Link.objects.all()] == [status]


def test_one_of_two_proposals_refused_leaves_the_other(office):
    for _ in range(2):
        StudentFactory(name="张三")
    office.list("poverty", [row("张三")], on=OCTOBER)
    first, second = Link.objects.all()

    linking.decide(link=first, answer="no", reason="", by=office.by)
    linking.link_all(county=office.county, by=office.by)

    assert state() == "proposed"
    assert set(Link.objects.filter(status="proposed").values_list("person", flat=True)) == {second.person_id}


def test_a_refused_child_is_not_linked_by_a_later_import_either(office):
    """Family would link them; the officer knows better."""
    student = StudentFactory(name="张三")
    office.list("poverty", [row("张三")], on=OCTOBER)
    linking.decide(link=Link.objects.get(), answer="no", reason="", by=office.by)
    give_number(student.person, "G" + OWN, "student_number")
    Entry.objects.update(number_index=secrecy.blind("G" + OWN, field="student_number"))

    linking.link_all(county=office.county, by=office.by)

    assert state() == "unlinked"


@pytest.mark.parametrize("answer", ["no", "undecided"])
def test_an_answer_stands_while_the_row_says_the_same(office, proposal, answer):
    linking.decide(link=proposal, answer=answer, reason="", by=office.by)

    office.list("poverty", [row("张三", one_digit_off(OWN), 人编号="7")], on=NOVEMBER)

    assert state() == "unlinked"


@pytest.mark.parametrize("answer", ["no", "undecided"])
def test_an_answer_is_asked_for_again_when_the_row_changed(office, proposal, answer):
    linking.decide(link=proposal, answer=answer, reason="", by=office.by)

    office.list("poverty", [row("张三", one_digit_off(OWN), 人编号="7", 村="上村")], on=NOVEMBER)

    asked = Link.objects.get()
    assert (asked.status, asked.reason, asked.decided_by) == ("proposed", "", None)
    assert state() == "proposed"


def test_a_confirmed_link_survives_changes_that_are_not_about_who_he_is(office, proposal):
    linking.decide(link=proposal, answer="yes", reason="", by=office.by)
    office.list("poverty", [row("张三", one_digit_off(OWN), 人编号="7", 村="上村")], on=NOVEMBER)

    assert state() == "linked"


def test_a_corrected_number_lets_a_confirmed_link_be_judged_anew(office):
    student = StudentFactory(name="张三", number=OWN)
    office.list("poverty", [row("张三", one_digit_off(OWN), 人编号="7")], on=OCTOBER)
    linking.decide(link=Link.objects.get(), answer="yes", reason="", by=office.by)

    office.list("poverty", [row("张三", OWN, 人编号="7")], on=NOVEMBER)

    assert Entry.objects.get().person_id == student.pk
    assert Entry.objects.get().link_method == "citizen_id"


def test_an_answer_taken_back_unlinks_the_row(office, proposal):
    linking.decide(link=proposal, answer="yes", reason="", by=office.by)

    linking.decide(link=Link.objects.get(), answer="no", reason="看错了", by=office.by)

    assert state() == "unlinked"
    assert Entry.objects.get().person is None


def test_a_row_linked_meanwhile_is_no_longer_asked_about(office, school):
    """The school corrects the child's name to the one on the list: the question has answered itself."""
    StudentFactory(name="张三", number=OWN, at=school)
    office.list("poverty", [row("张珊", OWN)], on=OCTOBER)
    assert Link.objects.get().method == "name_conflict"

    office.enrol([{"姓名": "张珊", "身份证号": OWN, "年级": "三年级", "班级": "1班"}], school=school)

    assert state("张珊") == "linked"
    assert not Link.objects.filter(status="proposed").exists()


# Children a list may make known, and answers.


def test_a_police_row_with_a_proposal_waits_and_becomes_a_child_once_it_is_refused(office):
    StudentFactory(name="张三", number=OWN)
    office.list("population", [row("张三", OWN[:15] + "000")], on=OCTOBER)
    assert Student.objects.count() == 1

    linking.decide(link=Link.objects.get(), answer="no", reason="", by=office.by)
    linking.link_all(county=office.county, by=office.by)

    assert Student.objects.count() == 2


def test_a_police_row_not_yet_decided_makes_nobody_known(office):
    """暂不能认定: he may be 张三 after all; a second 张三 would be looked for as a child out of school."""
    StudentFactory(name="张三", number=OWN)
    office.list("population", [row("张三", OWN[:15] + "000")], on=OCTOBER)

    linking.decide(link=Link.objects.get(), answer="undecided", reason="等派出所答复", by=office.by)
    linking.link_all(county=office.county, by=office.by)

    assert Student.objects.count() == 1


def test_linking_twice_changes_nothing(office):
    StudentFactory(name="张三", number=OWN)
    StudentFactory(name="李四")
    office.list("poverty", [row("张三", OWN), row("李四"), row("王五", OTHER)], on=OCTOBER)
    before = (list(Entry.objects.order_by("pk").values()), list(Link.objects.values_list("entry", "person", "score")))

    told = linking.link_all(county=office.county, by=office.by)

    assert told == {"linked": 1, "proposed": 1, "unlinked": 1, "confirmed": 0}
    assert (list(Entry.objects.order_by("pk").values()), list(Link.objects.values_list("entry", "person", "score"))) == before


# What an answer rests on, and how little it takes to find the child.


def test_an_answer_stands_while_only_money_or_remarks_change(office):
    StudentFactory(name="张三", number=OWN)
    listed = {"姓名": "张三", "身份证号": one_digit_off(OWN), "低保证号": "D1", "户主姓名": "张大", "月保障金额": "420"}
    office.list("dibao", [listed], on=OCTOBER)
    linking.decide(link=Link.objects.get(), answer="no", reason="两家人", by=office.by)

    office.list("dibao", [listed | {"月保障金额": "450", "备注": "调标"}], on=NOVEMBER)
    assert state() == "unlinked"

    office.list("dibao", [listed | {"户主姓名": "张二"}], on=date(2026, 12, 10))
    assert state() == "proposed"


@pytest.mark.parametrize(
    ("listed", "evidence"),
    [
        ({"身份证号": OWN[:10] + OWN[11:]}, {"number": "one_off"}),
        ({"身份证号": OWN[:15] + "000", "出生日期": ""}, {"number": "truncated"}),
        ({"出生日期": "2016-01-05"}, {"birth": "swapped"}),
        ({"出生日期": "2015-05-01"}, {"birth": "near"}),
        ({"姓名": "张叁", "户主身份证号": FATHER}, {"name": "homophone", "guardian": "same"}),
        ({"姓名": "张珊珊", "户主身份证号": FATHER, "出生日期": ""}, None),
        ({"姓名": "张亖", "身份证号": one_digit_off(OWN)}, {"number": "one_off"}),
        ({"姓名": "张伞", "户主姓名": "张大"}, {"name": "homophone", "head": "same"}),
        ({"姓名": "张四", "身份证号": one_digit_off(OWN)}, {"name": "surname", "number": "one_off"}),
        ({"姓名": "李四", "身份证号": one_digit_off(OWN)}, None),
    ],
    ids=["a digit lost", "cut, no birth date", "day and month swapped", "year off", "homophone and guardian",
         "another name, only the guardian", "rare character", "homophone and head", "surname and number", "only the number"],
)  # fmt: skip
def test_a_damaged_row_is_proposed_with_what_speaks_for_it(office, listed, evidence):
    student = StudentFactory(name="张三", number=OWN)
    guarded_by(student, FATHER)

    linked(office, [row() | listed], "population" if "户主身份证号" in listed else "poverty")

    told = [(link.person_id, link.evidence.items() >= evidence.items()) for link in Link.objects.all()] if evidence else []
    assert told == ([(student.pk, True)] if evidence else [])
    assert Link.objects.exists() == (evidence is not None)


def test_a_number_kept_only_as_a_hint_proposes_and_does_not_link(office):
    student = StudentFactory(name="张三", number=OWN)
    give_number(student.person, OTHER, derived=True)

    assert linked(office, [row("张三", OTHER)]) == [(None, "")]
    assert Link.objects.get().evidence["embedded"] == "same"


def test_the_row_of_a_namesake_with_a_sound_number_of_his_own_is_not_proposed(office):
    StudentFactory(name="张三", number=OWN)

    linked(office, [row("张三", citizen_id(BORN, 345))])

    assert state() == "unlinked"


def test_a_row_with_the_number_of_another_child_names_both(office):
    """The clerk slipped by one line: the name is 张三's, the number 李四's."""
    meant, owner = StudentFactory(name="张三", number=OWN), StudentFactory(name="李四", number=OTHER)

    linked(office, [row("张三", OTHER)])

    assert list(Link.objects.order_by("-score").values_list("person", flat=True)) == [owner.pk, meant.pk]
    assert Link.objects.get(person=meant.pk).evidence["number"] == "anothers"


def test_the_one_thing_that_differs_is_named_for_a_look_together(office):
    StudentFactory(name="张三", number=OWN)
    linked(office, [row("张三", one_digit_off(OWN))])
    assert Link.objects.get().differs == "number:one_off"


def test_proposals_that_stand_keep_their_places_when_lists_are_linked_again(office):
    StudentFactory(name="张三", number=OWN)
    linked(office, [row("张三", one_digit_off(OWN))])
    before = list(Link.objects.values())

    linking.link_all(county=office.county, by=office.by)

    assert list(Link.objects.values()) == before
