"""A file with corrected rows completes the roster it came from: the rows it does not answer are carried over.

Which roster it was is told by the serial in the header of the 问题 column, which row by the line beside it. Where the
column is gone a row is known by its number, else by name and class. Source: docs/rules/rosters.md, “补正”.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db.models import Count

from bureau import states
from bureau.bulk import insert_rows
from bureau.identity.names import names_agree
from bureau.sheets import Problem, Reading, Row, row_in, serial_in, serial_of, shown
from students.actions.refusals import NotApplicable
from students.intake.aidlines import COLUMNS as AID_COLUMNS
from students.intake.preview import Preview
from students.intake.rollrows import COLUMNS, reject
from students.models import AidLine, Roster, RosterRow

STAGED, APPLIED, SUPERSEDED = Roster.State.STAGED, Roster.State.APPLIED, Roster.State.SUPERSEDED
BINARY = tuple(name for name in COLUMNS if name.endswith(("_sealed", "_index")))
NUMBERS = tuple(name for name in COLUMNS if name.endswith(("_sealed", "_uuid")))
UNDECIDED = {"person_is_new": False, "enrolment_is_new": False, "verdict": "", "changes": []}


class Overtaken(Exception):
    """The roster to be completed was applied, completed or given up while the file was read: look again."""


class Completion:
    """The roster a file completes, and what of it is carried over."""

    def __init__(self, roster: Roster, named: Roster, base: Roster) -> None:
        self.roster, self.named, self.base = roster, named, base
        self.was = base.status

    def carried(self, reading: Reading, judged: Iterable[tuple[Row, dict[str, Any]]]) -> list[dict[str, Any]]:
        """The rows of the base that no row of the file (`judged`, with its staged row) replaces.

        A file that answers every good row of the base is the whole roll: what it no longer has was taken out.
        """
        old = _Old(self.base, self.named)
        columns = dict(_problem_columns(reading))
        for line, row in judged:
            index = columns.get((line.sheet, line.table.header_row))
            told = shown(line.cells[index]) if index is not None and index < len(line.cells) else ""
            if other := old.replace(row, row_in(told)):
                row["status"] = RosterRow.Status.REJECTED
                message = f"与沿用的第 {other['row']} 行（{other['name']}）是同一号码，请核对是谁的号码。"
                reject(reading, line, "citizen_id", "duplicate_conflict", message)
        if old.is_whole():
            return []
        return [self._carried(row) for row in old.left()]

    def _carried(self, row: dict[str, Any]) -> dict[str, Any]:
        row |= {"roster_id": self.roster.pk, "carried": True, "origin": row["origin"] or self.base.pk}
        if row["status"] == RosterRow.Status.ACCEPTED and (row["settled"] or self.was == APPLIED):
            row |= dict.fromkeys(NUMBERS) | UNDECIDED
            row |= {"settled": True, "verdict": RosterRow.Verdict.UNCHANGED}
        else:
            row |= UNDECIDED
        return row

    def take_over(self) -> None:
        """Inside the transaction that stages the roster: the base gives way. Raises Overtaken."""
        base = Roster.objects.select_for_update().get(pk=self.base.pk)
        if base.status != self.was or base.completions.living().exclude(pk=self.roster.pk).exists():
            raise Overtaken
        if base.status == STAGED:
            states.move(Roster.objects.filter(pk=base.pk), to=SUPERSEDED, by=self.roster.uploaded_by)

    def take_aid_lines(self) -> None:
        """Once the rows are stored: what a staged aid roster stated of the carried children stays stated."""
        if self.roster.kind != Roster.Kind.AID or self.was == APPLIED:
            return
        of_base = RosterRow.objects.filter(roster=self.base, aid__isnull=False)
        old = {(origin or self.base.pk, *place): pk for origin, *place, pk in of_base.values_list("origin", "sheet", "row", "pk")}
        ours = RosterRow.objects.filter(roster=self.roster, carried=True, settled=False)
        new = {old.get((origin, *place)): pk for origin, *place, pk in ours.values_list("origin", "sheet", "row", "pk")}
        lines = AidLine.objects.filter(row__roster=self.base).values(*AID_COLUMNS)
        kept = (line | {"row_id": new[line["row_id"]]} for line in lines if line["row_id"] in new)
        insert_rows(AidLine, AID_COLUMNS, ([line[name] for name in AID_COLUMNS] for line in kept))

    def tell(self, reading: Reading, carried: int) -> None:
        serial, name = serial_of(self.named.pk), self.named.file_name
        message = f"补正“{name}”（单号 {serial}）：没有再报的 {carried} 行沿用上次。"
        reading.problems.append(Problem(None, None, None, "note", "completes", message))
        if self.base != self.named and self.base.uploaded_by_id != self.roster.uploaded_by_id:
            message = f"“{name}”（单号 {serial}）已由{self.base.uploaded_by}用“{self.base.file_name}”补正，本次在其结果上继续。"
            reading.problems.append(Problem(None, None, None, "warning", "completed_meanwhile", message))


def completion_of(roster: Roster, reading: Reading) -> Completion | None:
    """What the file completes, if anything; a serial that leads nowhere is told and the file read as a whole roll."""
    serial = next((serial for table in reading.tables for _, text in table.others if (serial := serial_in(text))), None)
    if serial is None:
        return None
    here = Roster.objects.visible_to(roster.uploaded_by).filter(
        county=roster.county_id, term=roster.term_id, kind=roster.kind, school=roster.school_id
    )
    keys = here.exclude(pk=roster.pk).values_list("pk", flat=True)
    key = next((key for key in keys if serial_of(key) == serial), None)
    if key is None:
        message = f"单号 {serial} 不是本校本学期的花名册，没有采用，已按完整的花名册读取。"
        reading.problems.append(Problem(None, None, None, "note", "unknown_serial", message))
        return None
    named = base = here.light().get(pk=key)
    while following := base.completions.living().exclude(pk=roster.pk).first():
        base = following
    read_before = base.status == SUPERSEDED and roster.completes_id == base.pk
    if not (base.status == STAGED or (base.status == APPLIED and _stands(base)) or read_before):
        message = (
            f"单号 {serial}（“{named.file_name}”）之后已有变动，不能再补正，已按完整的花名册读取。"
            "只想补正几行的，请放弃本次上传，下载最近一份花名册的标注文件。"
        )
        reading.problems.append(Problem(None, None, None, "warning", "outdated_serial", message))
        return None
    return Completion(roster, named, base)


def count_own(outcome: Preview, rows: list[dict[str, Any]]) -> None:
    """The counts of a preview are those of the file itself; carried rows are told apart."""
    if not any(row["carried"] for row in rows):
        return
    accepted = RosterRow.Status.ACCEPTED
    told = Counter(row["verdict"] for row in rows if not row["carried"] and row["status"] == accepted)
    outcome.new, outcome.changed, outcome.unchanged = (told[verdict] for verdict in RosterRow.Verdict.values)


def carried_counts(roster: Roster) -> dict[str, int]:
    """How many rows stand carried over in a roster, by status."""
    counts = {"accepted": 0, "rejected": 0}
    if roster.completes_id:
        rows = RosterRow.objects.filter(roster=roster, carried=True).order_by()
        counts |= dict(rows.values_list("status").annotate(Count("pk")))
    return counts


def refuse_if_base_moved(roster: Roster) -> None:
    """A roster that completes an applied one stands on it: raises NotApplicable when that is no longer in force."""
    if not RosterRow.objects.filter(roster=roster, settled=True).exists():
        return
    base = roster
    while base.completes_id:
        base = base.completes
        if base.status == APPLIED and _stands(base):
            return
    message = "被补正的花名册已撤销入库，或之后又有新的花名册入库，请上传完整的花名册。"
    raise NotApplicable("base_moved", message)


def give_base_back(roster: Roster, *, by) -> None:
    """The roster completes nothing any more: the one it was to complete waits for its confirmation again."""
    base = Roster.objects.filter(pk=roster.completes_id, status=SUPERSEDED)
    if base.exists():
        states.move(base, to=STAGED, by=by)


class _Old:
    """The rows of the base, found by what a row of the file says of itself; each is replaced once."""

    def __init__(self, base: Roster, named: Roster) -> None:
        self.base, self.named = base.pk, named.pk
        self.rows = list(RosterRow.objects.filter(roster=base).order_by("pk").values(*COLUMNS))
        self.taken: set[int] = set()
        self.by_place: dict[tuple, list[dict]] = {}
        self.by_number: dict[tuple, list[dict]] = {}
        self.by_class: dict[tuple, list[dict]] = {}
        for row in self.rows:
            for name in BINARY:
                row[name] = bytes(row[name]) if row[name] is not None else None
            for sheet in {row["sheet"], None}:
                self.by_place.setdefault((row["origin"] or self.base, sheet, row["row"]), []).append(row)
            for number in _numbers(row):
                self.by_number.setdefault(number, []).append(row)
            self.by_class.setdefault(_class(row), []).append(row)

    def replace(self, row: dict[str, Any], place: tuple[str | None, int] | None) -> dict[str, Any] | None:
        """Take the old rows that this one answers away; another child's row with the same number is handed back."""
        meant = self._free(self.by_place.get((self.named, *place), [])) if place else []
        same = self._free(other for number in _numbers(row) for other in self.by_number.get(number, []))
        if len({old["sheet"] for old in meant}) == 1:  # of the family members of one row, all
            self._take(meant)
            same = self._free(same)
            stranger = next((old for old in same if names_agree(row["name"], old["name"]) == "different"), None)
            if stranger is None:
                self._take(same)
            return stranger
        self._take(same or self._of_class(row))
        return None

    def is_whole(self) -> bool:
        good = [row for row in self.rows if row["status"] == RosterRow.Status.ACCEPTED]
        return bool(good) and not self._free(good)

    def left(self) -> list[dict[str, Any]]:
        return self._free(self.rows)

    def _of_class(self, row: dict[str, Any]) -> list[dict[str, Any]]:
        """The one of his name in his class, a row with an error first; two numbers that differ are two children."""
        if not row["name_key"]:
            return []
        alike = [old for old in self._free(self.by_class.get(_class(row), [])) if not _contradict(row, old)]
        faulty = [old for old in alike if old["status"] == RosterRow.Status.REJECTED]
        chosen = faulty or alike
        return chosen if len(chosen) == 1 else []

    def _free(self, rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
        return [row for row in rows if id(row) not in self.taken]

    def _take(self, rows: list[dict[str, Any]]) -> None:
        self.taken |= {id(row) for row in rows}


def _numbers(row: dict[str, Any]) -> list[tuple[str, bytes]]:
    return [(prefix, row[f"{prefix}_index"]) for prefix in ("citizen", "number") if row[f"{prefix}_index"]]


def _contradict(row: dict[str, Any], other: dict[str, Any]) -> bool:
    pairs = [(row[f"{prefix}_index"], other[f"{prefix}_index"]) for prefix in ("citizen", "number")]
    return any(one and two and one != two for one, two in pairs)


def _class(row: dict[str, Any]) -> tuple[UUID | None, str, int | None, str, str]:
    return row["school_id"], row["stage"], row["entered_in"], row["class_name"], row["name_key"]


def _problem_columns(reading: Reading) -> Iterable[tuple[tuple[str | None, int], int]]:
    """(sheet, header row) -> index of the column with the serial."""
    for table in reading.tables:
        for index, text in table.others:
            if serial_in(text):
                yield (table.sheet, table.header_row), index


def _stands(roster: Roster) -> bool:
    """Whether an applied roster is still the latest of its kind at one of its schools."""
    return roster.parts.filter(latest=True).exists()
