"""The drop folder: complete files go in once, what cannot is laid aside with the reason."""

import os
from datetime import date, timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from bureau.jobs import Job
from students.actions import dropping
from students.models import Arrival, Entry, Snapshot
from students.tasks import exchange_round
from tests.students.api.conftest import work
from tests.students.api.test_push import rows
from tests.students.factories import write_list

pytestmark = pytest.mark.django_db


@pytest.fixture
def folder(office, home) -> Path:
    exchange_round()
    return home / "drop" / "dibao"


def lay(folder: Path, name: str, people=range(1, 4), *, done: bool = True) -> Path:
    path = write_list(folder / name, rows(people[0], people[-1]))
    if done:
        (folder / f"{name}.done").touch()
    return path


def rounds(count: int = 2) -> None:
    for _ in range(count):
        exchange_round()
        work()


def later(**span) -> None:
    """As if so much time had gone by since the file was looked at."""
    for arrival in Arrival.objects.all():
        Arrival.objects.filter(pk=arrival.pk).update(seen_at=arrival.seen_at - timedelta(**span))


def test_every_list_has_its_folder(folder):
    assert {"dibao", "xueji", "deaths"} <= {path.name for path in folder.parent.iterdir()}


def test_file_is_imported_moved_away_and_told(folder):
    lay(folder, "2026-10-12.csv")

    rounds()

    snapshot = Snapshot.objects.get()
    assert (snapshot.state, snapshot.as_of, snapshot.township, snapshot.partial) == ("closed", date(2026, 10, 12), None, False)
    assert (snapshot.received_from, str(snapshot.received_by)) == ("投放文件夹", "数据交换")
    assert not (folder / "2026-10-12.csv").exists() and not (folder / "2026-10-12.csv.done").exists()
    assert (folder / "done" / "2026-10-12.csv").exists()
    words = (folder / "done" / "2026-10-12.csv.txt").read_text(encoding="utf-8")
    assert "已导入：低保对象名单" in words and "合格 3" in words and snapshot.get_absolute_url() in words


def test_file_s_name_tells_day_township_and_completeness(folder, world):
    lay(folder, f"20261012_{world.township.code}_partial.csv")

    rounds()

    snapshot = Snapshot.objects.get()
    assert (snapshot.as_of, snapshot.township, snapshot.partial) == (date(2026, 10, 12), world.township, True)


def test_file_without_mark_waits_until_it_has_looked_the_same_for_a_minute(folder):
    lay(folder, "2026-10-12.csv", done=False)
    exchange_round()
    later(seconds=55)
    exchange_round()
    assert not Snapshot.objects.exists()

    later(seconds=10)
    exchange_round()
    assert Snapshot.objects.count() == 1


def test_file_that_still_grows_waits_again(folder):
    path = lay(folder, "2026-10-12.csv", range(1, 2), done=False)
    exchange_round()
    later(minutes=2)
    write_list(path, rows(1, 5))

    exchange_round()
    assert not Snapshot.objects.exists()

    later(minutes=2)
    rounds()
    assert Snapshot.objects.get().accepted == 5


def test_file_that_kept_its_old_date_while_it_was_copied_waits_too(folder):
    path = lay(folder, "2026-10-12.csv", done=False)
    os.utime(path, (1_000_000_000, 1_000_000_000))

    exchange_round()

    assert not Snapshot.objects.exists()


def test_rounds_without_end_import_once(folder):
    lay(folder, "2026-10-12.csv")

    rounds(6)

    assert Snapshot.objects.count() == 1 and Job.objects.filter(kind="students.read_register").count() == 1


def test_same_file_laid_down_again_is_the_same_list(folder):
    for _ in range(2):
        lay(folder, "2026-10-12.csv")
        rounds()

    assert Snapshot.objects.count() == 1 and Entry.objects.count() == 3
    assert (folder / "done" / "2026-10-12(1).csv").exists() and Arrival.objects.exclude(settled_at=None).count() == 2


def test_corrected_file_of_the_same_day_is_another_list(folder):
    lay(folder, "2026-10-12.csv")
    rounds()
    lay(folder, "2026-10-12.csv", range(1, 5))
    rounds()

    assert Snapshot.objects.count() == 2 and Entry.objects.count() == 4


def test_file_replaced_while_it_was_read_is_taken_after_it(folder):
    lay(folder, "2026-10-12.csv")
    exchange_round()
    lay(folder, "2026-10-12.csv", range(1, 5))

    rounds(4)

    assert Snapshot.objects.count() == 2 and Entry.objects.count() == 4
    assert not (folder / "2026-10-12.csv").exists()


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("十月.csv", "文件名应为"),
        ("2026-10-32.csv", "日期不存在"),
        ("2026-10-12_000000000.csv", "没有代码为"),
        ("2026-10-12.docx", "不支持 .docx"),
        ("2026-10-12", "没有扩展名"),
        ("1999-12-31.csv", "不能早于 2000 年"),
        ("2099-10-12.csv", "不能晚于今天"),
    ],
)
def test_file_that_cannot_be_placed_is_laid_aside_with_the_reason(folder, name, why):
    lay(folder, name)

    rounds(1)

    assert why in (folder / "refused" / f"{name}.txt").read_text(encoding="utf-8")
    assert (folder / "refused" / name).exists() and not (folder / name).exists()
    assert not Snapshot.objects.exists() and why in Arrival.objects.get().fault


