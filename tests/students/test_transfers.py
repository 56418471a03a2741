"""学籍异动: announced, claimed, confirmed or denied, answered, resumed, taken back; never a dropout by another name."""

from datetime import date

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from bureau.access.roles import Role
from bureau.audit import AuditEvent
from bureau.states import IllegalMove, Transition
from students import desk_moving
from students.actions import absences, transfers, undoing
from students.actions.absences import Explanation, NotExplained
from students.actions.transfers import NotMoved
from students.models import Absence, Enrolment, Movement, MovementPaper, Whereabouts
from tests.factories import AccountFactory
from tests.students.factories import EnrolmentFactory, StudentFactory, citizen_id
from tests.students.test_absences import LI, ZHANG

TODAY, LEFT = date(2026, 10, 12), date(2026, 9, 20)
State, Kind = Movement.State, Movement.Kind


@pytest.fixture(autouse=True)
def _today(monkeypatch):
    monkeypatch.setattr(timezone, "localdate", lambda *args: TODAY if not args else args[0].date())


@pytest.fixture
def stay(world) -> Enrolment:
    return EnrolmentFactory(school=world.school, student=StudentFactory(name="张三", county=world.county))


@pytest.fixture
def receiving_clerk(world):
    return AccountFactory(role=Role.SCHOOL_CLERK, at=world.other_school)


def announce(
    stay: Enrolment, by, kind: str = Kind.IN_COUNTY, *, evidence: str = "转学申请", **more
) -> Movement:
    return transfers.announce(
        enrolment=stay, change=Explanation(kind, LEFT, evidence, **more), today=TODAY, by=by
    )


def moved(world, stay, school_clerk) -> Movement:
    return announce(stay, school_clerk, to_school=world.other_school)


def claim(movement: Movement, by, **given) -> Movement:
    return transfers.claim(
        movement=movement, **({"arrived_on": LEFT, "class_name": "2班"} | given), today=TODAY, by=by
    )


def facts(stay: Enrolment) -> tuple:
    stay.refresh_from_db()
    return stay.is_present, stay.is_registered, stay.state, stay.ended_on, stay.exit_kind


AS_BEFORE = (True, True, "", None, "")


# Inside the county.


def test_a_child_announced_is_claimed_and_confirmed_and_his_registration_goes_with_him(
    world, stay, school_clerk, receiving_clerk
):
    movement = moved(world, stay, school_clerk)
    assert (movement.state, movement.due_on) == (State.ANNOUNCED, date(2026, 10, 26))  # ten 工作日
    assert facts(stay)[:2] == (False, True)

    claim(movement, receiving_clerk)
    there = Enrolment.objects.get(school=world.other_school)
    assert (there.is_present, there.is_registered, there.class_name, there.entered_in) == (
        True,
        False,
        "2班",
        2024,
    )

    transfers.confirm(movement=movement, today=TODAY, by=school_clerk)

    assert facts(stay) == (False, False, "", LEFT, "转出")
    there.refresh_from_db()
    assert (there.is_registered, there.ended_on) == (True, None)
    movement.refresh_from_db()
    assert (movement.state, movement.finished_on) == (State.CONFIRMED, TODAY)
    assert AuditEvent.objects.filter(verb="students.movement_confirmed", subject_id=str(movement.pk)).exists()


def test_nobody_confirms_before_the_other_school_has_the_child(world, stay, school_clerk):
    movement = moved(world, stay, school_clerk)

    with pytest.raises(NotMoved) as refusal:
        transfers.confirm(movement=movement, today=TODAY, by=school_clerk)

    assert refusal.value.code == "not_claimed"


def test_two_clerks_claim_and_one_of_them_does(world, stay, school_clerk, receiving_clerk):
    movement = moved(world, stay, school_clerk)
    claim(movement, receiving_clerk)

    with pytest.raises(IllegalMove):
        claim(movement, AccountFactory(role=Role.SCHOOL_CLERK, at=world.other_school))

    assert Enrolment.objects.filter(school=world.other_school).count() == 1


