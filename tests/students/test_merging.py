"""Two files that are one person become one, one that is two becomes two, and everything can be as it was before."""

from datetime import date

import pytest
from django.core import serializers
from django.db import connection

from bureau import secrecy
from bureau.audit import AuditEvent
from students.actions import linking, merging
from students.actions.merging import NotMerged
from students.actions.undoing import undo_preview
from students.auditing import children_with
from students.linkage.files import Chosen
from students.models import (
    Absence,
    Discrepancy,
    Duplicate,
    Enrolment,
    Entry,
    Guardianship,
    Hardship,
    Household,
    Identifier,
    Link,
    Membership,
    Merge,
    Person,
    RosterRow,
    Student,
    Whereabouts,
)
from tests.students.factories import (
    DiscrepancyFactory,
    EnrolmentFactory,
    EntryFactory,
    HardshipFactory,
    RosterFactory,
    StudentFactory,
    WhereaboutsFactory,
    citizen_id,
    give_number,
)

BORN = date(2016, 5, 1)
OWN, WRONG = citizen_id(BORN, 1), citizen_id(BORN, 3)
SEPTEMBER, OCTOBER, NOVEMBER = date(2026, 9, 20), date(2026, 10, 20), date(2026, 11, 20)
TABLES = (
    Person, Student, Identifier, Enrolment, Entry, Link, Hardship, Whereabouts, Household, Membership, Guardianship,
    Discrepancy, Absence, Duplicate, RosterRow,
)  # fmt: skip


def everything() -> dict[str, list[str]]:
    """Every row of every table a merge may touch, to the last byte."""
    return {
        model.__name__: [serializers.serialize("json", [row]) for row in model.objects.order_by("pk")] for model in TABLES
    }


@pytest.fixture
def kept(school) -> Student:
    student = StudentFactory(name="张三", number=OWN)
    EnrolmentFactory(student=student, school=school, is_registered=False)
    return student


@pytest.fixture
def other(school) -> Student:
    return StudentFactory(name="张三", number=WRONG)


def merge(kept, other, by, **more) -> Merge:
    number = Identifier.objects.filter(person=kept.pk, kind="citizen_id").values_list("pk", flat=True).first()
    return merging.merge(kept=kept, other=other, by=by, **{"reason": "户口本核对为同一人", "number": number} | more)


def full_life(student: Student, school, by) -> None:
    """Something of every kind that may hang on a child."""
    entry = EntryFactory(student=student, county=student.county, listed=(SEPTEMBER, None))
    waiting = EntryFactory(county=student.county, on="dibao", name="张叁")
    Link.objects.create(county=student.county, entry=waiting, person=student.person, method="likeness", digest=b"1")
    HardshipFactory(student=student, category="orphan", recorded_by=by, entry=entry)
    WhereaboutsFactory(student=student, recorded_by=by)
    household = Household.objects.create(county=student.county, kind="poverty", number="7", head_name="张大")
    Membership.objects.create(household=household, person=student.person, relation="之子", valid_from=SEPTEMBER)
    Guardianship.objects.create(student=student, name="张大", relation="父亲", phone_index=b"2", phone_sealed=b"3")
    DiscrepancyFactory(student=student)
    roster = RosterFactory(school=school, uploaded_by=by)
    stay = EnrolmentFactory(student=student, school=school, is_present=False)
    Absence.objects.create(county=student.county, roster=roster, school=school, enrolment=stay)
    RosterRow.objects.create(
        roster=roster, row=2, status="accepted", school=school, person_id=student.pk, enrolment_id=stay.pk, name="张三"
    )
    give_number(student.person, "13800001111", "phone")


# Merging.


