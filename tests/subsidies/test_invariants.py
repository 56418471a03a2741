"""Whatever people do in whatever order, the money adds up, nobody signs twice, and what was judged stays as it was."""

import os
from datetime import date, timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import F, Q, Sum
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from bureau.access.roles import Role
from bureau.states import IllegalMove, Transition
from students.models import Whereabouts
from subsidies.actions import funding, granting, listing, noticing, programmes
from subsidies.actions.refusals import NotDone
from subsidies.models import Appropriation, Grant, LedgerEntry, Objection, PublicNotice
from subsidies.models.grants import SIDE
from tests.factories import AccountFactory, AssignmentFactory
from tests.subsidies.factories import Way, money, pupil

LONG = os.environ.get("HYPOTHESIS_PROFILE") == "long"
STEPS = [str(step) for step in granting.STEPS]
BEYOND_NOTICE = ("notice_passed", "submitted", "county_approved", "finance_approved")
REFUSED = (NotDone, IllegalMove, PermissionDenied)
people, steps = st.integers(0, 4), st.sampled_from(STEPS)


class Aid(RuleBasedStateMachine):
    """One school, three children, two exclusive programmes, five people of whom one holds every role."""

    world, catalogue = None, {}

    @initialize()
    def begin(self):
        self.point = transaction.savepoint()
        self.today, self.dead, self.given, self.taken_back = date(2026, 10, 12), set(), 0, 0
        self.facts, self.entries, self.rates = {}, {}, {62_500, 50_000}
        self.programmes = [self.catalogue["living_boarder"], self.catalogue["meal_plan"]]
        way = Way(self.programmes[0], self.world.term, self.world.school)
        jack = AccountFactory(role=Role.SCHOOL_CLERK, at=self.world.school)
        AssignmentFactory(account=jack, role=Role.SCHOOL_HEAD, school=self.world.school)
        AssignmentFactory(account=jack, role=Role.AID_OFFICER)
        AssignmentFactory(account=jack, role=Role.FINANCE_OFFICER)
        self.people = [
            way.by["applied"],
            way.by["school_reviewed"],
            way.by["county_approved"],
            way.by["finance_approved"],
            jack,
        ]
        programmes.exclude(
            first=self.programmes[0], second=self.programmes[1], scope="term", basis="", by=jack
        )
        self.children = [pupil(self.world.school) for _ in range(2)]
        self.elsewhere = money(self.catalogue["senior_grant"], self.world.term, 77, by=jack)

    def teardown(self):
        if hasattr(self, "point"):
            transaction.savepoint_rollback(self.point)

    def tried(self, act, **given):
        """Refusals are part of life; anything else is a fault. A refusal changes nothing."""
        try:
            with transaction.atomic():
                return act(**given)
        except REFUSED:
            return None

    @rule(which=st.integers(0, 1), step=steps, who=people, repeated=st.booleans())
    def take_a_step(self, which, step, who, repeated):
        if step == "applied":
            self.tried(
                listing.list_candidates,
                programme=self.programmes[which],
                term=self.world.term,
                by=self.people[who],
            )
        given = {
            "programme": self.programmes[which],
            "term": self.world.term,
            "to": step,
            "by": self.people[who],
            "today": self.today,
        }
        before = set(Grant.objects.filter(state=step).values_list("pk", flat=True))
        self.tried(granting.advance, **given)
        moved = Grant.objects.filter(state=step).exclude(pk__in=before)
        if step in ("county_approved", "finance_approved"):
            assert not moved.filter(student__in=self.dead).exists()  # M20
        if repeated:
            again = self.tried(granting.advance, **given)
            assert again is None or not again.moved  # M16

    @rule(which=st.integers(0, 1))
    def everybody_does_his_part(self, which):
        """A walk to the end, so that far states are reached often."""
        signer = dict(zip(STEPS, (0, 1, 0, 0, 1, 2, 3), strict=True))
        for step in STEPS:
            if step == "notice_passed":
                self.today += timedelta(days=10)
            self.take_a_step(which, step, signer[step], False)

    @rule(
        state=st.sampled_from(sorted(Grant.State.values)), to=st.sampled_from(["returned", *SIDE]), who=people
    )
    def leave_the_way(self, state, to, who):
        lines = Grant.objects.filter(state=state)
        if to == "returned":
            self.tried(granting.send_back, grants=lines, by=self.people[who], reason="核实")
        else:
            self.tried(granting.turn_away, grants=lines, to=to, by=self.people[who], reason="核实")

    @rule(yuan=st.integers(1, 1500), which=st.integers(0, 1))
    def money_arrives(self, yuan, which):
        doc = f"第{Appropriation.objects.count()}号"
        money(self.programmes[which], self.world.term, yuan, by=self.people[3], doc_no=doc)
        self.given += yuan * 100

    @rule(fen=st.integers(-5, 90_000), key=st.integers(0, 3))
    def money_is_withdrawn(self, fen, key):
        one = Appropriation.objects.filter(programme__in=self.programmes).order_by("pk").first()
        before = one and one.available_fen
        if one:
            self.tried(
                funding.withdraw,
                appropriation=one,
                amount_fen=fen,
                key=str(key),
                reason="收回",
                by=self.people[3],
            )
            one.refresh_from_db()
            self.taken_back += before - one.available_fen

    @rule(days=st.integers(1, 6))
    def time_passes(self, days):
        self.today += timedelta(days=days)

    @rule(upheld=st.booleans(), whole=st.booleans())
    def somebody_objects_and_is_answered(self, upheld, whole):
        notice = PublicNotice.objects.order_by("-pk").first()
        if notice is None:
            return
        line = None if whole else notice.grants.order_by("pk").first()
        made = self.tried(
            noticing.object_to,
            notice=notice,
            grant=line,
            text="有意见",
            received_on=self.today,
            by=self.people[0],
        )
        if made and upheld is not whole:
            self.tried(
                noticing.answer,
                objection=made,
                upheld=upheld,
                text="已核实",
                on=self.today,
                by=self.people[1],
            )

    @rule(which=st.integers(0, 1))
    def child_dies(self, which):
        child = self.children[which]
        if child.pk not in self.dead:
            self.dead.add(child.pk)
            Whereabouts.objects.create(
                county=child.county,
                student=child,
                kind="deceased",
                evidence="证明",
                valid_from=date(2026, 10, 1),
                recorded_by=self.people[0],
            )

    @rule(fen=st.sampled_from([60_000, 62_500, 70_000]))
    def rate_is_edited(self, fen):
        rate = self.programmes[0].rates.get(stage="primary", from_term=4048)
        rate.amount_fen = fen
        programmes.save_rate(rate=rate, by=self.people[2])
        self.rates.add(fen)

    @invariant()
    def money_adds_up(self):
        if not hasattr(self, "point"):
            return
        ledger = LedgerEntry.objects
        mine = ledger.filter(appropriation__programme__in=self.programmes)
        committed = mine.balance("committed")
        worth = Grant.objects.filter(state="finance_approved").aggregate(fen=Sum("amount_fen", default=0))[
            "fen"
        ]
        kept = Appropriation.objects.filter(programme__in=self.programmes).aggregate(
            fen=Sum("available_fen", default=0)
        )["fen"]
        assert mine.balance("available") == kept >= 0  # M07, M22
        assert committed == worth  # M17
        assert self.given - self.taken_back == kept + committed  # M01, M07
        self.elsewhere.refresh_from_db()
        assert self.elsewhere.available_fen == 7_700  # M26
        now = {
            row[0]: row[1:]
            for row in ledger.values_list(
                "pk", "transaction", "appropriation", "out_of", "into", "amount_fen"
            )
        }
        assert self.entries.items() <= now.items()  # M02
        self.entries = now

    @invariant()
    def lines_are_what_they_were_and_who_signed_differ(self):
        if not hasattr(self, "point"):
            return
        lines = list(Grant.objects.all())
        for line in lines:
            assert (
                self.facts.setdefault(line.pk, line.canonical()) == line.canonical() and line.is_genuine
            )  # M09
            assert line.amount_fen in self.rates  # M18
        assert self.facts.keys() == {line.pk for line in lines}
        signed = (
            Q(applied_by=F("reviewed_by")) | Q(applied_by=F("approved_by")) | Q(reviewed_by=F("approved_by"))
        )
        signed |= (
            Q(finance_by=F("approved_by")) | Q(finance_by=F("reviewed_by")) | Q(finance_by=F("applied_by"))
        )
        assert not Grant.objects.filter(signed).exists()  # M10
        beyond = Grant.objects.filter(state__in=BEYOND_NOTICE, programme=self.programmes[0])
        early = (
            Q(notice=None)
            | Q(notice__ends_on__gte=self.today)
            | Q(notice__in=Objection.objects.unanswered().values("notice"))
        )
        assert not beyond.filter(early).exists()  # M19
        live = list(Grant.objects.live().values_list("student", flat=True))
        assert len(live) == len(set(live))  # M04, M06: the two programmes exclude each other

    @invariant()
    def moves_are_those_of_the_table(self):
        if not hasattr(self, "point"):
            return
        made = Transition.objects.filter(object_kind="grant").values_list("from_state", "to_state").distinct()
        assert all(Grant.STATES.allows(*move) for move in made)  # M11


def walk(world, catalogue, examples: int, steps_each: int) -> None:
    Aid.world, Aid.catalogue = world, catalogue
    size = settings(
        max_examples=examples,
        stateful_step_count=steps_each,
        deadline=None,
        database=None,
        derandomize=not LONG,
        print_blob=True,
    )
    run_state_machine_as_test(Aid, settings=size)


def test_invariants_hold_after_every_step(world, catalogue):
    walk(world, catalogue, 4, 20)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_invariants_hold_on_many_walks(world, catalogue):
    walk(world, catalogue, 50, 30)


@pytest.mark.long
@pytest.mark.timeout(6 * 3600)
def test_invariants_hold_on_very_many_walks(world, catalogue):
    walk(world, catalogue, 2_000, 80)
