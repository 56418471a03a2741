"""The drop folder: a file laid into `drop/<register>/` is imported by itself, once, and moved away with a word on it.

`<as_of>[_<township code>][_partial].xlsx`; a file is complete when it has looked the same for a minute, or when
`<file>.done` lies beside it. Source: docs/guide/exchange.md.
"""

import fcntl
import logging
import os
import re
import shutil
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from bureau.organisation.models import County, Township
from students.actions import registers
from students.actions.exchange import exchange_account
from students.actions.files import display_name, private_folder
from students.actions.opening import reading_stopped
from students.intake.known import register_named, register_names
from students.models import Arrival, Snapshot
from students.sheets import sheets_of

STABLE = timedelta(minutes=1)
SUFFIXES = frozenset({".xlsx", ".xls", ".et", ".ods", ".xlsb", ".csv"})
DONE, REFUSED, MARK = "done", "refused", ".done"
DAYS_KEPT = 7  # plain copies of what is kept sealed, or was not taken
FIRST_DAY = date(2000, 1, 1)
MOST_CHARACTERS = 60
NAME = re.compile(
    r"(?P<year>\d{4})-?(?P<month>\d{2})-?(?P<day>\d{2})(?:_(?P<scope>\d{6,12}))?(?P<partial>_partial)?", re.ASCII
)
NAME_HELP = "文件名应为“名单日期[_乡镇代码][_partial].扩展名”，如 2026-10-12.xlsx、2026-10-12_990101101_partial.csv。"

log = logging.getLogger(__name__)


class NotTaken(Exception):
    """The file stays outside; the message says why, and what to do."""


@dataclass(frozen=True)
class Label:
    """What a file's name says of it."""

    as_of: date
    township: Township | None
    partial: bool


def home() -> Path:
    return settings.BUREAU_HOME / "drop"


def take_drops(*, county: County) -> int:
    """One round: import what is complete, move away what has been read; how many files were taken.

    Only one round runs at a time, whichever process begins it.
    """
    with _alone() as free:
        if not free:
            return 0
        for name in register_names(county):
            (home() / name).mkdir(parents=True, exist_ok=True)
        _settle(county)
        taken = sum(_look(county, path) for path in list(_files()))
        _clear_away()
        return taken


def label_of(name: str, *, county: County, today: date) -> Label:
    """Raises NotTaken."""
    stem, suffix = os.path.splitext(name)
    if suffix.lower() not in SUFFIXES:
        raise NotTaken(f"不支持 {suffix or '没有扩展名'} 的文件，请用 .xlsx、.xls、.et、.ods、.xlsb 或 .csv。")
    match = NAME.fullmatch(stem)
    if match is None:
        raise NotTaken(NAME_HELP)
    try:
        as_of = date(int(match["year"]), int(match["month"]), int(match["day"]))
    except ValueError:
        raise NotTaken(f"文件名里的日期不存在。{NAME_HELP}") from None
    if not FIRST_DAY <= as_of <= today:
        raise NotTaken("名单日期不能晚于今天，也不能早于 2000 年。")
    township = None
    if (scope := match["scope"]) and scope != county.code:
        township = Township.objects.filter(county=county, code=scope).first()
        if township is None:
            raise NotTaken(f"没有代码为“{scope}”的乡镇。")
    return Label(as_of, township, bool(match["partial"]))


def _look(county: County, path: Path) -> bool:
    """Note how the file looks; take it when it is complete. Whether it was taken."""
    now = timezone.now()
    try:
        seen = path.lstat()
    except OSError:
        return False  # gone since we listed the folder
    looks = {"size": seen.st_size, "changed_ns": seen.st_mtime_ns}
    if not stat.S_ISREG(seen.st_mode):
        _refuse(_noted(county, path, looks, now), "不是普通文件（是链接或目录），没有打开。")
        return False
    arrival = _noted(county, path, looks, now)
    if arrival.snapshot_id:
        return False  # being read
    if (arrival.size, arrival.changed_ns) != (seen.st_size, seen.st_mtime_ns):
        Arrival.objects.filter(pk=arrival.pk).update(seen_at=now, **looks)
        arrival.seen_at, arrival.size, arrival.changed_ns = now, seen.st_size, seen.st_mtime_ns
    if now - arrival.seen_at < STABLE and not path.with_name(path.name + MARK).exists():
        return False
    try:
        _take(arrival, path)
    except NotTaken as refused:
        _refuse(arrival, str(refused))
    return arrival.snapshot_id is not None


def _noted(county: County, path: Path, looks: dict, now) -> Arrival:
    arrival, _ = Arrival.objects.waiting().get_or_create(
        county=county, folder=_folder(path), file_name=path.name, defaults=looks | {"seen_at": now}
    )
    return arrival


def _take(arrival: Arrival, path: Path) -> None:
    """Import a private copy, as the operator would; the file itself is moved when the list has been read."""
    county = arrival.county
    if arrival.folder not in register_names(county):
        raise NotTaken(f"没有代码为“{arrival.folder[:40]}”的名单，请放进名单代码的文件夹。")
    label = label_of(path.name, county=county, today=timezone.localdate())
    limit = sheets_of(arrival.folder)[0].max_bytes
    if arrival.size > limit:
        raise NotTaken(f"文件超过 {limit // 2**20} MB，请按乡镇拆分。")
    with private_folder() as folder:
        copy = folder / f"dropped{path.suffix.lower()}"
        try:
            _copy(path, copy)
        except OSError as error:
            raise NotTaken(f"文件打不开（{error.strerror}），请检查权限后重新投放。") from None
        with transaction.atomic():
            arrival.snapshot = registers.receive_snapshot(
                file=copy,
                file_name=display_name(path.name),
                register=register_named(county, arrival.folder),
                as_of=label.as_of,
                county=county,
                township=label.township,
                partial=label.partial,
                received_from="投放文件夹",
                by=exchange_account(county),
            )
            arrival.save(update_fields=["snapshot"])