def test_everything_of_the_other_file_goes_to_the_kept_one(kept, other, world, aid_officer):
    full_life(other, world.other_school, aid_officer)

    done = merge(kept, other, aid_officer)

    assert not Person.objects.filter(pk=other.pk).exists()
    assert kept.enrolments.count() == 2
    assert (kept.hardships.count(), kept.whereabouts.count(), kept.guardianships.count()) == (1, 1, 1)
    assert kept.person.entries.count() == kept.person.links.count() == kept.person.memberships.count() == 1
    assert RosterRow.objects.get().person_id == kept.pk
    assert Discrepancy.objects.get().student == kept
    assert Discrepancy.objects.get().subject_id == kept.pk.hex
    assert done.counts["students_enrolment"] == 1


def test_the_other_number_is_closed_but_still_leads_to_the_child(kept, other, aid_officer):
    merge(kept, other, aid_officer)

    numbers = {bytes(i.index): (i.valid_to is None, i.still_used) for i in Identifier.objects.filter(person=kept.pk)}
    assert numbers == {
        secrecy.blind(OWN, field="citizen_id"): (True, False),
        secrecy.blind(WRONG, field="citizen_id"): (False, True),
    }


def test_the_other_number_may_be_the_one_that_stays_and_birth_date_goes_with_it(kept, aid_officer):
    born = date(2016, 5, 11)
    other = StudentFactory(name="张三", born=born, number=citizen_id(born, 3))
    number = Identifier.objects.get(person=other.pk)

    merge(kept, other, aid_officer, number=number.pk)

    assert Identifier.objects.get(person=kept.pk, valid_to=None).pk == number.pk
    assert Person.objects.get().birth_on == born


def test_a_file_without_number_takes_the_other_ones(school, other, aid_officer):
    kept = StudentFactory(name="张三", at=school)
    Student.objects.filter(pk=kept.pk).update(number_due_on=NOVEMBER)

    merging.merge(kept=kept, other=other, reason="同一人", by=aid_officer)

    assert Identifier.objects.get(person=kept.pk).valid_to is None
    assert Student.objects.get().number_due_on is None


def test_two_open_stays_at_one_school_become_one(kept, other, school, aid_officer):
    stay = EnrolmentFactory(student=other, school=school, is_present=False, class_name="2班", boarding=True)
    roster = RosterFactory(school=school, uploaded_by=aid_officer)
    Absence.objects.create(county=kept.county, roster=roster, school=school, enrolment=stay)

    merge(kept, other, aid_officer)

    one = Enrolment.objects.get()
    assert (one.is_registered, one.is_present, one.class_name, one.boarding) == (True, True, "1班", True)
    assert Absence.objects.get().enrolment == one


def test_overlapping_hardships_become_one_from_the_first_day_to_the_last(kept, other, aid_officer):
    HardshipFactory(student=kept, valid_from=SEPTEMBER, recorded_by=aid_officer)
    HardshipFactory(student=other, valid_from=date(2026, 1, 1), valid_to=OCTOBER, recorded_by=aid_officer)
    HardshipFactory(student=other, valid_from=date(2020, 1, 1), valid_to=date(2020, 12, 31), recorded_by=aid_officer)

    merge(kept, other, aid_officer)

    spans = list(kept.hardships.order_by("valid_from").values_list("valid_from", "valid_to"))
    assert spans == [(date(2020, 1, 1), date(2020, 12, 31)), (date(2026, 1, 1), None)]


def test_a_guardian_both_files_name_stays_once_with_what_either_knows(kept, other, aid_officer):
    Guardianship.objects.create(student=kept, name="张大", relation="父亲")
    Guardianship.objects.create(student=other, name="张大", phone_sealed=b"1", phone_index=b"2")

    merge(kept, other, aid_officer)

    guardian = Guardianship.objects.get(valid_to=None)
    assert (guardian.relation, bytes(guardian.phone_index)) == ("父亲", b"2")


def test_another_name_is_a_former_name(kept, aid_officer):
    merge(kept, StudentFactory(name="张小三"), aid_officer)

    assert Person.objects.get().former_names == ["张小三"]


def test_it_is_written_down(kept, other, aid_officer):
    done = merge(kept, other, aid_officer)

    assert AuditEvent.objects.filter(verb="students.merged", subject_id=str(done.pk), by=aid_officer).count() == 1


