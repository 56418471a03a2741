"""Guardians and family members that rosters state: what would change, and how it is brought in.

One guardian in force per child and name. A father, mother or grandparent of another name takes the place of the one
before, who is closed with a date; brothers and other relatives stand side by side. Source: docs/rules/rosters.md,
“family members”.
"""

from typing import Any
from uuid import UUID

from bureau.bulk import by_key
from bureau.identity.names import names_agree
from students.models import Enrolment, Guardianship, RosterRow

PARENTS = ("父亲", "母亲", "养父", "养母", "继父", "继母")
ONE_OF_A_KIND = ("", *PARENTS, "祖父", "祖母", "外祖父", "外祖母")  # the empty word: “the guardian”, as rolls name him
NUMBERS = (("guardian_citizen_id", "guardian_index"), ("guardian_phone", "guardian_phone_index"))


class Families:
    """The guardians in force of some children, and whom one roster names of them."""

    def __init__(self, persons: set[UUID], rows: list[dict[str, Any]]) -> None:
        self.known: dict[UUID, dict[str, tuple]] = {}
        self.named = {(row["person_id"], row["guardian_name"]) for row in rows if row["guardian_name"]}
        if not self.named:
            return
        columns = ("student_id", "name", "relation", "legal", "number_index", "phone_index")
        in_force = Guardianship.objects.filter(valid_to=None)
        for student, name, relation, legal, *indexes in by_key(in_force, "student", persons, *columns):
            facts = (relation, legal, *(bytes(index) if index else None for index in indexes))
            self.known.setdefault(student, {})[name] = facts

    def changes(self, row: dict[str, Any]) -> list[list]:
        """[what, old, new] of the guardian a row states; numbers without their values."""
        name = row["guardian_name"]
        if not name:
            return []
        family = self.known.get(row["person_id"], {})
        if name not in family:
            return [["guardian", "、".join(self._replaced(row, family)), name]]
        relation, legal, *indexes = family[name]
        found = []
        if row["guardian_relation"] and row["guardian_relation"] != relation:
            found.append(["guardian_relation", relation, row["guardian_relation"]])
        if row["guardian_legal"] is not None and row["guardian_legal"] != legal:
            found.append(["guardian_legal", legal, row["guardian_legal"]])
        for (what, column), known in zip(NUMBERS, indexes, strict=True):
            if row[column] and row[column] != known:
                found.append([what, None, None])
        return found

    def _replaced(self, row: dict[str, Any], family: dict[str, tuple]) -> list[str]:
        if row["guardian_relation"] not in ONE_OF_A_KIND:
            return []
        return [
            name
            for name, (relation, *_) in family.items()
            if relation == row["guardian_relation"] and (row["person_id"], name) not in self.named
        ]


def judge(rows: list[dict[str, Any]], numbers: dict[tuple[str, bytes], UUID]) -> list[dict[str, Any]]:
    """Fill child, verdict and changes of the accepted rows of a 家庭成员信息表; the rows of children not at their school.

    Nobody learns from it whether such a child exists elsewhere.
    """
    for row in rows:
        row["person_id"] = numbers.get(("citizen", row["citizen_index"])) or numbers.get(("number", row["number_index"]))
    persons = {row["person_id"] for row in rows if row["person_id"]}
    columns = ("student_id", "school_id", "pk", "student__person__name", "student__person__former_names")
    enrolled = Enrolment.objects.filter(ended_on=None)
    here = {(student, school): facts for student, school, *facts in by_key(enrolled, "student", persons, *columns)}
    families, strangers = Families(persons, rows), []
    for row in rows:
        facts = here.get((row["person_id"], row["school_id"]))
        if facts is None or not _is_named(row["name"], *facts[1:]):
            row["person_id"] = None
            strangers.append(row)
            continue
        row["enrolment_id"], row["changes"] = facts[0], families.changes(row)
        added = [change[:2] for change in row["changes"]] == [["guardian", ""]]
        row["verdict"] = (
            RosterRow.Verdict.NEW if added else RosterRow.Verdict.CHANGED if row["changes"] else RosterRow.Verdict.UNCHANGED
        )
    return strangers