def test_a_denied_claim_is_seen_by_the_bureau_and_can_be_agreed_to_later(
    world, stay, school_clerk, receiving_clerk, basic_education_officer
):
    movement = claim(moved(world, stay, school_clerk), receiving_clerk)
    transfers.deny(movement=movement, reason="家长没有申请", by=school_clerk)

    waiting = {todo.title: todo.count for todo in desk_moving.moves_to_answer(basic_education_officer)}
    assert waiting["转学两校意见不一，请协调"] == 1

    transfers.confirm(movement=movement, today=TODAY, by=school_clerk)
    assert Movement.objects.get().state == State.CONFIRMED


def test_not_arrived_gives_everything_back(world, stay, school_clerk, receiving_clerk):
    movement = moved(world, stay, school_clerk)

    transfers.refuse(movement=movement, reason="没有来过", by=receiving_clerk)

    assert facts(stay) == AS_BEFORE
    assert moved(world, stay, school_clerk).state == State.ANNOUNCED  # it may be announced again


def test_a_claim_is_taken_back_with_the_stay_it_opened(world, stay, school_clerk, receiving_clerk):
    movement = claim(moved(world, stay, school_clerk), receiving_clerk)

    transfers.unclaim(movement=movement, reason="认错人", by=receiving_clerk)

    assert Movement.objects.get().state == State.ANNOUNCED
    assert not Enrolment.objects.open().filter(school=world.other_school).exists()


def test_a_finished_move_is_undone_on_both_sides(world, stay, school_clerk, receiving_clerk):
    movement = claim(moved(world, stay, school_clerk), receiving_clerk)
    transfers.confirm(movement=movement, today=TODAY, by=school_clerk)

    transfers.withdraw(movement=movement, reason="办错", by=school_clerk)

    assert facts(stay) == AS_BEFORE
    assert not Enrolment.objects.open().filter(school=world.other_school).exists()


def test_one_change_at_a_time(world, stay, school_clerk):
    moved(world, stay, school_clerk)

    with pytest.raises(NotMoved) as refusal:
        announce(stay, school_clerk, Kind.ABROAD)

    assert refusal.value.code == "under_way"


@pytest.mark.parametrize(
    ("day", "fine"), [(LEFT, True), (date(2026, 9, 19), False), (date(2026, 10, 13), False)]
)
def test_a_child_arrives_between_the_day_he_left_and_today(
    world, stay, school_clerk, receiving_clerk, day, fine
):
    movement = moved(world, stay, school_clerk)

    if fine:
        claim(movement, receiving_clerk, arrived_on=day)
    else:
        with pytest.raises(NotMoved):
            claim(movement, receiving_clerk, arrived_on=day)

    assert Enrolment.objects.filter(school=world.other_school).exists() is fine


# The same thing as an absence that is explained.


@pytest.fixture
def absence(office, school) -> Absence:
    """张三 was on the first roll and is not on the second."""
    office.enrol([ZHANG | {"学籍状态": "在籍"}, LI], school=school)
    office.enrol([LI], school=school)
    return Absence.objects.get()


def explain(absence, by, kind: str, **more) -> None:
    said = Explanation(kind, LEFT, "转学手续", **more)
    assert absences.explain(absences=Absence.objects.all(), explanation=said, today=TODAY, by=by) == (1, 0)


def test_an_explained_absence_is_a_move_the_receiving_school_claims(office, world, absence):
    explain(absence, office.by, Kind.IN_COUNTY, to_school=world.other_school)
    movement = Movement.objects.get()
    assert (movement.absence, movement.state, movement.to_school) == (
        absence,
        State.ANNOUNCED,
        world.other_school,
    )

    claim(movement, office.by)

    absence.refresh_from_db()
    assert absence.state == Absence.State.CLAIMED


def test_announced_for_a_child_left_out_it_is_the_explanation(office, world, absence):
    movement = announce(absence.enrolment, office.by, Kind.OUT_OF_PROVINCE, place="义乌市稠城一小")

    absence.refresh_from_db()
    assert (absence.state, absence.kind, absence.whereabouts) == (
        "explained",
        Kind.OUT_OF_PROVINCE,
        movement.whereabouts,
    )
    assert Whereabouts.objects.count() == 1