@pytest.mark.parametrize(
    ("wrong", "code"),
    [({"reason": "  "}, "reason_required"), ({"number": None}, "number_required")],
    ids=["no reason", "no number chosen"],
)
def test_it_is_refused_without_what_it_needs(kept, other, aid_officer, wrong, code):
    before = everything()

    with pytest.raises(NotMerged) as refused:
        merge(kept, other, aid_officer, **wrong)

    assert refused.value.code == code
    assert everything() == before


def test_the_same_file_twice_is_refused(kept, aid_officer):
    with pytest.raises(NotMerged):
        merge(kept, kept, aid_officer)


def test_a_file_merged_meanwhile_is_refused(kept, other, aid_officer):
    merge(kept, other, aid_officer)

    with pytest.raises(NotMerged) as refused:
        merge(kept, other, aid_officer)
    assert refused.value.code == "gone"


def test_what_speaks_against_it_is_said_first(kept, other, school, aid_officer):
    EnrolmentFactory(student=other, school=school)
    for student in (kept, other):
        EntryFactory(student=student, county=kept.county, on="population")

    told = [found.code for found in merging.conflicts(kept, other)]

    assert told == ["numbers", "listed_twice", "same_school"]


def test_old_keys_lead_to_the_file_through_two_merges(kept, other, aid_officer):
    third = StudentFactory(name="张三")
    merge(other, third, aid_officer)
    merge(kept, other, aid_officer)

    assert merging.survivor_of(third.pk) == merging.survivor_of(other.pk) == kept.pk
    assert merging.survivor_of(kept.pk) is None


# The next files do not undo it.


def listed(number: str) -> dict[str, str]:
    return {"姓名": "张三", "身份证号": number, "户类型": "脱贫户", "出生日期": "2016-05-01"}


def test_lists_and_rolls_that_go_on_writing_the_wrong_number_mean_the_same_child(office, kept, other, school):
    office.list("poverty", [listed(OWN), listed(WRONG)], on=SEPTEMBER)
    merge(kept, other, office.by)

    linking.link_all(county=office.county, by=office.by)
    office.list("poverty", [listed(OWN), listed(WRONG)], on=OCTOBER)
    office.list("dibao", [{"姓名": "张三", "身份证号": WRONG}], on=OCTOBER)
    office.list("population", [{"姓名": "张三", "身份证号": WRONG, "出生日期": "2016-05-01"}], on=OCTOBER)
    office.enrol([{"姓名": "张三", "身份证号": WRONG, "年级": "三年级", "班级": "1班"}], school=school)

    assert Student.objects.get() == kept
    assert set(Entry.objects.values_list("person", flat=True)) == {kept.pk}


def test_a_roll_that_has_the_child_twice_is_told_so(office, kept, other, school):
    merge(kept, other, office.by)

    rows = [{"姓名": "张三", "身份证号": number, "年级": "三年级", "班级": "1班"} for number in (OWN, WRONG)]
    roster = office.roll(rows, school=school)

    assert [(p["row"], p["code"]) for p in roster.problems if p["level"] == "error"] == [(3, "duplicate_conflict")]
    assert (roster.accepted, roster.rejected, roster.absent) == (1, 1, 0)


def test_an_auditor_finds_the_looks_at_both_former_files(kept, other, county, aid_officer):
    merge(kept, other, aid_officer)

    assert set(children_with(WRONG, [county.pk])) == {kept.pk, other.pk}


def test_a_list_that_writes_the_wrong_number_under_another_name_is_asked_about(office, kept, other):
    merge(kept, other, office.by)

    office.list("poverty", [listed(WRONG) | {"姓名": "李四"}], on=OCTOBER)

    assert Link.objects.get().method == "name_conflict"


# Taking it back.


