"""What a correct reader must find, counted in the plainest way from what the author of the files knows.

Three answers to "is this child found by this rule?": yes, no, and open (the contract does not decide it).
`Answer.wrong(found)` lists what is missing and what is too much.

Choices made where docs/guide/commands.md leaves room (each is what a careful clerk would expect):
1. An identifier with a wrong digit or a cut tail still shows its birth date, so R08 counts such a row of a
   child of school age as "not found" until a human confirms the proposed link.
2. A row whose identifier belongs to another name is proposed, not linked: R08 "not found" holds for it too.
3. One person on `poverty` and on `monitored` under the same number, known to nobody, is one R08, not two.
4. A rejected roll row enrols nobody: without a 学籍 row the child is R01.
5. A 注销 certificate is a stay that has ended; a 风险消除时间 before as_of likewise.
6. One category held by two lists is one R25. When only one of the two lists drops the child, R26 is open.
7. `absent` never holds the children whose row has an error; the others missing from the file all count.
8. A population row with a damaged number, or none: R01 if the child is in no school, whether linked or not;
   if the child is in school (a link is only proposed), whether R01 opens is open.
9. The row of a late list counts as added or removed against the neighbour before it.
10. `duplicate_conflict` is told at the identifier's column; "white space collapsed" leaves one blank.
11. A list with several members in one row: its counts are not compared, only who is found by the rules.
12. `entry` may name the row of any snapshot that holds the stay.
13. Discrepancies settled since the last run may be told as `resolved` by the next run, or not.
14. A child known only by a row whose number is damaged has no number: a row that has the right one, of the same name and
    birth date, is a question (a namesake could be meant) or a link.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import date

from .books import Book, Line
from .county import YEAR_STARTS, County


@dataclass
class Answer:
    """Children (or children × category, as a count per child) that must and that may be found."""

    must: Counter = field(default_factory=Counter)
    may: Counter = field(default_factory=Counter)

    def wrong(self, found: Counter) -> dict[str, list[str]]:
        missing = self.must - found
        surplus = found - (self.must + self.may)
        return (
            {"missing": sorted(missing.elements()), "surplus": sorted(surplus.elements())}
            if missing or surplus
            else {}
        )


@dataclass
class Snapshot:
    register: str
    book: Book
    as_of: date
    scope: str | None
    partial: bool

    def covers(self, place: str) -> bool:
        return self.scope in (None, place)


def is_of_school_age(born: date, on: date) -> bool:
    """Six by 31 August of the school year's start, not yet sixteen on the day."""
    turns_six = (born.year + 6, born.month, born.day)
    turns_sixteen = (born.year + 16, born.month, born.day)
    return turns_six <= (YEAR_STARTS.year, 8, 31) and turns_sixteen > (on.year, on.month, on.day)


def counts(book: Book) -> dict[str, int]:
    """rows, accepted, rejected and skipped of any file."""
    found = Counter(line.status for line in book.lines.values())
    return {"rows": len(book.lines)} | {s: found[s] for s in ("accepted", "rejected", "skipped")}


def errors(book: Book) -> set[tuple]:
    """(sheet, row, column, code) of every planted row error."""
    return {(*at, column, code) for at, line in book.lines.items() for column, code in line.errors}


def warnings(book: Book) -> set[tuple]:
    return {(*at, column, code) for at, line in book.lines.items() for column, code in line.warnings}


