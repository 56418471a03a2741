"""The same person twice: identical rows are kept once, contradicting rows are all told."""

from .pupils import HEADS, Register, codes, pupil, save, verdict


def test_identical_rows_are_kept_once(tmp_path):
    reading = verdict(save(tmp_path / "a.xlsx", [HEADS, pupil(1), pupil(2), pupil(1, no=99)]))

    assert reading.counts == {"rows": 3, "accepted": 2, "rejected": 0, "warned": 0, "skipped": 1}
    assert codes(reading) == [(4, None, "duplicate_in_file")]


def test_contradicting_rows_are_all_rejected(tmp_path):
    rows = [pupil(1), pupil(2), pupil(1, grade="四年级"), pupil(1, grade="五年级"), pupil(1)]
    reading = verdict(save(tmp_path / "a.xlsx", [HEADS, *rows]))

    assert [row.status for row in reading.rows] == ["rejected", "accepted", "rejected", "rejected", "skipped"]
    assert codes(reading, "error") == [(n, "身份证号", "duplicate_conflict") for n in (2, 4, 5)]


def test_a_register_warns_and_keeps_them(tmp_path):
    reading = verdict(save(tmp_path / "a.xlsx", [HEADS, pupil(1), pupil(1, grade="四年级")]), Register)

    assert (reading.accepted, reading.warned) == (2, 2)
    assert {code for _, _, code in codes(reading, "warning")} == {"duplicate_conflict"}


def test_duplicates_are_found_across_sheets(tmp_path):
    def finish(book, page):
        second = book.create_sheet("二班")
        second.append(HEADS)
        second.append(pupil(1, **{"class": "2班"}))

    reading = verdict(save(tmp_path / "a.xlsx", [HEADS, pupil(1)], name="一班", finish=finish))

    assert [(p.sheet, p.code) for p in reading.problems if p.row] == [
        ("一班", "duplicate_conflict"), ("二班", "duplicate_conflict")
    ]  # fmt: skip


def test_twins_without_numbers_are_two(tmp_path):
    rows = [pupil(1, id=None, born=None), pupil(1, id=None, born=None)]

    assert verdict(save(tmp_path / "a.xlsx", [HEADS, *rows]), Register).accepted == 2


def test_a_cell_has_one_problem(tmp_path):
    rows = [pupil(1, sex="女"), pupil(1, grade="四年级")]
    reading = verdict(save(tmp_path / "a.xlsx", [HEADS, *rows]))

    assert codes(reading, "error") == [
        (2, "身份证号", "id_sex_mismatch"),
        (3, "身份证号", "duplicate_conflict"),
    ]


def test_a_caller_can_add_what_only_he_knows(tmp_path):
    reading = verdict(save(tmp_path / "a.xlsx", [HEADS, pupil(1), pupil(2)]))

    reading.report(reading.rows[0], "school_name", "other_school", "不是本校的学生。")

    assert (reading.accepted, reading.rejected) == (1, 1)
    assert codes(reading) == [(2, "学校名称", "other_school")]