def test_a_merge_taken_back_leaves_everything_as_it_was_to_the_byte(kept, other, world, aid_officer):
    full_life(other, world.other_school, aid_officer)
    EnrolmentFactory(student=other, school=world.school, is_present=False)
    HardshipFactory(student=kept, category="orphan", recorded_by=aid_officer)
    Guardianship.objects.create(student=kept, name="张大")
    entry = Entry.objects.get(person=other.pk)
    Link.objects.create(county=kept.county, entry=entry, person=kept.person, method="x", digest=b"1", status="rejected")
    before = everything()

    done = merge(kept, other, aid_officer)
    assert everything() != before
    merging.undo(done=done, reason="看错了", by=aid_officer)

    assert everything() == before
    done.refresh_from_db()
    assert (done.undone_by, done.undo_reason) == (aid_officer, "看错了")
    assert AuditEvent.objects.filter(verb="students.merge_undone").count() == 1


def test_merged_again_after_being_taken_back(kept, other, aid_officer):
    merging.undo(done=merge(kept, other, aid_officer), reason="看错了", by=aid_officer)

    merge(kept, other, aid_officer)

    assert Student.objects.get() == kept


def test_what_was_changed_since_stays_as_it_is_now(kept, other, world, aid_officer):
    stay = EnrolmentFactory(student=other, school=world.other_school)
    done = merge(kept, other, aid_officer)
    Enrolment.objects.filter(pk=stay.pk).update(class_name="7班")

    merging.undo(done=done, reason="看错了", by=aid_officer)

    stay.refresh_from_db()
    assert (stay.student_id, stay.class_name) == (other.pk, "7班")


def test_rows_drawn_in_since_by_the_number_go_back_with_it(office, kept, other):
    done = merge(kept, other, office.by)
    office.list("poverty", [listed(WRONG)], on=OCTOBER)
    assert Entry.objects.get().person_id == kept.pk

    merging.undo(done=done, reason="看错了", by=office.by)

    assert Entry.objects.get().person_id == other.pk


def test_the_last_of_two_merges_is_taken_back_first(kept, other, aid_officer):
    first = merge(other, StudentFactory(name="张三"), aid_officer)
    second = merge(kept, other, aid_officer)

    with pytest.raises(NotMerged) as refused:
        merging.undo(done=first, reason="看错了", by=aid_officer)
    assert "请先撤销后来的" in str(refused.value)

    merging.undo(done=second, reason="看错了", by=aid_officer)
    merging.undo(done=first, reason="看错了", by=aid_officer)
    assert Student.objects.count() == 3


def test_it_is_not_taken_back_twice(kept, other, aid_officer):
    done = merge(kept, other, aid_officer)
    merging.undo(done=done, reason="看错了", by=aid_officer)

    with pytest.raises(NotMerged):
        merging.undo(done=done, reason="看错了", by=aid_officer)


def test_a_roll_that_brought_in_a_merged_child_is_not_undone_before_the_merge(office, school, kept):
    roster = office.enrol([{"姓名": "张叁", "身份证号": WRONG, "年级": "三年级", "班级": "1班"}], school=school)
    other = Student.objects.exclude(pk=kept.pk).get()
    done = merge(kept, other, office.by)
    assert any("合并" in obstacle.title for obstacle in undo_preview(roster=roster).obstacles)

    merging.undo(done=done, reason="看错了", by=office.by)
    assert not any("合并" in obstacle.title for obstacle in undo_preview(roster=roster).obstacles)


# Splitting.


@pytest.fixture
def both(school, world) -> Student:
    """One file with two children in it: at two schools, with the row of somebody else."""
    student = StudentFactory(name="张三", number=OWN, at=school)
    EnrolmentFactory(student=student, school=world.other_school, entered_in=2025)
    return student


def of_other(both, world) -> Chosen:
    return Chosen(enrolments=set(both.enrolments.filter(school=world.other_school).values_list("pk", flat=True)))


def split(student, chosen, by, **more) -> Merge:
    given = {"name": "张珊", "sex": "2", "birth_on": BORN, "reason": "两个孩子用了一个号码"} | more
    return merging.split(student=student, chosen=chosen, by=by, **given)