def test_file_that_cannot_be_read_is_laid_aside_with_the_reader_s_words(folder):
    (folder / "2026-10-12.csv").write_bytes(b"%PDF-1.7")
    (folder / "2026-10-12.csv.done").touch()

    rounds()

    assert "PDF" in (folder / "refused" / "2026-10-12.csv.txt").read_text(encoding="utf-8")
    assert Snapshot.objects.get().state == "refused"


def test_file_too_large_is_not_opened(folder, monkeypatch):
    monkeypatch.setattr("students.sheets.columns.RegisterSheet.max_bytes", 10)
    lay(folder, "2026-10-12.csv")

    rounds(1)

    assert "MB" in Arrival.objects.get().fault and not Snapshot.objects.exists()


def test_link_is_never_followed(folder, tmp_path):
    secret = write_list(tmp_path / "secret.csv", rows(1, 3))
    (folder / "2026-10-12.csv").symlink_to(secret)
    (folder / "2026-10-12.csv.done").touch()

    rounds(1)

    assert not Snapshot.objects.exists() and "不是普通文件" in Arrival.objects.get().fault
    assert secret.exists() and (folder / "refused" / "2026-10-12.csv").is_symlink()


def test_file_beside_the_folders_or_in_an_unknown_one_is_laid_aside(folder):
    home = folder.parent
    lay(home, "2026-10-12.csv")
    (home / "nonsense").mkdir()
    lay(home / "nonsense", "2026-10-12.csv")

    rounds(1)

    assert (home / "refused" / "2026-10-12.csv.txt").exists() and (home / "nonsense" / "refused" / "2026-10-12.csv").exists()
    assert not Snapshot.objects.exists()


@pytest.mark.parametrize("name", [".2026-10-12.csv", "~$2026-10-12.xlsx", "2026-10-12.csv.done"])
def test_hidden_and_half_written_files_are_left_alone(folder, name):
    (folder / name).write_text("x")

    rounds()

    assert (folder / name).exists() and not Arrival.objects.exists()


@pytest.mark.parametrize("name", [b"\xff\xfe2026.csv", ("长" * 80 + ".csv").encode(), "名\u202e单\n.csv".encode()])
def test_name_that_cannot_be_told_is_made_one_that_can(folder, name):
    raw = os.fsencode(folder) + b"/" + name
    with open(raw, "w") as file:
        file.write("x")

    later_round = lambda: (exchange_round(), later(minutes=2))  # noqa: E731
    later_round()
    later_round()
    exchange_round()

    assert len(list((folder / "refused").glob("*.txt"))) == 1 and not os.path.exists(raw)


def test_reading_that_was_broken_off_is_told(folder):
    lay(folder, "2026-10-12.csv")
    exchange_round()
    Job.objects.filter(kind="students.read_register").update(state=Job.State.FAILED)

    exchange_round()

    assert "读取被中断" in (folder / "refused" / "2026-10-12.csv.txt").read_text(encoding="utf-8")
    lay(folder, "2026-10-12.csv")
    exchange_round()
    Job.objects.filter(state=Job.State.FAILED).delete()
    rounds()
    assert Snapshot.objects.get().state == "closed", "laid down once more, it is read"


def test_list_that_takes_off_too_many_is_told_to_wait(folder):
    lay(folder, "2026-09-10.csv", range(1, 11))
    rounds()
    lay(folder, "2026-10-12.csv", range(1, 3))
    rounds()

    assert "确认后才生效" in (folder / "done" / "2026-10-12.csv.txt").read_text(encoding="utf-8")


def test_round_stands_back_while_another_one_is_at_work(folder, county):
    lay(folder, "2026-10-12.csv")

    with dropping._alone() as free:
        assert free and dropping.take_drops(county=county) == 0

    assert dropping.take_drops(county=county) == 1


def test_process_killed_between_import_and_move_imports_once(folder, monkeypatch):
    lay(folder, "2026-10-12.csv")
    exchange_round()
    work()

    def killed(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(dropping.os, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        exchange_round()
    monkeypatch.undo()
    rounds()

    assert Snapshot.objects.count() == 1 and (folder / "done" / "2026-10-12.csv").exists()


@pytest.mark.parametrize(("days", "kept"), [(6, True), (8, False)])
def test_plain_copies_do_not_lie_about(folder, monkeypatch, days, kept):
    lay(folder, "2026-10-12.csv")
    rounds()
    now = timezone.now().timestamp()
    monkeypatch.setattr(dropping.time, "time", lambda: now + days * 86400)

    exchange_round()

    assert ((folder / "done" / "2026-10-12.csv").exists(), (folder / "done" / "2026-10-12.csv.txt").exists()) == (kept, kept)


def test_folder_of_two_counties_is_nobody_s(folder, world):
    assert world.far_county
    lay(folder, "2026-10-12.csv")

    rounds()

    assert not Snapshot.objects.exists() and (folder / "2026-10-12.csv").exists()
