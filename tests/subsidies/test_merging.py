"""Two files of one child that both hold aid: what is judged is not folded away, what is only listed is."""

import pytest

from students.actions import merging
from students.actions.merging import NotMerged
from subsidies.actions import granting
from subsidies.models import Grant
from tests.subsidies.factories import Way, money, pupil


@pytest.fixture
def way(boarders, term, school) -> Way:
    return Way(boarders, term, school)


def line_of(student) -> Grant:
    return Grant.objects.get(student=student)


def test_files_with_a_line_each_are_merged_only_when_one_line_is_stopped(way, school, aid_officer, signers):
    kept, other = pupil(school), pupil(school)
    money(way.programme, way.term, 2000)
    way.up_to("finance_approved")

    assert "保留那一份档案" in merging.conflicts(kept, other)[0].text
    with pytest.raises(NotMerged) as refused:
        merging.merge(kept=kept, other=other, reason="同一人", by=aid_officer)
    assert refused.value.code == "hindered" and Grant.objects.count() == 2

    granting.send_back(grants=Grant.objects.filter(student=other), by=signers.finance, reason="重复")
    granting.turn_away(grants=Grant.objects.filter(student=other), to="stopped", by=signers.aid, reason="重复")
    done = merging.merge(kept=kept, other=other, reason="同一人", by=aid_officer)

    assert line_of(kept).state == "finance_approved" and Grant.objects.count() == 1
    merging.undo(done=done, reason="不是同一人", by=aid_officer)
    assert sorted(Grant.objects.values_list("state", flat=True)) == ["finance_approved", "stopped"]


def test_a_line_of_one_file_goes_along_and_stays_genuine(way, school, aid_officer):
    other = pupil(school)
    way.up_to("submitted")
    kept = pupil(school, listed=None)

    merging.merge(kept=kept, other=other, reason="同一人", by=aid_officer)

    line = line_of(kept)
    assert line.state == "submitted" and line.is_genuine and line.claims.get().student_id == kept.pk


def test_a_child_who_is_only_listed_twice_is_listed_once(way, school, aid_officer):
    kept, other = pupil(school), pupil(school)
    way.list()

    merging.merge(kept=kept, other=other, reason="同一人", by=aid_officer)

    assert line_of(kept).state == "candidate" and Grant.objects.count() == 1


def test_programmes_that_exclude_each_other_are_told(catalogue, way, term, school, aid_officer):
    kept, other = pupil(school), pupil(school, boarding=False, on="dibao")
    way.up_to("applied")
    Way(catalogue["living_day"], term, school).up_to("applied")
    assert Grant.objects.count() == 2

    with pytest.raises(NotMerged, match="不可兼得"):
        merging.merge(kept=kept, other=other, reason="同一人", by=aid_officer)