def test_the_chosen_rows_go_to_a_new_file(both, world, aid_officer):
    done = split(both, of_other(both, world), aid_officer)

    new = Student.objects.get(pk=done.other)
    assert (new.person.name, new.person.name_key, new.person.pinyin) == ("张珊", "张珊", "zhang shan")
    assert [stay.school for stay in new.enrolments.all()] == [world.other_school]
    assert [stay.school for stay in both.enrolments.all()] == [world.school]
    assert new.number_due_on is not None  # at school and without a number


def test_a_row_that_goes_stays_gone_and_brings_its_number(office, both, world):
    office.list("poverty", [listed(OWN) | {"姓名": "张三"}], on=SEPTEMBER)
    entry = Entry.objects.get()
    chosen = of_other(both, world)
    chosen.entries = {entry.pk}

    done = split(both, chosen, office.by)
    linking.link_all(county=office.county, by=office.by)
    office.list("poverty", [listed(OWN) | {"姓名": "张三", "备注": "新"}], on=OCTOBER)

    assert Entry.objects.get().person_id == done.other
    assert not Identifier.objects.filter(person=done.other).exists()  # the number is the other child's


def test_the_two_are_not_proposed_as_one_again(both, world, aid_officer):
    done = split(both, of_other(both, world), aid_officer)

    assert Duplicate.objects.get().state == Duplicate.State.DIFFERENT
    assert {Duplicate.objects.get().first, Duplicate.objects.get().second} == {both.pk, done.other}


def test_a_split_taken_back_leaves_everything_as_it_was_to_the_byte(both, world, aid_officer):
    full_life(both, world.center_school, aid_officer)
    entry = Entry.objects.get(person=both.pk)
    chosen = of_other(both, world)
    chosen.entries = {entry.pk}
    chosen.guardianships = set(both.guardianships.values_list("pk", flat=True))
    chosen.hardships = set(both.hardships.values_list("pk", flat=True))
    chosen.whereabouts = set(both.whereabouts.values_list("pk", flat=True))
    chosen.memberships = set(both.person.memberships.values_list("pk", flat=True))
    before = everything()

    done = split(both, chosen, aid_officer)
    assert Guardianship.objects.get().student_id == done.other
    merging.undo(done=done, reason="看错了", by=aid_officer)

    assert everything() == before


@pytest.mark.parametrize(
    ("choose", "code"),
    [(lambda both: Chosen(), "nothing_chosen"),
     (lambda both: Chosen(enrolments=set(both.enrolments.values_list("pk", flat=True))), "nothing_left")],
    ids=["nothing goes", "nothing stays"],
)
def test_both_files_need_something(both, aid_officer, choose, code):
    with pytest.raises(NotMerged) as refused:
        split(both, choose(both), aid_officer)

    assert refused.value.code == code


def test_a_split_is_not_taken_back_when_more_was_written_into_the_new_file(both, world, aid_officer):
    done = split(both, of_other(both, world), aid_officer)
    WhereaboutsFactory(student=Student.objects.get(pk=done.other), recorded_by=aid_officer)

    with pytest.raises(NotMerged) as refused:
        merging.undo(done=done, reason="看错了", by=aid_officer)

    assert "请改用合并" in str(refused.value)


def test_what_the_comparison_found_about_the_new_file_does_not_keep_the_split(office, both, world):
    office.list("population", [{"姓名": "王五", "身份证号": citizen_id(BORN, 9), "出生日期": "2016-05-01"}], on=SEPTEMBER)
    done = split(both, of_other(both, world), office.by)
    office.reconcile()
    assert Discrepancy.objects.filter(student=done.other).exists()

    merging.undo(done=done, reason="看错了", by=office.by)

    assert not Student.objects.filter(pk=done.other).exists()
    assert connection.check_constraints() is None


# 可能是同一人.