def _copy(source: Path, target: Path) -> None:
    """A link that was put there since we looked is not followed."""
    handle = os.open(source, os.O_RDONLY | os.O_NOFOLLOW)
    with open(handle, "rb") as plain, target.open("xb") as out:
        shutil.copyfileobj(plain, out)


def _settle(county: County) -> None:
    """Move away the files of lists that have been read, or whose reading was broken off."""
    taken = Arrival.objects.waiting().filter(county=county).exclude(snapshot=None)
    for arrival in taken.select_related("snapshot__job", "county"):
        snapshot = arrival.snapshot
        try:
            if snapshot.state == Snapshot.State.REFUSED:
                _refuse(arrival, (snapshot.file_error or {}).get("message", "文件无法读取。"))
            elif snapshot.state == Snapshot.State.DROPPED:
                _refuse(arrival, "县教育局已决定不采用这一期名单。")
            elif snapshot.state != Snapshot.State.READING:
                _finish(arrival, DONE, _words(snapshot))
            elif reading_stopped(snapshot):
                _refuse(arrival, "读取被中断。请在“部门名单”里打开这一期重新读取，或再投放一次。")
        except OSError as error:  # the next round tries again
            log.warning("arrival %s cannot be moved away: %s", arrival.pk, error.strerror)


def _words(snapshot: Snapshot) -> str:
    first = "已读取，退出的人较多，须在系统中确认后才生效" if snapshot.state == Snapshot.State.HELD else "已导入"
    return (
        f"{first}：{snapshot.register.title}，{snapshot.as_of.isoformat()}，{snapshot.township or '全县'}。\n"
        f"共 {snapshot.rows} 行：合格 {snapshot.accepted}，有错误 {snapshot.rejected}，跳过 {snapshot.skipped}。\n"
        f"与前后期相比：新增 {snapshot.added}，退出 {snapshot.removed}，变更 {snapshot.changed}，不变 {snapshot.same}。\n"
        f"在系统中查看：{snapshot.get_absolute_url()}"
    )


def _refuse(arrival: Arrival, why: str) -> None:
    arrival.fault = why[:300]
    _finish(arrival, REFUSED, f"没有导入：{why}")


def _finish(arrival: Arrival, where: str, words: str) -> None:
    """Move the file unless another one has taken its place meanwhile, tell why, and close the arrival."""
    source = home() / arrival.folder / arrival.file_name
    try:
        now = source.lstat()
        same = (now.st_size, now.st_mtime_ns) == (arrival.size, arrival.changed_ns)
    except OSError:
        same = False
    target = _free(source.parent / where, source.name)
    if same:
        os.replace(source, target)
        source.with_name(source.name + MARK).unlink(missing_ok=True)
    moment = timezone.localtime().strftime("%Y-%m-%d %H:%M")
    target.with_name(target.name + ".txt").write_text(f"{moment} {words}\n", encoding="utf-8")
    arrival.settled_at = timezone.now()
    arrival.save(update_fields=["settled_at", "fault"])


def _free(folder: Path, name: str) -> Path:
    """A place that holds no other file; a list of the same day may come twice."""
    folder.mkdir(exist_ok=True)
    stem, suffix = os.path.splitext(name)
    places = (folder / (f"{stem}({number}){suffix}" if number else name) for number in range(10**6))
    return next(place for place in places if not place.exists() and not place.with_name(place.name + ".txt").exists())


def _files() -> Iterator[Path]:
    """What lies in the folders of the registers, or beside them by mistake.

    Hidden files and those an open workbook leaves are passed over; a name that cannot be told is made one that can.
    """
    for folder in [home(), *sorted(path for path in home().iterdir() if path.is_dir() and _can_be_told(path.name))]:
        if folder.name in (DONE, REFUSED):
            continue
        try:
            for path in sorted(folder.iterdir()):
                if path.name in (DONE, REFUSED) or path.name.endswith(MARK) or path.name.startswith((".", "~$")):
                    continue
                if folder != home() or not path.is_dir():
                    yield path if _can_be_told(path.name) else path.rename(_free(folder, _told_name(path.name)))
        except OSError as error:
            log.warning("a drop folder cannot be read: %s", error.strerror)


def _folder(path: Path) -> str:
    return "" if path.parent == home() else path.parent.name


def _can_be_told(name: str) -> bool:
    return len(name) <= MOST_CHARACTERS and name.isprintable() and name == display_name(name)


def _told_name(name: str) -> str:
    plain = display_name(name.encode("utf-8", "replace").decode())
    return plain[-MOST_CHARACTERS:].lstrip(".~$ ") or "file"


def _clear_away() -> None:
    """Plain copies do not lie about: the list itself is kept sealed, and what was refused comes again."""
    before = time.time() - DAYS_KEPT * 86400
    for path in [path for where in (DONE, REFUSED) for path in (*home().glob(f"*/{where}/*"), *home().glob(f"{where}/*"))]:
        if path.lstat().st_ctime < before:  # when it was moved here, not when the office wrote it
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()


@contextmanager
def _alone() -> Iterator[bool]:
    """Whether no other round is running; the kernel drops the lock of a process that dies."""
    home().mkdir(parents=True, exist_ok=True)
    with (home() / ".round").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True
