"""Whatever people do in whatever order: one case per child, nothing lost, no step nobody may take, numbers without gaps."""

import os
from datetime import date, timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Count
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from bureau.states import IllegalMove, Transition
from dropout import ledger
from dropout.actions import exempting, handling, opening, ordering
from dropout.actions.exempting import Approval
from dropout.actions.steps import NotDone, When
from dropout.ledger import Asked
from dropout.models import Case, Exemption, NumberSeries, ReturnOrder, SignOff
from dropout.models.cases import ENDED, VERIFIED
from students.models import Enrolment
from tests.dropout.factories import LEAVING, TODAY, Road, back_at_school, visited

LONG = os.environ.get("HYPOTHESIS_PROFILE") == "long"
children, people = st.integers(0, 1), st.integers(0, 3)
days_ago = st.integers(-1, 3)


class Control(RuleBasedStateMachine):
    """Two children of one school, four people, a calendar that only goes forward; anybody tries anything."""

    world = None

    @initialize(start=st.sampled_from(["suspected", "verifying", "persuading", "returned", "stabilising"]))
    def begin(self, start):
        self.point = transaction.savepoint()
        self.roads = [Road(self.world.school) for _ in range(2)]
        first = self.roads[0]
        self.people = [first.clerk, first.head, first.cadre, first.officer]
        self.today, self.cases, self.steps = TODAY, 0, 0
        first.up_to(start)
        self.today = first.today

    def teardown(self):
        if hasattr(self, "point"):
            transaction.savepoint_rollback(self.point)

    def tried(self, act, **given):
        """Refusals are part of life; anything else is a fault. A refusal changes nothing."""
        before = Transition.objects.count(), Case.objects.count(), ReturnOrder.objects.count()
        try:
            with transaction.atomic():
                return act(**given)
        except (NotDone, IllegalMove, PermissionDenied):
            assert (Transition.objects.count(), Case.objects.count(), ReturnOrder.objects.count()) == before
            return None

    def case(self, which):
        return Case.objects.filter(student=self.roads[which].student).first()

    def when(self, ago):
        return When(self.today - timedelta(days=ago), self.today, "没有网络" if ago else "")

    @rule(days=st.sampled_from([1, 3, 7, 40, 130]))
    def days_go_by(self, days):
        self.today += timedelta(days=days)

    @rule(which=children, steps=st.lists(st.tuples(st.sampled_from([0, 0, 1, 4]), st.booleans()), min_size=2, max_size=7))
    def go_on(self, which, steps):
        for ago, thorough in steps:
            self.next_step(which, ago, thorough)

    def next_step(self, which, ago, thorough):
        """The next step by the right person, so that the walk gets somewhere; not `thorough`: without what it needs."""
        case, (clerk, head, cadre, officer), when = self.case(which), self.people, self.when(ago)
        state = case.state if case else "none"
        by_clerk, by_officer = {"case": case, "when": when, "by": clerk}, {"case": case, "when": when, "by": officer}
        if state in ("none", *ENDED):
            self.tried(opening.report, student=self.roads[which].student, detail=f"没到校{self.today}", reason="", on=when.on, today=self.today, late_because=when.late_because, by=clerk)
        elif state == "suspected":
            self.tried(handling.assign, cases=Case.objects.filter(pk=case.pk), government=cadre, education=clerk, today=self.today, by=officer)
        elif state == "verifying":
            self.tried(handling.confirm, leaving=LEAVING, **by_officer)
        elif state == "confirmed":
            self.tried(handling.form_team, members=[("teacher", "王老师")], plan="", **by_clerk)
        elif state == "persuading" and thorough:
            self.tried(handling.record_visit, case=case, visited=visited(when.on, content=f"第 {case.visits.count()} 次"), today=self.today, by=cadre)
            self.tried(ordering.issue, case=case, guardian="张大山", township=self.world.township, when=self.when(0), by=cadre)
        elif state in ("persuading", "ordered"):
            self.tried(handling.bring_back, placement="original_class", placed_at="", evidence="复学证明", **by_clerk)
        elif state == "returned":
            self.today += timedelta(days=10 if thorough else 1)
            self.tried(handling.watch, **(by_clerk | {"when": self.when(0)}))
        elif state == "stabilising":
            self.school_has_him_again(which)
            self.today += timedelta(days=130)
            for line, by in (("government", cadre), ("education", head)) if thorough else ():
                self.tried(handling.sign, case=case, line=line, note="", today=self.today, by=by)
            self.tried(handling.strike_off, evidence="截图", **(by_officer | {"when": self.when(0)}))

    @rule(which=children, ago=days_ago, who=people)
    def report(self, which, ago, who):
        when = self.when(ago)
        self.tried(
            opening.report, student=self.roads[which].student, detail=f"没到校{ago}", reason="", on=when.on, today=self.today,
            late_because=when.late_because, by=self.people[who],
        )  # fmt: skip

    @rule(who=people)
    def give_to_both_lines(self, who):
        self.tried(handling.assign, cases=Case.objects.all(), government=self.people[2], education=self.people[0], today=self.today, by=self.people[who])

    @rule(which=children, ago=days_ago, who=people, word=st.sampled_from(["confirm", "team", "back", "watch", "exclude", "hand_over", "relapse", "strike_off"]))
    def take_a_step(self, which, ago, who, word):
        case, by, when = self.case(which), self.people[who], self.when(ago)
        if case is None:
            return
        acts = {
            "confirm": (handling.confirm, {"leaving": LEAVING}),
            "team": (handling.form_team, {"members": [("teacher", "王老师")], "plan": ""}),
            "back": (handling.bring_back, {"placement": "original_class", "placed_at": "", "evidence": "复学证明"}),
            "watch": (handling.watch, {}),
            "exclude": (handling.exclude, {"why": "out_of_province", "evidence": "就读证明", "place": "义乌"}),
            "hand_over": (handling.hand_over, {"place": "邻县", "letter": "接收函"}),
            "relapse": (handling.relapse, {"left_on": when.on, "reason": "work", "told": "外出"}),
            "strike_off": (handling.strike_off, {"evidence": "截图"}),
        }
        act, given = acts[word]
        self.tried(act, case=case, when=when, by=by, **given)

    @rule(which=children, ago=days_ago, who=people, outcome=st.sampled_from(["agreed", "refused"]))
    def visit(self, which, ago, who, outcome):
        if case := self.case(which):
            day = self.today - timedelta(days=ago)
            made = self.tried(handling.record_visit, case=case, visited=visited(day, outcome=outcome), today=self.today, by=self.people[who])
            assert made is None or made.episode.opened_on <= made.visited_on <= self.today

    @rule(which=children, line=st.sampled_from(SignOff.Line.values), who=people)
    def sign(self, which, line, who):
        if case := self.case(which):
            self.tried(handling.sign, case=case, line=line, note="", today=self.today, by=self.people[who])

    @rule(which=children, who=people, of_bureau=st.booleans())
    def issue_an_order(self, which, who, of_bureau):
        if case := self.case(which):
            township = None if of_bureau else self.world.township
            self.tried(ordering.issue, case=case, guardian="张大山", township=township, when=self.when(0), by=self.people[who])

    @rule(which=children, ago=days_ago, who=people, cancelled=st.booleans())
    def serve_or_cancel(self, which, ago, who, cancelled):
        order = ReturnOrder.objects.filter(case=self.case(which), cancelled_on=None).last()
        if order is None:
            return
        by = {"order": order, "today": self.today, "by": self.people[who]}
        if cancelled:
            self.tried(ordering.cancel, reason="写错", **by)
        else:
            self.tried(ordering.serve, service="direct", handed_on=self.today - timedelta(days=ago), witness="", note="", **by)

    @rule(which=children, who=people, days=st.sampled_from([10, 200, 400]))
    def exempt(self, which, who, days):
        if case := self.case(which):
            approval = Approval("suspended", "张大山", self.today, "证明", "", self.today, self.today + timedelta(days=days))
            self.tried(exempting.exempt, case=case, approval=approval, when=self.when(0), by=self.people[who])

    @rule(which=children)
    def a_roll_has_him(self, which):
        self.school_has_him_again(which)

    def school_has_him_again(self, which):
        student = self.roads[which].student
        if not Enrolment.objects.present().filter(student=student).exists():
            back_at_school(student, self.world.school)

    @rule(repeated=st.integers(1, 2))
    def night(self, repeated):
        for turn in range(repeated):
            outcome = exempting.close_ended(county=self.world.county, today=self.today)
            assert not turn or outcome == (0, 0)
            assert opening.gather(county=self.world.county, today=self.today).new == 0

    @invariant()
    def cases_are_never_lost_and_numbered_without_gaps(self):  # D01, D04, D12
        numbers = sorted(Case.objects.values_list("number", flat=True))
        assert numbers == list(range(1, len(numbers) + 1)) and len(numbers) >= getattr(self, "cases", 0)
        assert Transition.objects.filter(object_kind="case").count() >= getattr(self, "steps", 0)
        self.cases, self.steps = len(numbers), Transition.objects.filter(object_kind="case").count()

    @invariant()
    def state_is_the_fold_of_the_steps_and_each_was_lawful(self):  # D02, D09
        for case in Case.objects.all():
            state, last = "suspected", date.min
            for step in Transition.objects.of(case).select_related("by"):
                [move] = [m for m in Case.STATES.moves if (m.source, m.target) == (step.from_state, step.to_state)]
                assert step.from_state == state and step.effective_on >= last
                assert not move.right or (step.by_id and step.by.may(move.right)), (move, step.by)
                state, last = step.to_state, step.effective_on
            assert state == case.state
            assert case.episodes.filter(ended_on=None).count() == (case.state not in ENDED)

    @invariant()
    def leavings_are_counted(self):  # D12
        for case in Case.objects.all():
            steps = Transition.objects.of(case)
            again = steps.filter(from_state__in=["returned", "stabilising"], to_state="persuading").count()
            assert case.episodes.count() == 1 + again + steps.filter(from_state__in=ENDED, to_state="suspected").count()

    @invariant()
    def struck_off_means_two_people_of_two_lines(self):  # D03
        for case in Case.objects.filter(state="struck_off"):
            signed = list(case.episodes.order_by("-pk").first().signoffs.values_list("line", "signed_by"))
            assert {line for line, _ in signed} == {"government", "education"} and len({by for _, by in signed}) == 2

    @invariant()
    def deadline_follows_the_facts(self):  # D06
        for case in Case.objects.all():
            assert case.state not in ENDED or case.due_on is None
            if case.state == "persuading":
                assert case.due_on == handling.next_visit(case)
            if case.state == "exempt":
                assert case.due_on == case.exemptions.get(closed_on=None).valid_to
        late = Case.objects.overdue(getattr(self, "today", TODAY))
        assert not late.filter(state__in=[*ENDED, "exempt"]).exists()

    @invariant()
    def parts_are_the_whole(self):  # D07
        for column in ("township", "school", "state"):
            parts = Case.objects.order_by().values(column).annotate(many=Count("pk"))
            assert sum(part["many"] for part in parts) == Case.objects.count()

    @invariant()
    def nobody_is_at_school_and_out_of_it(self):  # D10
        if not hasattr(self, "today"):
            return
        told = dict(ledger.children(Asked(self.world.county, self.today)).values_list("pk", "category"))
        for case in Case.objects.filter(student__in=told):
            out = told[case.student_id] in ("dropped_out", "not_enrolled", "missing")
            assert out == (case.state in VERIFIED) or told[case.student_id] == "suspended"

    @invariant()
    def exemption_is_answered_once(self):  # D11
        for case in Case.objects.all():
            running = case.exemptions.filter(closed_on=None).count()
            assert running == (case.state == "exempt")
            opened = case.signals.filter(kind="exemption").count()
            assert opened <= Exemption.objects.filter(case=case, closed_on__isnull=False).count()

    @invariant()
    def letters_are_numbered_without_gaps(self):
        for row in NumberSeries.objects.filter(series__startswith="order:"):
            given = sorted(ReturnOrder.objects.filter(series=row.series).values_list("number", flat=True))
            assert given == list(range(1, row.last + 1))


def walk(world, examples: int, steps_each: int) -> None:
    Control.world = world
    size = settings(max_examples=examples, stateful_step_count=steps_each, deadline=None, database=None, derandomize=not LONG, print_blob=True)
    run_state_machine_as_test(Control, settings=size)


def test_invariants_hold_after_every_step(world):
    walk(world, 6, 12)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_invariants_hold_on_many_walks(world):
    walk(world, 25, 30)


@pytest.mark.long
@pytest.mark.timeout(6 * 3600)
def test_invariants_hold_on_very_many_walks(world):
    walk(world, 2_000, 80)