def sought(county, by) -> set[tuple[frozenset, str]]:
    merging.seek_duplicates(county=county, by=by)
    return {(frozenset((one.first, one.second)), one.why) for one in Duplicate.objects.waiting()}


def pair(*students) -> frozenset:
    return frozenset(student.pk for student in students)


@pytest.mark.parametrize(("sequence", "asked"), [(21, True), (122, False)], ids=["one digit", "three digits"])
def test_namesakes_of_one_day_with_nearly_one_number_are_asked_about(county, aid_officer, sequence, asked):
    files = [StudentFactory(name="张三", number=citizen_id(BORN, number)) for number in (1, sequence)]

    assert sought(county, aid_officer) == ({(pair(*files), "near_number")} if asked else set())


def test_swapped_neighbours_are_nearly_one_number(county, aid_officer):
    files = [StudentFactory(name="张三", number=citizen_id(BORN, sequence)) for sequence in (12, 21)]

    assert sought(county, aid_officer) == {(pair(*files), "near_number")}


def test_a_classmate_of_the_same_name_without_a_number_is_asked_about(county, school, world, aid_officer):
    numbered = StudentFactory(name="张三", number=OWN, at=school)
    bare = StudentFactory(name="张三", at=school)
    StudentFactory(name="张三", born=date(2015, 1, 1), at=school)
    elsewhere = StudentFactory(name="张三", at=world.other_school)

    assert sought(county, aid_officer) == {(pair(numbered, bare), "classmate")}
    assert elsewhere.pk not in {key for one in Duplicate.objects.all() for key in (one.first, one.second)}


def test_namesakes_of_one_day_at_one_school_are_asked_about(county, school, aid_officer):
    files = [StudentFactory(name="张三", number=citizen_id(BORN, sequence), at=school) for sequence in (1, 103)]

    assert sought(county, aid_officer) == {(pair(*files), "schoolmate")}


def test_a_number_inside_another_number_that_is_somebodys_own_is_asked_about(county, aid_officer):
    long_ago = date(1985, 1, 1)
    one = StudentFactory(name="张三", number=OWN)
    same = StudentFactory(name="张叁", number=WRONG, born=date(2016, 5, 2))
    StudentFactory(name="张大", number=citizen_id(long_ago), born=long_ago)  # a parent's number on the child's certificate
    for number in (WRONG, citizen_id(long_ago)):
        give_number(one.person, number, derived=True)

    assert sought(county, aid_officer) == {(pair(one, same), "derived")}


def test_an_answer_stands_until_there_is_a_stronger_reason(county, school, aid_officer):
    one, two = (StudentFactory(name="张三", number=citizen_id(BORN, sequence), at=school) for sequence in (1, 103))
    merging.seek_duplicates(county=county, by=aid_officer)
    merging.decide(duplicate=Duplicate.objects.get(), answer="no", reason="两家人", by=aid_officer)
    assert sought(county, aid_officer) == set()

    give_number(two.person, citizen_id(BORN, 21))
    assert sought(county, aid_officer) == {(pair(one, two), "near_number")}


def test_a_proposal_whose_cause_went_goes(county, school, aid_officer):
    _, two = (StudentFactory(name="张三", number=citizen_id(BORN, sequence), at=school) for sequence in (1, 103))
    merging.seek_duplicates(county=county, by=aid_officer)
    two.enrolments.update(ended_on=OCTOBER)

    assert sought(county, aid_officer) == set()
    assert not Duplicate.objects.exists()


def test_merging_answers_the_question_and_taking_it_back_asks_it_again(kept, other, county, school, aid_officer):
    EnrolmentFactory(student=other, school=school)
    merging.seek_duplicates(county=county, by=aid_officer)

    done = merge(kept, other, aid_officer)
    assert Duplicate.objects.get().state == Duplicate.State.MERGED

    merging.undo(done=done, reason="看错了", by=aid_officer)
    assert Duplicate.objects.get().state == Duplicate.State.PROPOSED