def _is_named(name: str, known: str, former: list[str]) -> bool:
    return any(names_agree(name, other) != "different" for other in (known, *former))


# The statements that bring them in. `known_people` holds the accepted rows of children known before.

_STATED = "r.guardian_name <> '' AND r.verdict <> 'unchanged'"
_KINDS = ", ".join(f"'{word}'" for word in ONE_OF_A_KIND)
_PARENTS = ", ".join(f"'{word}'" for word in PARENTS)
REPLACED = f"""SELECT g.id FROM known_people r CROSS JOIN students_guardianship g
    WHERE g.student_id = r.person_id AND {_STATED} AND g.valid_to IS NULL AND (
        (g.name = r.guardian_name AND (
            (r.guardian_relation <> '' AND r.guardian_relation <> g.relation)
            OR (r.guardian_legal IS NOT NULL AND r.guardian_legal <> g.legal)
            OR (r.guardian_index IS NOT NULL AND r.guardian_index IS DISTINCT FROM g.number_index)
            OR (r.guardian_phone_index IS NOT NULL AND r.guardian_phone_index IS DISTINCT FROM g.phone_index)))
        OR (g.name <> r.guardian_name AND g.relation = r.guardian_relation AND g.relation IN ({_KINDS})
            AND NOT EXISTS (SELECT 1 FROM known_people o WHERE o.person_id = g.student_id AND o.guardian_name = g.name)))"""
_COLUMNS = """students_guardianship (student_id, name, relation, legal, number_id, number_sealed, number_index,
    phone_id, phone_sealed, phone_index, valid_from)"""
NEW = f"""INSERT INTO {_COLUMNS}
    SELECT r.person_id, r.guardian_name, r.guardian_relation, COALESCE(r.guardian_legal, %(yes)s),
        COALESCE(r.guardian_uuid, r.person_id), r.guardian_sealed, r.guardian_index,
        COALESCE(r.guardian_phone_uuid, r.person_id), r.guardian_phone_sealed, r.guardian_phone_index, %(since)s
    FROM students_rosterrow r
    WHERE r.roster_id = %(roster)s AND r.status = 'accepted' AND r.person_is_new AND r.guardian_name <> ''"""
KNOWN = (
    f"UPDATE students_guardianship SET valid_to = %(since)s WHERE id IN ({REPLACED})",
    # what the row does not say of the same person is as it was
    f"""INSERT INTO {_COLUMNS}
        SELECT r.person_id, r.guardian_name, COALESCE(NULLIF(r.guardian_relation, ''), old.relation, ''),
            COALESCE(r.guardian_legal, old.legal, r.guardian_relation IN ({_PARENTS})),
            COALESCE(r.guardian_uuid, old.number_id, r.person_id), COALESCE(r.guardian_sealed, old.number_sealed),
            COALESCE(r.guardian_index, old.number_index), COALESCE(r.guardian_phone_uuid, old.phone_id, r.person_id),
            COALESCE(r.guardian_phone_sealed, old.phone_sealed), COALESCE(r.guardian_phone_index, old.phone_index),
            %(since)s
        FROM known_people r LEFT JOIN students_guardianship old ON old.id = (SELECT MAX(o.id) FROM students_guardianship o
            WHERE o.student_id = r.person_id AND o.name = r.guardian_name AND o.valid_to = %(since)s)
        WHERE {_STATED}
        AND NOT EXISTS (SELECT 1 FROM students_guardianship g
            WHERE g.student_id = r.person_id AND g.name = r.guardian_name AND g.valid_to IS NULL)
        AND NOT EXISTS (SELECT 1 FROM known_people o
            WHERE o.person_id = r.person_id AND o.guardian_name = r.guardian_name AND o.id < r.id)""",
)