def test_the_roll_of_the_other_school_is_its_claim_and_undone_it_is_none(office, world, absence):
    explain(absence, office.by, Kind.IN_COUNTY, to_school=world.center_school)
    roster = office.enrol([ZHANG], school=world.other_school)

    movement = Movement.objects.get()
    assert (movement.state, movement.to_school) == (
        State.CLAIMED,
        world.other_school,
    )  # wherever he really is

    undoing.undo_roster(roster=roster, by=office.by, reason="传错")
    movement.refresh_from_db()
    assert (movement.state, movement.to_school) == (State.ANNOUNCED, world.center_school)


def test_back_on_the_roll_of_his_school_he_did_not_move(office, world, absence, school):
    explain(absence, office.by, Kind.OUT_OF_PROVINCE, place="义乌")

    office.enrol([ZHANG, LI], school=school)

    assert Movement.objects.get().state == State.WITHDRAWN
    assert not Whereabouts.objects.filter(withdrawn_at=None).exists()


def test_refused_by_the_other_school_the_child_is_a_question_again(office, world, absence):
    explain(absence, office.by, Kind.IN_COUNTY, to_school=world.other_school)

    transfers.refuse(movement=Movement.objects.get(), reason="没有来过", by=office.by)

    absence.refresh_from_db()
    assert absence.state == Absence.State.OPEN


@pytest.mark.parametrize(
    ("night", "count"), [(date(2026, 10, 26), 0), (date(2026, 10, 27), 1)], ids=["last day", "day after"]
)
def test_whom_no_school_takes_in_time_did_not_move(office, world, absence, night, count):
    explain(absence, office.by, Kind.IN_COUNTY, to_school=world.other_school)

    assert transfers.watch(county=world.county, today=night) == count

    absence.refresh_from_db()
    assert absence.state == (Absence.State.SIGNALLED if count else Absence.State.EXPLAINED)
    if count:  # and still he may turn up there
        claim(Movement.objects.get(), office.by)
        absence.refresh_from_db()
        assert absence.state == Absence.State.CLAIMED


def test_whom_no_school_took_is_explained_anew(office, world, absence):
    explain(absence, office.by, Kind.IN_COUNTY, to_school=world.other_school)
    transfers.watch(county=world.county, today=date(2026, 10, 27))

    explain(absence, office.by, Kind.OUT_OF_PROVINCE, place="义乌")

    assert list(Movement.objects.order_by("pk").values_list("state", flat=True)) == [
        State.WITHDRAWN,
        State.ANNOUNCED,
    ]


def test_undoing_the_roster_that_left_him_out_takes_the_move_back(office, world, absence):
    explain(absence, office.by, Kind.ABROAD)
    assert Enrolment.objects.get(pk=absence.enrolment_id).exit_kind == "出国"

    undoing.undo_roster(roster=absence.roster, by=office.by, reason="传错")

    stay = Enrolment.objects.get(pk=absence.enrolment_id)
    assert (stay.is_present, stay.is_registered, stay.ended_on, stay.exit_kind) == (True, True, None, "")
    assert Movement.objects.get().state == State.WITHDRAWN


# Other counties.


def test_a_letter_is_answered_and_the_answer_is_the_evidence(stay, school_clerk):
    movement = announce(stay, school_clerk, Kind.OUT_OF_PROVINCE, place="义乌市稠城一小")
    assert facts(stay)[:2] == (False, True)

    transfers.answer(movement=movement, evidence="回执：四（2）班", today=TODAY, by=school_clerk)

    assert facts(stay) == (False, False, "", LEFT, "转出")
    assert Whereabouts.objects.get().evidence == "回执：四（2）班"


def test_a_child_from_outside_gets_his_registration_with_the_answer(stay, school_clerk):
    Enrolment.objects.update(is_registered=False)
    movement = announce(stay, school_clerk, Kind.FROM_OUTSIDE, place="邻县小学")
    assert facts(stay)[:2] == (True, False)

    transfers.answer(movement=movement, evidence="同意转出", today=TODAY, by=school_clerk)

    assert facts(stay)[:2] == (True, True)
    assert not Whereabouts.objects.exists()


# 休学, 死亡, 出国.


def suspended(stay, by, until: date = date(2027, 1, 22)) -> Movement:
    return announce(stay, by, Kind.SUSPENDED, evidence="县医院证明", until_on=until)


