"""Drives one installation through files and compares every answer with the truth; collects what differs."""

from collections import Counter
from datetime import date
from pathlib import Path

from . import lists, rolls, truth
from .books import Book
from .county import CENTRAL, FIRST, JUNIOR, LIUHE, TERM, County
from .drive import Bureau, Result
from .truth import Truth

RULES = ("R01", "R08", "R25", "R26")
ROSTER_KEYS = {
    "roster", "rows", "accepted", "rejected", "warned", "skipped", "new", "changed", "unchanged", "absent", "applied",
    "file_error", "problems", "seconds",
}  # fmt: skip
REGISTER_KEYS = {
    "snapshot", "rows", "accepted", "rejected", "warned", "skipped", "added", "removed", "changed", "same", "linked",
    "proposed", "unlinked", "file_error", "problems", "seconds",
}  # fmt: skip
ITEM_KEYS = {
    "rule",
    "subject",
    "student",
    "entry",
    "school",
    "township",
    "office",
    "due_on",
    "state",
    "occurrence",
}


class Story:
    def __init__(self, bureau: Bureau, county: County):
        self.bureau, self.county, self.truth = bureau, county, Truth(county)
        self.books: list[Book] = []
        self.deviations: list[str] = []
        self.open: dict[str, Counter] = {}
        self.items: list[dict] = []
        self.settled: Counter = Counter()

    def differs(self, what: str, expected, found) -> None:
        if expected != found:
            self.deviations.append(f"{what}: expected {expected!r}, found {found!r}")

    # -- files -----------------------------------------------------------------------------------

    def roll(self, book: Book, *, school: str | None = None, apply: bool = True) -> Result:
        """A class roll with --accept-good, so that what is faulty stays out and the rest goes in."""
        name = f"import_roster {book.path.name}"
        args = ["import_roster", book.path, "--term", TERM]
        args += ["--school", school] if school else []
        args += ["--apply", "--accept-good"] if apply else []
        result = self.bureau.run(*args, expect=None)
        self._same_rows(name, book, result, ROSTER_KEYS)
        if result.refusal:
            return result
        self._same_errors(name, book, result)
        self.differs(f"{name}: applied", apply, result["applied"])
        self.differs(
            f"{name}: new+changed+unchanged",
            result["accepted"],
            sum(result[k] for k in ("new", "changed", "unchanged")),
        )
        if apply and result["applied"]:
            self.books.append(book)
            for key, value in self.truth.apply_roll(book).items():
                self.differs(f"{name}: {key}", value, result[key])
        return result

    def register(
        self, register: str, book: Book, as_of: date, *, scope: str | None = None, partial: bool = False
    ) -> Result:
        name = f"import_register {register} {book.path.name}"
        args = ["import_register", book.path, "--register", register, "--as-of", as_of.isoformat()]
        args += ["--scope", scope] if scope else []
        args += ["--partial"] if partial else []
        result = self.bureau.run(*args, expect=None)
        sideways = any(line.also for line in book.lines.values())
        self._same_rows(name, book, result, REGISTER_KEYS)
        if result.refusal:
            return result
        self.books.append(book)
        expected = self.truth.import_register(register, book, as_of, scope=scope, partial=partial)
        if not sideways:
            for key, value in expected.items():
                self.differs(f"{name}: {key}", value, result[key])
            fewest, most = self.truth.linked(book)
            if not fewest <= result["linked"] <= most:
                self.differs(f"{name}: linked", (fewest, most), result["linked"])
            parts = result["linked"] + result["proposed"] + result["unlinked"]
            self.differs(f"{name}: linked+proposed+unlinked = accepted", result["accepted"], parts)
        found = self._problems(result, "error") | self._problems(result, "warning")
        for sheet, row, column, code in sorted(truth.warnings(book), key=str):
            if (sheet, row, column, code) not in found:
                near = [p for p in found if p[:2] == (sheet, row)]
                self.differs(f"{name}: warning", (sheet, row, column, code), near)
        level_error = {p[:2] for p in self._problems(result, "error")}
        self.differs(f"{name}: rows with an error", {e[:2] for e in truth.errors(book)}, level_error)
        return result

    def _same_rows(self, name: str, book: Book, result: Result, keys: set[str]) -> None:
        if result.refusal:
            self.differs(name, "read", f"refused: {result.out.get('file_error') or result.out.get('error')}")
            return
        self.differs(f"{name}: keys missing", set(), keys - set(result.out))
        for key, value in truth.counts(book).items():
            self.differs(f"{name}: {key}", value, result[key])
        if result["warned"] > result["accepted"]:
            self.differs(f"{name}: warned", "at most accepted", result["warned"])
        for problem in result["problems"]:
            keys = {"sheet", "row", "column", "level", "code", "message"}
            if set(problem) != keys or problem["level"] not in ("error", "warning", "note"):
                self.differs(f"{name}: shape of a problem", keys, problem)
                break
        noted = {(p["sheet"], p["row"]) for p in result["problems"] if p["level"] == "note"}
        for at, line in book.of("skipped"):
            if at not in noted:
                self.differs(f"{name}: a note for the skipped row", at, "none")
            for code in line.notes:
                if not any((p["sheet"], p["row"], p["code"]) == (*at, code) for p in result["problems"]):
                    self.differs(
                        f"{name}: note",
                        (*at, code),
                        [p["code"] for p in result["problems"] if p["row"] == at[1]],
                    )
        for sheet, _ in book.hidden_rows:
            if not any(p["code"] == "hidden_rows" and p["sheet"] == sheet for p in result["problems"]):
                self.differs(f"{name}: hidden_rows on", sheet, "none")
        for sheet in book.hidden_sheets:
            if not any(p["code"] == "hidden_sheet" for p in result["problems"]):
                self.differs(f"{name}: hidden_sheet", sheet, "none")

    def _same_errors(self, name: str, book: Book, result: Result) -> None:
        planted, found = truth.errors(book), self._problems(result, "error")
        self.differs(f"{name}: errors not reported", [], sorted(planted - found, key=str))
        self.differs(f"{name}: errors nobody planted", [], sorted(found - planted, key=str))

    @staticmethod
    def _problems(result: Result, level: str) -> set[tuple]:
        return {
            (p["sheet"], p["row"], p["column"], p["code"]) for p in result["problems"] if p["level"] == level
        }

    # -- linkage and rules -----------------------------------------------------------------------

    def links(self, registers: set[str]) -> Result:
        """`link --items`: the verdict on every row of the first round, and the right child behind it."""
        result = self.bureau.run("link", "--items")
        rows = {
            (s.register, *at): line
            for s in self.truth.snapshots if s.register in registers
            for at, line in s.book.lines.items() if line.status == "accepted" and not line.also
        }  # fmt: skip
        seen = set()
        for item in result["items"]:
            at = (item["register"], item["sheet"], item["row"])
            if at not in rows:
                continue
            seen.add(at)
            line, verdict = rows[at], {"confirmed": "linked"}.get(item["verdict"], item["verdict"])
            if verdict not in self.truth.verdict(line):
                self.differs(
                    f"link {at} {line.who}: verdict",
                    self.truth.verdict(line),
                    (item["verdict"], item["method"]),
                )
            people = self.truth.who({"student": item["student"]}, self.books)
            if verdict == "linked" and people != {line.who}:
                self.differs(f"link {at}: the child behind it", {line.who}, people)
        self.differs("link --items: rows without an item", [], sorted(set(rows) - seen, key=str))
        for verdict in ("linked", "proposed", "unlinked"):
            self.differs(
                f"link: {verdict} ", sum(i["verdict"] == verdict for i in result["items"]), result[verdict]
            )
        return result

    def reconcile(self, on: date, *, say_as_of: bool = False) -> Result:
        args = ["reconcile", "--term", TERM] + (["--as-of", on.isoformat()] if say_as_of else [])
        result = self.bureau.run(*args)
        self.differs("reconcile: as_of", on.isoformat(), result["as_of"])
        self.differs("reconcile: rules missing", set(), set(RULES) - set(result["rules"]))
        listed = self.bureau.run("discrepancies", "--term", TERM, "--state", "open")
        self.differs("discrepancies: count", len(listed["items"]), listed["count"])
        before, self.open = self.open, {rule: Counter() for rule in RULES}
        self.items = listed["items"]
        for item in listed["items"]:
            if item["rule"] not in RULES:
                continue
            self.differs(f"{item['rule']}: keys missing", set(), ITEM_KEYS - set(item))
            people = self.truth.who(item, self.books)
            if len(people) != 1:
                self.differs(
                    f"{item['rule']}: whom an item means",
                    "one person",
                    (people, item["student"], item["entry"]),
                )
            for who in people:
                self.open[item["rule"]][who] += 1
        for rule in RULES:
            wrong = self.truth.rule(rule, on).wrong(self.open[rule])
            if wrong:
                self.differs(f"{rule} on {on}", {}, wrong)
            told = result["rules"].get(rule)
            if told is None:
                continue
            self.differs(f"{rule} on {on}: open", sum(self.open[rule].values()), told["open"])
            was, now = before.get(rule, Counter()), self.open[rule]
            self.differs(f"{rule} on {on}: opened", sum((now - was).values()), told["opened"])
            gone = (was - now).total()
            if told["resolved"] not in (gone, gone + self.settled[rule]):
                self.differs(f"{rule} on {on}: resolved", (gone, gone + self.settled[rule]), told["resolved"])
        self.settled = Counter()
        return result

    def item_of(self, rule: str, who: str) -> dict:
        """The open discrepancy of one child."""
        mine = [i for i in self.items if i["rule"] == rule and self.truth.who(i, self.books) == {who}]
        assert len(mine) == 1, f"{rule} of {who}: {mine}"
        return mine[0]

    def settle_r25(self, on: date) -> Result:
        """The aid officer records every open hardship in one go."""
        self.bureau.run(
            "create_account",
            "aid.officer",
            "--role",
            "aid_officer",
            "--password-stdin",
            stdin="a-Long-pass-9x!\n",
        )
        result = self.bureau.run(
            "settle", "--rule", "R25", "--remedy", "record_hardship", "--by", "aid.officer", "--reason", "名单在册，予以认定",
            expect=None,
        )  # fmt: skip
        if result.refusal:
            self.differs("settle R25", "done", result.out)
            return result
        self.differs("settle R25: exit status", 0, result.status)
        self.differs("settle R25: settled", sum(self.open["R25"].values()), result["settled"])
        self.differs("settle R25: left", 0, result["left"])
        self.truth.settle_r25(on, found=self.open["R25"])
        self.settled["R25"], self.open["R25"] = result["settled"], Counter()
        return result

    # -- the usual first round -------------------------------------------------------------------

    def first_round(self, registers: tuple[str, ...], on: date = FIRST) -> None:
        county = self.county
        self.roll(rolls.central(county), school=CENTRAL)
        self.roll(rolls.liuhe(county), school=LIUHE)
        self.roll(rolls.junior(county), school=JUNIOR)
        self.roll(rolls.many(county))
        for register in registers:
            for book, scope in self.files(register):
                self.register(register, book, on, scope=scope)

    def files(self, register: str) -> list[tuple[Book, str | None]]:
        """The file or the townships' files of a register, as this county's style has them."""
        county = self.county
        if register == "xueji":
            return [(rolls.xueji(county), None)]
        if register == "dibao" and county.style == "b":
            return lists.pieces(county)
        if register == "dibao" and county.style == "c":
            return [(lists.dibao(county, shape="sideways"), None)]
        if register == "population" and county.style == "b":
            return lists.population_pieces(county)
        return [(getattr(lists, register)(county), None)]


def installed(bureau: Bureau, folder: Path) -> Bureau:
    """`migrate` then `import_organisation` is a complete empty installation."""
    bureau.migrate()
    result = bureau.run("import_organisation", County(folder, size=0).write_organisation())
    assert {k: result[k] for k in ("townships", "villages", "schools", "terms")} == {
        "townships": 4, "villages": 12, "schools": 7, "terms": 3,
    }  # fmt: skip
    return bureau
