"""Lists of where children are, of upper platforms and health, and lists an officer adds."""

from datetime import date

import pytest
from django.urls import reverse

from students.models import Category, Entry, Register, Whereabouts
from tests.students.factories import StudentFactory, citizen_id

DAY, LATER = date(2026, 10, 12), date(2026, 11, 12)
BORN = date(2016, 5, 1)

pytestmark = pytest.mark.django_db


@pytest.fixture
def send(office):
    """Import a list by its code; the children of the rows are numbers 1, 2, 3 …"""

    def sent(register: str, *rows: dict, on: date = DAY):
        people = [{"姓名": f"张{'甲乙丙'[n]}", "身份证号": citizen_id(BORN, n + 1)} | row for n, row in enumerate(rows)]
        return office.list(register, people, on=on)

    return sent


def child(n: int = 1) -> object:
    return StudentFactory(name=f"张{'甲乙丙'[n - 1]}", born=BORN, number=citizen_id(BORN, n))


# Where children are.


@pytest.mark.parametrize(
    ("row", "kind"),
    [
        ({"去向": "省外就读"}, "out_of_province"),
        ({"反馈结果": "外省在读"}, "out_of_province"),
        ({"去向": "县外"}, "other_county_in_province"),
        ({"就读省": "广东省"}, "out_of_province"),
        ({"就读省": "本省"}, "other_county_in_province"),
        ({}, "other_county_in_province"),
        ({"去向": "送教上门"}, "home_teaching"),
        ({"去向": "休学（因病）"}, "suspended"),
        ({"去向": "查无此人"}, None),
        ({"去向": "疑似辍学"}, None),
        ({"去向": "在家玩"}, None),
    ],
)
def test_a_linked_row_is_evidence_of_what_it_says(send, term, row, kind):
    student = child()

    send("elsewhere", {"就读学校": "邻县一小"} | row)

    assert [known.kind for known in student.whereabouts.all()] == ([kind] if kind else [])


def test_evidence_ends_when_the_row_says_so_or_else_with_the_term(send, term):
    first, second = child(1), child(2)

    send("elsewhere", {"就读学校": "邻县一小", "有效期至": "2026-12-31"}, {"就读学校": "邻县一小"})

    assert first.whereabouts.get().valid_to == date(2026, 12, 31)
    assert second.whereabouts.get().valid_to == term.ends_on


def test_a_child_known_to_learn_elsewhere_is_not_looked_for(send, office, term):
    student = child()
    send("population", {"户号": "1"})
    assert office.reconcile("R01", on=DAY)["R01"]["open"] == 1

    send("elsewhere", {"就读学校": "邻县一小", "佐证": "就读证明"})

    assert office.reconcile("R01", on=DAY)["R01"] == {"opened": 0, "open": 0, "resolved": 1}
    assert student.whereabouts.get().evidence == "就读证明"


def test_the_next_list_replaces_what_changed_and_withdraws_what_went(send, term):
    moved, gone = child(1), child(2)
    send("elsewhere", {"就读学校": "邻县一小"}, {"就读学校": "邻县一小"})

    send("elsewhere", {"就读学校": "邻县二小"}, on=LATER)

    assert moved.whereabouts.get(withdrawn_at=None).place == "邻县二小"
    assert not gone.whereabouts.filter(withdrawn_at=None).exists()


def test_evidence_somebody_recorded_by_hand_stays(send, term, aid_officer):
    student = child()
    Whereabouts.objects.create(
        county=student.county, student=student, kind="abroad", evidence="护照", valid_from=DAY, recorded_by=aid_officer
    )

    send("elsewhere", {"就读学校": "邻县一小"})

    assert set(student.whereabouts.filter(withdrawn_at=None).values_list("kind", flat=True)) == {
        "abroad",
        "other_county_in_province",
    }


def test_a_row_linked_later_becomes_evidence_then(send, term):
    send("elsewhere", {"就读学校": "邻县一小"})
    assert not Whereabouts.objects.exists()

    send("population", {"户号": "1"})  # now the child is known

    assert Whereabouts.objects.get().student.person.name == "张甲"


# Other lists.


@pytest.mark.parametrize(
    ("register", "row", "category"),
    [
        ("illness", {"确诊日期": "2026-03-01", "病种": "白血病"}, Category.SEVERE_ILLNESS),
        ("province_poor", {"困难类型": "特困供养人员"}, Category.TEKUN),
        ("province_poor", {"困难类型": "一般户"}, ""),
        ("aid_platform", {"资助项目": "国家助学金", "金额": "1000"}, ""),
        ("births", {"出生日期": "2016-05-01", "母亲姓名": "李某"}, ""),
    ],
)
def test_what_a_row_certifies(send, term, register, row, category):
    send(register, row)

    assert Entry.objects.get().category == category


def test_what_illness_it_is_is_not_kept(send, term):
    snapshot = send("illness", {"确诊日期": "2026-03-01", "病种": "白血病"})

    assert "病种" not in str(snapshot.tables[0]["headers"])
    from bureau import secrecy

    entry = Entry.objects.get()
    assert "白血病" not in secrecy.open_sealed(bytes(entry.payload_sealed), field="payload", value_id=entry.row_uuid)


def test_a_list_of_deaths_begins_on_the_day_of_the_death(send, term):
    send("deaths", {"注销日期": "2026-08-20"})

    assert Entry.objects.get().listed_from == date(2026, 8, 20)


# Lists an officer adds.


def test_an_officer_adds_a_list_and_its_children_are_to_be_recorded(client, aid_officer, send, office, term):
    client.force_login(aid_officer)
    facts = {"title": "见义勇为家庭名单", "office": "政法委", "category": "sudden_hardship"}

    answer = client.post(reverse("students:add_register"), facts)

    register = Register.objects.get(kept_by_officer=True)
    assert answer.url.endswith(f"register={register.name}")
    assert "见义勇为家庭名单" in client.get(reverse("students:upload_register")).content.decode()
    student = child()
    send(register.name, {})
    assert office.reconcile("R25", on=DAY)["R25"]["open"] == 1
    assert Entry.objects.get().person_id == student.pk


def test_a_list_of_the_same_name_is_refused(client, aid_officer):
    client.force_login(aid_officer)

    answer = client.post(reverse("students:add_register"), {"title": "低保对象名单", "office": "民政局", "category": ""})

    assert "同名" in str(answer.context["form"].errors["title"])
    assert not Register.objects.filter(kept_by_officer=True).exists()


def test_usual_lists_cannot_be_changed(client, aid_officer, office, send, term):
    send("dibao", {"低保证号": "1"})
    client.force_login(aid_officer)

    url = reverse("students:edit_register", args=[Register.objects.get(name="dibao").pk])

    assert client.get(url).status_code == 404