def test_a_suspension_needs_its_last_day(stay, school_clerk):
    with pytest.raises(NotExplained) as refusal:
        announce(stay, school_clerk, Kind.SUSPENDED)

    assert refusal.value.code == "until_required"
    assert facts(stay) == AS_BEFORE


@pytest.mark.parametrize(
    ("until", "lapsed"), [(TODAY, 0), (date(2026, 10, 11), 1)], ids=["last day", "day after"]
)
def test_a_suspension_is_back_on_the_desk_when_it_has_run_out(stay, school_clerk, until, lapsed):
    suspended(stay, school_clerk, until)

    todos = {todo.title: todo.late for todo in desk_moving.moves_to_answer(school_clerk)}

    assert todos["休学到期，请登记复学或延期"] == lapsed


def test_resumed_he_is_at_school_again_and_undone_he_is_not(stay, school_clerk):
    movement = suspended(stay, school_clerk)
    assert facts(stay)[:3] == (False, True, "休学")
    transfers.resume(
        movement=movement, back_on=date(2026, 10, 8), evidence="医院证明", today=TODAY, by=school_clerk
    )

    assert facts(stay)[:3] == (True, True, "")
    assert Whereabouts.objects.get().valid_to == date(2026, 10, 7)

    transfers.suspend_again(movement=movement, reason="填错", by=school_clerk)
    assert facts(stay)[:3] == (False, True, "休学")
    assert Whereabouts.objects.get().valid_to == date(2027, 1, 22)


@pytest.mark.parametrize("day", [LEFT, date(2026, 10, 13)], ids=["the day it began", "tomorrow"])
def test_he_does_not_come_back_before_he_left_nor_tomorrow(stay, school_clerk, day):
    movement = suspended(stay, school_clerk)

    with pytest.raises(NotMoved):
        transfers.resume(movement=movement, back_on=day, evidence="证明", today=TODAY, by=school_clerk)


def test_a_suspension_is_extended_once_however_often_it_is_sent(stay, school_clerk):
    movement = suspended(stay, school_clerk)
    for _ in range(2):
        movement = transfers.extend(
            movement=movement, until_on=date(2027, 7, 9), evidence="复诊", by=school_clerk
        )

    assert movement.until_on == Whereabouts.objects.get().valid_to == date(2027, 7, 9)
    assert AuditEvent.objects.filter(verb="students.movement_extended").count() == 1


def test_a_death_ends_the_enrolment_at_once_and_is_taken_back_when_it_was_a_mistake(stay, school_clerk):
    movement = announce(stay, school_clerk, Kind.DECEASED, evidence="户口注销证明")
    assert facts(stay) == (False, False, "", LEFT, "死亡")

    transfers.withdraw(movement=movement, reason="同名", by=school_clerk)

    assert facts(stay) == AS_BEFORE
    assert Whereabouts.objects.get().withdrawn_at is not None


def test_a_dropout_is_no_kind_of_move():
    assert not {"dropout", "withdrawn", "expelled", "unknown"} & set(Kind.values)


# Pages.


def open_page(client, account, name: str, *args):
    client.force_login(account)
    return client.get(reverse(f"students:{name}", args=args))


def test_the_receiving_school_sees_the_child_on_its_desk_claims_him_and_the_other_confirms(
    client, world, stay, school_clerk, receiving_clerk
):
    client.force_login(school_clerk)
    given = {"kind": "in_county", "to_school": world.other_school.pk, "since_on": "2026-09-20"}
    answer = client.post(reverse("students:announce", args=[stay.pk]), given)
    movement = Movement.objects.get()
    assert answer.url == movement.get_absolute_url()

    [todo] = [t for t in desk_moving.moves_to_answer(receiving_clerk) if t.count]
    assert todo.title == "有学生转来，请确认是否到校"
    client.force_login(receiving_clerk)
    assert "张三" in client.get(todo.url).content.decode()
    step = reverse("students:movement_step", args=[movement.pk, "claim"])
    assert "confirm" not in client.get(movement.get_absolute_url()).content.decode()
    client.post(step, {"claim-arrived_on": "2026-09-21", "claim-class_name": "2班"})

    client.force_login(school_clerk)
    client.post(reverse("students:movement_step", args=[movement.pk, "confirm"]))
    movement.refresh_from_db()
    assert movement.state == State.CONFIRMED
    assert [t.to_state for t in Transition.objects.of(movement)] == ["claimed", "confirmed"]


