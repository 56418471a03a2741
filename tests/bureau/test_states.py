"""Moving objects between states, on schools that play the part of discrepancies."""

from datetime import date

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection

from bureau import states
from bureau.access.models import Account, Assignment
from bureau.access.roles import Role
from bureau.keys import uuid7
from bureau.organisation.models import County, Holiday, School, Township
from bureau.states import IllegalMove, Move, StateMachine, Transition

MACHINE = StateMachine(
    "matter",
    [
        Move("new", "assigned", right="differences.settle", label="交办"),
        Move("assigned", "explained", right="differences.settle", label="说明", needs_reason=True),
        Move("new", "closed"),
        Move("assigned", "closed"),
    ],
    field="ownership",
)
pytestmark = pytest.mark.django_db


@pytest.fixture
def county() -> County:
    return County.objects.create(code="990101", name="云岭县")


@pytest.fixture
def officer(county) -> Account:
    account = Account.objects.create(username="officer", county=county)
    Assignment.objects.create(account=account, county=county, role=Role.AID_OFFICER)
    return account


@pytest.fixture
def matters(county, monkeypatch):
    """`matters("new", "assigned")`: one object per given state."""
    monkeypatch.setattr(School, "STATES", MACHINE, raising=False)
    township = Township.objects.create(county=county, code="990101100", name="城关镇")

    def make(*in_states: str):
        made = School.objects.bulk_create(
            School(
                id=uuid7(),
                county=county,
                township=township,
                code=f"{n:010}",
                name=f"第{n}小学",
                ownership=state,
            )
            for n, state in enumerate(in_states)
        )
        return School.objects.filter(pk__in=[school.pk for school in made])

    return make


def test_move_changes_the_state_and_keeps_its_history(matters, officer, county):
    (matter,) = matters("new")
    here = School.objects.filter(pk=matter.pk)

    states.move(here, to="assigned", by=officer)
    states.move(here, to="explained", by=officer, reason="已转学", effective_on=date(2026, 9, 1))

    assert here.get().ownership == "explained"
    first, second = Transition.objects.of(matter)
    assert (first.from_state, first.to_state, first.county, first.by) == ("new", "assigned", county, officer)
    assert (second.reason, second.effective_on) == ("已转学", date(2026, 9, 1))
    assert first.batch != second.batch


@pytest.mark.parametrize("count", [1, 2000])
def test_moving_many_costs_the_statements_of_one(matters, officer, count, django_assert_num_queries):
    here = matters(*["new", "assigned"] * count)
    officer.scope  # noqa: B018  the rights are read once per request
    with django_assert_num_queries(5):  # savepoint, insert, an update for each starting state, release
        moved = states.move(here, to="closed", by=officer)

    assert moved == 2 * count == Transition.objects.filter(to_state="closed").count()
    assert Transition.objects.values("batch").distinct().count() == 1
    assert set(here.values_list("ownership", flat=True)) == {"closed"}
    assert Transition.objects.filter(from_state="assigned").count() == count


def test_move_of_nothing_is_nothing(matters, officer):
    matters("new")

    assert states.move(School.objects.none(), to="assigned", by=officer) == 0
    assert states.move(School.objects.filter(name="没有"), to="assigned", by=officer) == 0


def test_one_object_that_may_not_go_there_keeps_all_where_they_are(matters, officer):
    here = matters("new", "new", "explained")

    with pytest.raises(IllegalMove, match="有1条"):
        states.move(here, to="assigned", by=officer)

    assert sorted(here.values_list("ownership", flat=True)) == ["explained", "new", "new"]
    assert not Transition.objects.exists()


def test_state_that_no_move_leads_to_is_refused(matters, officer):
    with pytest.raises(IllegalMove):
        states.move(matters("assigned"), to="new", by=officer)


def test_object_changed_between_looking_and_moving_stops_the_move(matters, officer):
    """The UPDATE names the state that was noted: what another transaction did in between is seen."""
    here = matters("new", "new")
    other = here[0].pk
    meddled = []

    def meddle(execute, sql, params, many, context):
        result = execute(sql, params, many, context)
        if sql.startswith("INSERT INTO") and not meddled:
            meddled.append(True)
            School.objects.filter(pk=other).update(ownership="assigned")
        return result

    with connection.execute_wrapper(meddle), pytest.raises(IllegalMove):
        states.move(here, to="closed", by=officer)

    assert meddled
    assert not Transition.objects.exists()


def test_move_through_a_join_moves_each_object_once(matters, officer, county):
    here = matters("new")
    Holiday.objects.create(county=county, date=date(2026, 10, 1), kind="off")
    Holiday.objects.create(county=county, date=date(2026, 10, 2), kind="off")

    doubled = here.filter(county__holidays__kind="off")

    assert doubled.count() == 2
    assert states.move(doubled, to="assigned", by=officer) == 1


def test_first_rows_of_an_ordered_list_can_be_moved(matters, officer):
    matters("new", "new", "new")

    assert states.move(School.objects.order_by("code")[:2], to="assigned", by=officer) == 2
    assert School.objects.filter(ownership="new").get().code == f"{2:010}"


def test_further_columns_change_with_the_state(matters, officer):
    here = matters("new")
    states.move(here, to="closed", by=officer, also={"closed_on": date(2026, 9, 1)})

    assert here.get().closed_on == date(2026, 9, 1)


def test_objects_with_numbers_as_keys_move_too(monkeypatch, county):
    machine = StateMachine("day", [Move("off", "work")], field="kind")
    monkeypatch.setattr(Holiday, "STATES", machine, raising=False)
    day = Holiday.objects.create(county=county, date=date(2026, 10, 1), kind="off")

    assert states.move(Holiday.objects.all(), to="work", by=None) == 1
    assert Transition.objects.of(day).get().object_id == str(day.pk)


def test_missing_reason_is_refused(matters, officer):
    with pytest.raises(IllegalMove, match="理由"):
        states.move(matters("assigned"), to="explained", by=officer, reason="  ")


def test_person_without_the_right_is_refused_and_the_system_is_not(matters, county):
    stranger = Account.objects.create(username="stranger", county=county)
    here = matters("new")

    with pytest.raises(PermissionDenied):
        states.move(here, to="assigned", by=stranger)

    assert not Transition.objects.exists()
    assert states.move(here, to="assigned", by=None) == 1


def test_buttons_are_the_moves_a_person_may_make(officer, county):
    stranger = Account.objects.create(username="stranger", county=county)

    assert [move.label for move in MACHINE.moves_from("assigned", officer)] == ["说明"]
    assert MACHINE.moves_from("assigned", stranger) == []
    assert MACHINE.moves_from("closed", officer) == []


def test_diagram_is_read_off_the_table():
    assert MACHINE.mermaid().splitlines() == [
        "stateDiagram-v2",
        "    [*] --> new",
        "    new --> assigned: 交办",
        "    assigned --> explained: 说明（须填理由）",
        "    new --> closed",
        "    assigned --> closed",
        "    explained --> [*]",
        "    closed --> [*]",
    ]


def test_two_moves_between_the_same_states_are_a_mistake():
    with pytest.raises(ValueError, match="two moves"):
        StateMachine("matter", [Move("new", "closed"), Move("new", "closed", right="x")])
