"""Two people at one 待核实问题, or one sheet, in the same moment (PostgreSQL): one after the other, nothing twice."""

import pytest

from students.actions import fieldwork, remarking
from students.actions.fieldwork import Keyed, Ticked
from students.models import Attachment, Comment, Discrepancy, FieldLine, FieldSheet, Whereabouts
from tests.students.factories import DiscrepancyFactory, StudentFactory
from tests.students.test_at_once import done, together

pytestmark = [pytest.mark.postgres, pytest.mark.slow, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def found(home, world) -> Discrepancy:
    child = StudentFactory(hukou_township=world.township, hukou_village=world.village)
    return DiscrepancyFactory(student=child, township=world.township, term=world.term)


def test_a_comment_sent_by_two_clicks_is_said_once(found, township_officer):
    together(*[lambda: remarking.comment(discrepancy=found, text="在义乌", by=township_officer)] * 3)

    assert Comment.objects.count() == done("students.question_commented") == 1


def test_a_file_sent_by_two_people_is_one_attachment(found, township_officer, aid_officer, tmp_path):
    path = tmp_path / "a.pdf"
    path.write_bytes(b"%PDF-1.4 proof %%EOF")

    kept = together(
        *(lambda by=by: remarking.attach(discrepancy=found, path=path, file_name="a.pdf", by=by) for by in (township_officer, aid_officer))
    )

    assert kept[0] == kept[1] == Attachment.objects.get()


def test_a_village_printed_by_two_is_one_sheet(found, township_officer, aid_officer, world):
    sheets = together(
        *(lambda by=by: fieldwork.print_sheet(township=world.township, village=world.village, by=by) for by in (township_officer, aid_officer))
    )

    assert sheets[0] == sheets[1] == FieldSheet.objects.get()


def test_a_sheet_keyed_in_by_two_takes_the_first(found, township_officer, aid_officer, world):
    sheet = fieldwork.print_sheet(township=world.township, village=world.village, by=township_officer)

    told = together(
        lambda: fieldwork.key_in(sheet=sheet, ticked={1: Ticked("suspended")}, by=township_officer),
        lambda: fieldwork.key_in(sheet=sheet, ticked={1: Ticked("deceased")}, by=aid_officer),
    )

    assert sorted(told, key=lambda keyed: keyed.known) == [Keyed(recorded=1), Keyed(known=1)]
    assert Whereabouts.objects.get().kind == FieldLine.objects.get().answer
    assert done("students.sheet_keyed") == 1