class Truth:
    """The county as a perfect clerk would know it after each file."""

    def __init__(self, county: County):
        self.county = county
        self.enrolled: set[str] = set()
        self.known: set[str] = set()
        self.numbered: set[str] = set()  # known by a row with the right number
        self.rolls: dict[str, dict[str, tuple]] = {}  # school -> child -> facts of the last applied roll
        self.snapshots: list[Snapshot] = []
        self.hardships: dict[tuple[str, str], set[str]] = {}  # (child, category) -> registers it came from

    # -- files -----------------------------------------------------------------------------------

    def apply_roll(self, book: Book) -> dict[str, int]:
        """new, changed, unchanged, absent of a roll that is applied."""
        found: dict[str, dict[str, tuple]] = defaultdict(dict)
        faulty = set()
        for line in book.lines.values():
            if line.status == "accepted":
                found[self.county.children[line.who].school][line.who] = line.facts
            elif line.status == "rejected":
                faulty.add(line.who)
        answer = Counter()
        for school, rows in found.items():
            before = self.rolls.get(school, {})
            for child, facts in rows.items():
                answer[
                    "new" if child not in before else "unchanged" if before[child] == facts else "changed"
                ] += 1
            gone = set(before) - set(rows)
            answer["absent"] += len(gone - faulty)
            self.rolls[school] = rows | {child: before[child] for child in gone}
            self.enrolled |= set(rows)
            self.known |= set(rows)
            self.numbered |= set(rows)
        return {key: answer[key] for key in ("new", "changed", "unchanged", "absent")}

    def import_register(
        self, register: str, book: Book, as_of: date, *, scope: str | None = None, partial: bool = False
    ) -> dict[str, int]:
        """added, removed, changed, same against the neighbour before it, in the same scope."""
        snapshot = Snapshot(register, book, as_of, scope, partial)
        before = self._before(snapshot)
        now = {line.who: line.facts for line in book.lines.values() if line.status == "accepted"}
        answer = {
            "added": len(set(now) - set(before)),
            "removed": 0 if partial else len(set(before) - set(now)),
            "changed": sum(who in before and before[who] != facts for who, facts in now.items()),
            "same": sum(who in before and before[who] == facts for who, facts in now.items()),
        }
        self.snapshots.append(snapshot)
        for line in book.lines.values():
            if line.status == "accepted" and line.auto is not False and line.who in self.county.children:
                born = self.county.children[line.who].born
                if register == "xueji":
                    self.enrolled.add(line.who)
                if register == "xueji" or (register == "population" and is_of_school_age(born, as_of)):
                    if line.auto and line.who not in self.known:
                        self.numbered.add(line.who)
                    self.known.add(line.who)
        return answer

    def _before(self, snapshot: Snapshot) -> dict[str, tuple]:
        """Whoever stood on the list, within the scope, just before this snapshot."""
        listed: dict[str, tuple] = {}
        earlier = [s for s in self.snapshots if s.register == snapshot.register and s.as_of < snapshot.as_of]
        for old in sorted(earlier, key=lambda s: s.as_of):
            if not old.partial:
                listed = {w: v for w, v in listed.items() if not old.covers(v[0])}
            for line in old.book.lines.values():
                if line.status == "accepted":
                    listed[line.who] = (line.place, line.facts)
        return {who: facts for who, (place, facts) in listed.items() if snapshot.covers(place)}

    # -- linkage ---------------------------------------------------------------------------------

    def verdict(self, line: Line) -> set[str]:
        """linked, proposed or unlinked; two of them where the contract leaves it open."""
        if line.who in self.county.children and line.auto is None:
            return {"linked", "proposed", "unlinked"}
        if line.auto and line.who in self.known:
            return {"linked"} if line.who in self.numbered else {"linked", "proposed"}
        if line.proposed:
            return {"proposed"}
        return {"unlinked"} if line.auto or line.who in self.county.adults else {"unlinked", "proposed"}

    def linked(self, book: Book) -> tuple[int, int]:
        """The fewest and the most rows that may be linked by themselves."""
        verdicts = [self.verdict(line) for line in book.lines.values() if line.status == "accepted"]
        return sum(v == {"linked"} for v in verdicts), sum("linked" in v for v in verdicts)

    # -- rules -----------------------------------------------------------------------------------

    def listed(self, register: str, on: date) -> list[Line]:
        """The rows whose stay covers the day."""
        found: dict[str, Line] = {}
        mine = [s for s in self.snapshots if s.register == register and s.as_of <= on]
        for snapshot in sorted(mine, key=lambda s: s.as_of):
            if not snapshot.partial:
                found = {who: line for who, line in found.items() if not snapshot.covers(line.place)}
            for line in snapshot.book.lines.values():
                if line.status == "accepted":
                    for who in (line.who, *line.also):
                        found[who] = Line(**{**vars(line), "who": who})
        return [
            line
            for line in found.values()
            if (line.starts_on is None or line.starts_on <= on)
            and (line.ends_on is None or line.ends_on >= on)
        ]

    def _ages(self, line: Line, on: date) -> bool:
        return is_of_school_age(self.county.person(line.who).born, on)

    def r01(self, on: date) -> Answer:
        answer = Answer()
        for line in self.listed("population", on):
            if self._ages(line, on) and line.who not in self.enrolled:
                answer.must[line.who] = 1
            elif line.auto is None:
                answer.may[line.who] = 1
        return answer

    def r08(self, on: date) -> Answer:
        must, may = set(), set()
        for register in ("poverty", "monitored"):
            for line in self.listed(register, on):
                if not self._ages(line, on):
                    continue
                found = line.auto and line.who in self.known
                unsure = line.auto is None or (line.auto and line.who in self.known - self.numbered)
                if unsure or line.dated is None:
                    may.add(line.who)
                elif not found or line.who not in self.enrolled:
                    must.add(line.who)
        return Answer(Counter(must), Counter(may - must))

    REGISTERS = ("poverty", "monitored", "dibao", "tekun", "orphan", "disability")

    def _stays(self, on: date, *, sure: bool) -> dict[tuple[str, str], set[str]]:
        stays: dict[tuple[str, str], set[str]] = defaultdict(set)
        for register in self.REGISTERS:
            for line in self.listed(register, on):
                certain = line.auto and line.who in self.numbered
                if line.who in self.known and (certain or (line.auto is not False and not sure)):
                    stays[line.who, line.category].add(register)
        return stays

    def r25(self, on: date) -> Answer:
        must = {stay for stay in self._stays(on, sure=True) if stay not in self.hardships}
        maybe = {stay for stay in self._stays(on, sure=False) if stay not in self.hardships} - must
        return Answer(Counter(who for who, _ in must), Counter(who for who, _ in maybe))

    def settle_r25(self, on: date, *, found: Counter) -> None:
        """The bureau records every open one; `found` says which of the open questions it saw."""
        answer = self.r25(on)
        for stay, registers in self._stays(on, sure=False).items():
            if found[stay[0]] and (answer.must[stay[0]] or answer.may[stay[0]]):
                self.hardships.setdefault(stay, set()).update(registers)

    def r26(self, on: date) -> Answer:
        answer = Answer()
        sure, maybe = self._stays(on, sure=True), self._stays(on, sure=False)
        for stay, registers in self.hardships.items():
            if registers <= sure.get(stay, set()):
                continue
            certain = not (registers & maybe.get(stay, set()))
            (answer.must if certain else answer.may)[stay[0]] += 1
        return answer

    def rule(self, code: str, on: date) -> Answer:
        return {"R01": self.r01, "R08": self.r08, "R25": self.r25, "R26": self.r26}[code](on)

    # -- who is it -------------------------------------------------------------------------------

    def who(self, item: dict, books: list[Book]) -> set[str]:
        """The people an item of `discrepancies` or `link` can mean, by its file rows."""
        by_source = {(book.sha256, *at): line for book in books for at, line in book.lines.items()}
        by_entry = {
            (s.register, s.as_of.isoformat(), *at): line
            for s in self.snapshots
            for at, line in s.book.lines.items()
        }
        people = set()
        for source in (item.get("student") or {}).get("sources", ()):
            line = by_source.get((source["sha256"], source["sheet"], source["row"]))
            if line and not line.also:
                people.add(line.who)
        entry = item.get("entry")
        if not people and entry:
            line = by_entry.get((entry["register"], entry["as_of"], entry["sheet"], entry["row"]))
            if line:
                people.add(line.who)
        return people
