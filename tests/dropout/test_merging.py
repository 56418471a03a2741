"""Two files of one child become one: his cases too, with every event of both."""

from bureau.states import Transition
from dropout.actions import handling
from dropout.models import Case
from dropout.views.case_page import timeline
from students.actions import merging
from students.models import Student
from tests.dropout.factories import TODAY, Road, visited


def test_merged_child_has_one_case_with_the_events_of_both(road, school, aid_officer):
    road.up_to("persuading").visit()
    other = Road(school).up_to("verifying")
    other.visit(met="外婆", content="在外婆家")
    steps = Transition.objects.filter(object_kind="case").count()

    done = merging.merge(kept=road.student, other=other.student, reason="同一人", by=aid_officer)

    case = Case.objects.get()
    told = timeline(case, list(case.episodes.all()))
    assert (case.student, case.state) == (road.student, "persuading")
    assert (case.visits.count(), case.signals.count(), case.episodes.filter(ended_on=None).count()) == (2, 2, 1)
    assert sum(moment.title in dict(Case.State.choices).values() for moment in told) == steps
    merging.undo(done=done, reason="不是", by=aid_officer)
    assert Case.objects.count() == 2 and Case.objects.get(student=Student.objects.get(pk=other.student.pk)).visits.get().met == "外婆"


def test_open_case_goes_on_where_the_kept_one_has_ended(road, school, aid_officer):
    road.up_to("verifying")
    handling.hand_over(case=road.case, place="邻县", letter="函", when=road.when, by=road.officer)
    other = Road(school).up_to("persuading")

    merging.merge(kept=road.student, other=other.student, reason="同一人", by=aid_officer)

    case = Case.objects.get()
    assert (case.state, case.episode.kind, case.episodes.count()) == ("persuading", "dropped_out", 2)
    handling.record_visit(case=case, visited=visited(TODAY), today=TODAY, by=other.cadre)