def test_the_sending_school_does_not_claim_for_the_other(client, world, stay, school_clerk):
    movement = moved(world, stay, school_clerk)
    client.force_login(school_clerk)

    client.post(
        reverse("students:movement_step", args=[movement.pk, "claim"]), {"claim-arrived_on": "2026-09-21"}
    )

    movement.refresh_from_db()
    assert movement.state == State.ANNOUNCED


def test_a_third_school_finds_nothing(client, world, stay, school_clerk):
    movement = moved(world, stay, school_clerk)
    stranger = AccountFactory(role=Role.SCHOOL_CLERK, at=world.center_school)

    assert open_page(client, stranger, "movement", movement.pk).status_code == 404
    assert "张三" not in open_page(client, stranger, "movements").content.decode()


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"kind": "in_county"}, "请选择转到本县哪所学校"),
        ({"kind": "suspended", "evidence": "病历"}, "请填写休学到哪一天"),
        ({"kind": "suspended", "evidence": "病历", "until_on": "2026-09-19"}, "请填写休学到哪一天"),
        ({"kind": "out_of_province", "evidence": "申请"}, "请写明县外学校"),
        ({"kind": "deceased"}, "请写明佐证"),
        ({"kind": "abroad", "evidence": "护照", "since_on": "2026-10-13"}, "不能晚于今天"),
        ({"kind": "dropout"}, "选择"),
    ],
)
def test_what_is_missing_is_said_next_to_its_field(client, stay, school_clerk, given, error):
    client.force_login(school_clerk)

    answer = client.post(reverse("students:announce", args=[stay.pk]), {"since_on": "2026-09-20"} | given)

    assert error in answer.content.decode()
    assert not Movement.objects.exists()


PDF = b"%PDF-1.4 test %%EOF"


def send(client, movement, content: bytes, name: str = "回执.pdf"):
    scan = SimpleUploadedFile(name, content)
    return client.post(
        reverse("students:add_movement_paper", args=[movement.pk]), {"kind": "letter", "file": scan}
    )


def test_a_paper_is_kept_sealed_and_comes_back_as_it_was(client, home, stay, school_clerk):
    movement = announce(stay, school_clerk, Kind.OUT_OF_PROVINCE, place="义乌")
    client.force_login(school_clerk)
    send(client, movement, PDF)

    paper = MovementPaper.objects.get()
    sealed = [path for path in (home / "media").rglob("*") if path.is_file()]
    assert len(sealed) == 1 and b"%PDF" not in sealed[0].read_bytes()
    answer = open_page(client, school_clerk, "movement_paper", paper.pk)
    assert b"".join(answer.streaming_content) == PDF


def test_only_scans_are_taken(client, home, stay, school_clerk):
    movement = announce(stay, school_clerk, Kind.OUT_OF_PROVINCE, place="义乌")
    client.force_login(school_clerk)

    answer = send(client, movement, b"MZ\x90 programme", "回执.pdf.exe")

    assert "只能上传 PDF、JPG、PNG" in answer.content.decode()
    assert not MovementPaper.objects.exists()


def test_the_letter_names_the_child_and_the_last_day_and_no_number(client, world, school_clerk):
    number = citizen_id(date(2016, 5, 1))
    stay = EnrolmentFactory(school=world.school, student=StudentFactory(name="张三", number=number))
    movement = announce(stay, school_clerk, Kind.OTHER_COUNTY, place="邻县中心小学")

    text = open_page(client, school_clerk, "movement_letter", movement.pk).content.decode()

    assert all(word in text for word in ("邻县中心小学", "张三", "2026年10月26日", "回执"))
    assert number not in text


def test_there_is_no_letter_inside_the_county(client, world, stay, school_clerk):
    assert (
        open_page(client, school_clerk, "movement_letter", moved(world, stay, school_clerk).pk).status_code
        == 404
    )
