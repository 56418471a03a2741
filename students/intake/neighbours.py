"""A loaded list against its neighbours: who is the same, changed, new, gone. Set-based, the same SQL on both databases.

An entry is recognised by its strongest key (ID, else 人编号, else household number + name + birth date, else the row),
then by the weaker ones among what is left. Source: docs/rules/registers.md, “comparing two lists”.
"""

from dataclasses import dataclass, field
from datetime import date, timedelta
from uuid import UUID

from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery

from bureau.bulk import refresh_statistics
from students.linkage.households import KINDS
from students.models import Entry, FormerHousehold, Identifier, Person, Sighting, Snapshot
from students.models.registers import EntryFields

FIELDS = [f'"{field.column}"' for field in EntryFields._meta.get_fields()]
KEYS = ("recognised_by", "person_key", "family_key")
LISTED = "e.omitted_on IS NULL"
SEEN = """EXISTS (SELECT 1 FROM students_sighting i JOIN students_snapshot n ON n.id = i.snapshot_id
    WHERE i.entry_id = e.id AND {})"""
SEEN_BEFORE = SEEN.format("n.as_of <= %(as_of)s")
SEEN_LATER = SEEN.format("n.as_of > %(as_of)s AND n.as_of <= %(until)s")
TOLD_LATER = """(SELECT n.township_id FROM students_snapshot n WHERE n.register_id = %(register)s AND n.state = 'closed'
    AND n.as_of > %(as_of)s AND n.township_id IS NOT NULL)"""
MATCHED = "EXISTS (SELECT 1 FROM matched_rows m WHERE m.entry = e.id)"
PAIRED = "students_stagedentry s JOIN matched_rows m ON m.staged = s.id JOIN students_entry e ON e.id = m.entry"
WITHOUT = "NOT EXISTS (SELECT 1 FROM matched_rows m WHERE m.staged = s.id)"
MATCHED_ROWS = {  # apart from the staged rows, which are wide: to write a key into each of them costs more than to find it
    "postgresql": "CREATE TEMPORARY TABLE matched_rows (staged bigint, entry bigint, same boolean DEFAULT false) ON COMMIT DROP",
    "sqlite": "CREATE TEMPORARY TABLE matched_rows (staged, entry, same DEFAULT 0)",
}
OTHER_HOUSEHOLD = """(e.household_no <> s.household_no OR e.relation <> s.relation OR e.head_name <> s.head_name)"""
STABLE = " AND ".join(
    f"(e.{c} = s.{c} OR (e.{c} IS NULL AND s.{c} IS NULL))" for c in ("citizen_index", "name_key", "birth_on")
)  # while a row's number, name and birth date stay, so does its link
ENDS_BEFORE = "CASE WHEN e.own_to < %(last)s THEN e.own_to ELSE %(last)s END"


@dataclass
class Changes:
    """What a list changed against the one before it, in entries (one person's stay each).

    `parted`: persons whose row now says that somebody else may be meant.
    """

    added: int = 0
    removed: int = 0
    changed: int = 0
    same: int = 0
    parted: set[UUID] = field(default_factory=set)


class Closing:
    """Moves the staged rows of one snapshot into its register's entries; used inside the closing transaction.

    `scope` and `rows` say which entries (e) and staged rows (s) the statements of the moment are about.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self.scope = "e.scope_township_id = %(township)s" if snapshot.township_id else "1 = 1"
        self.rows = "1 = 1"
        self.params = {
            "snapshot": _uuid(snapshot.pk),
            "county": _uuid(snapshot.county_id),
            "register": snapshot.register_id,
            "township": _uuid(snapshot.township_id),
            "as_of": _day(snapshot.as_of),
            "last": _day(snapshot.as_of - timedelta(days=1)),
            "yes": True,
        }

    def close(self) -> Changes:
        """Follow on from the newest list, or slip in where newer lists were here before this one, which came late.

        A county's list may be late for some townships only: those that have sent newer lists of their own.
        """
        self._lay_out()
        newer = newer_lists(self.snapshot)
        townships = [] if self.snapshot.township_id else _townships_of(newer)
        if townships:
            self.scope = f"(e.scope_township_id IS NULL OR e.scope_township_id NOT IN {TOLD_LATER})"
            self.rows = f"(s.township_id IS NULL OR s.township_id NOT IN {TOLD_LATER})"
        here = newer.filter(township=None) if townships else newer
        late = here.exists()
        changes = self._slip_in(here, Q(scope_township=None) | ~Q(scope_township__in=townships)) if late else self._follow_on()
        for township in townships:
            self.params["township"] = _uuid(township)
            self.scope, self.rows = "e.scope_township_id = %(township)s", "s.township_id = %(township)s"
            self._slip_in(newer.filter(Q(township=None) | Q(township=township)), Q(scope_township=township))
        self._sight()
        if late or townships:
            changes = _difference(neighbours(self.snapshot)[0], self.snapshot)
        self._run("DELETE FROM students_stagedentry WHERE snapshot_id = %(snapshot)s")
        return changes

    def _lay_out(self) -> None:
        """A table for what is matched; and PostgreSQL must know how many rows it joins, or it looks at each with each."""
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE IF EXISTS matched_rows")
            cursor.execute(MATCHED_ROWS[connection.vendor])
            cursor.execute("CREATE INDEX matched_staged ON matched_rows (staged)")
            cursor.execute("CREATE INDEX matched_entry ON matched_rows (entry)")
            if connection.vendor == "postgresql":
                cursor.execute(f"ANALYZE students_stagedentry (id, snapshot_id, citizen_index, category, {', '.join(KEYS)})")
                cursor.execute("ANALYZE matched_rows")
        refresh_statistics(Entry, Identifier, Person)

    # The usual case: nothing newer is known.

    def _follow_on(self) -> Changes:
        for key in KEYS:
            self._match(key, LISTED)
        self._run(
            """UPDATE matched_rows SET same = %(yes)s FROM students_stagedentry s, students_entry e
               WHERE s.id = matched_rows.staged AND e.id = matched_rows.entry AND e.digest = s.digest"""
        )
        same = self._count("WHERE same = %(yes)s")
        changed = self._count("") - same
        parted: set[UUID] = set()
        if changed:
            self._keep_households()
            parted = self._parted()
            self._update_changed()
        moved = self._end(
            f"""NOT {MATCHED} AND EXISTS (SELECT 1 FROM students_stagedentry s WHERE s.snapshot_id = %(snapshot)s
                AND {WITHOUT} AND s.recognised_by = e.recognised_by)"""
        )  # the same person in another category: one stay ends, another begins
        removed = 0 if self.snapshot.partial else self._end(f"NOT {MATCHED}")
        added = self._insert_new("NULL", "s.own_to")
        self._match("recognised_by", LISTED)
        if moved:
            self._begin_new_category()
        return Changes(added - moved, removed, changed + moved, same, parted)

    def _keep_households(self) -> None:
        """What the lists before said of the households of rows that now say otherwise."""
        if self.snapshot.register.name not in KINDS:
            return
        self._run(
            f"""INSERT INTO students_formerhousehold (entry_id, snapshot_id, household_no, relation, head_name)
                SELECT e.id, i.snapshot_id, e.household_no, e.relation, e.head_name
                FROM {PAIRED} JOIN students_sighting i ON i.entry_id = e.id
                WHERE s.snapshot_id = %(snapshot)s AND NOT m.same AND e.household_no <> ''
                AND ({OTHER_HOUSEHOLD} OR e.listed_from <> COALESCE(s.own_from, e.listed_from)
                    OR (s.village_id IS NOT NULL AND (e.village_id IS NULL OR e.village_id <> s.village_id)))
                ON CONFLICT DO NOTHING"""
        )

    def _keep_late_households(self) -> None:
        """The same for a list that came late: the rows themselves go on saying what the newer lists say."""
        if self.snapshot.register.name not in KINDS:
            return
        self._run(
            f"""INSERT INTO students_formerhousehold (entry_id, snapshot_id, household_no, relation, head_name)
                SELECT e.id, s.snapshot_id, s.household_no, s.relation, s.head_name
                FROM {PAIRED} WHERE s.snapshot_id = %(snapshot)s AND s.household_no <> '' AND {OTHER_HOUSEHOLD}
                ON CONFLICT DO NOTHING"""
        )

    def _parted(self) -> set[UUID]:
        """Whom changed rows were linked to and no longer are."""
        with connection.cursor() as cursor:
            cursor.execute(
                f"""SELECT DISTINCT e.person_id FROM {PAIRED}
                    WHERE s.snapshot_id = %(snapshot)s AND NOT m.same AND e.person_id IS NOT NULL
                    AND CASE WHEN {STABLE} THEN 0 ELSE 1 END = 1""",
                {"snapshot": self.params["snapshot"]},
            )
            return {Entry._meta.get_field("person").target_field.to_python(key) for (key,) in cursor.fetchall()}

    def _update_changed(self) -> None:
        keep = ", ".join(
            f"{column} = CASE WHEN {STABLE} THEN e.{column} ELSE {otherwise} END"
            for column, otherwise in (("person_id", "NULL"), ("link_state", "'unlinked'"), ("link_method", "''"))
        )
        scope = "e.scope_township_id" if self.snapshot.township_id else "COALESCE(s.township_id, e.scope_township_id)"
        self._run(
            f"""UPDATE students_entry AS e SET {", ".join(f"{c} = s.{c}" for c in FIELDS)}, {keep},
                scope_township_id = {scope}, listed_from = COALESCE(s.own_from, e.listed_from), listed_to = s.own_to
                FROM students_stagedentry s, matched_rows m
                WHERE s.snapshot_id = %(snapshot)s AND m.staged = s.id AND e.id = m.entry AND NOT m.same"""
        )

    def _begin_new_category(self) -> None:
        self._run(
            f"""UPDATE students_entry AS e SET listed_from = %(as_of)s
                WHERE {MATCHED} AND NOT EXISTS (SELECT 1 FROM students_sighting i WHERE i.entry_id = e.id)
                AND EXISTS (SELECT 1 FROM students_entry o WHERE o.register_id = %(register)s
                    AND o.recognised_by = e.recognised_by AND o.omitted_on = %(as_of)s AND o.category <> e.category
                    AND (e.own_from IS NULL OR e.own_from <= o.listed_from))"""
        )

    # An older list arrives late: its neighbours' stays are stretched, shortened or split.

    def _slip_in(self, newer: QuerySet, place: Q) -> Changes:
        """`newer` are the later lists that speak of this place; only a complete one can say who left after this list."""
        first, after = newer.first(), newer.filter(partial=False).first()
        until = after.as_of if after else date.max
        self.params["until"], self.params["omitted"] = _day(until), _day(until)
        self.params["last_known"] = _day(until - timedelta(days=1))
        for who in (SEEN_LATER, f"{SEEN_BEFORE} AND ({LISTED} OR e.omitted_on > %(as_of)s)"):
            for key in KEYS:
                self._match(key, who)
        self._write_down()
        self._keep_late_households()
        self._run(
            f"""UPDATE students_entry AS e SET listed_from = COALESCE(e.own_from, s.own_from, %(as_of)s)
                FROM students_stagedentry s, matched_rows m
                WHERE s.snapshot_id = %(snapshot)s AND m.staged = s.id AND e.id = m.entry
                AND e.listed_from > COALESCE(e.own_from, s.own_from, %(as_of)s) AND {self.rows}"""
        )
        gone = "e.omitted_on = %(omitted)s" if after else LISTED
        if not self.snapshot.partial:
            self._end(f"{gone} AND {SEEN_BEFORE} AND NOT {SEEN_LATER} AND NOT {MATCHED}", listed="1 = 1")
            self._split(place, until)
        if after:
            listed_to = "CASE WHEN s.own_to < %(last_known)s THEN s.own_to ELSE %(last_known)s END"
            self._insert_new("%(omitted)s", listed_to)
        else:
            self._insert_new("NULL", "s.own_to")
        self._match("recognised_by", gone)
        self._write_down()
        following = _difference(self.snapshot, first, seen=Q(pk__in=self.snapshot.staged.exclude(entry=None).values("entry")))
        Snapshot.objects.filter(pk=first.pk).update(
            added=following.added, removed=following.removed, same=max(following.same - first.changed, 0)
        )
        return following

    def _split(self, place: Q, until: date) -> None:
        """Stays that lists before and after show and this one does not: one ends before it, a copy begins with the next."""
        mine, as_of = self.snapshot.register, self.snapshot.as_of
        seen = Sighting.objects.filter(entry=OuterRef("pk"))
        later = seen.filter(snapshot__as_of__gt=as_of, snapshot__as_of__lte=until).order_by("snapshot__as_of")
        both = (
            Entry.objects.filter(place, Exists(seen.filter(snapshot__as_of__lte=as_of)), register=mine)
            .annotate(again=Subquery(later.values("snapshot__as_of")[:1]))
            .exclude(again=None)
            .exclude(pk__in=self.snapshot.staged.exclude(entry=None).values("entry"))
        )
        for entry in list(both):
            first_part, again = entry.pk, entry.again
            entry.pk = None
            entry.listed_from = max(entry.own_from or again, again)
            entry.save(force_insert=True)
            Sighting.objects.filter(entry=first_part, snapshot__as_of__gt=as_of).update(entry=entry)
            FormerHousehold.objects.filter(entry=first_part, snapshot__as_of__gt=as_of).update(entry=entry)
            Entry.objects.filter(pk=first_part).update(omitted_on=as_of, listed_to=as_of - timedelta(days=1))

    # Statements both cases share.

    def _match(self, key: str, candidates: str) -> None:
        """Staged rows without an entry find theirs by one key; a weaker key only among entries nobody has found."""
        alone = "" if key == "recognised_by" else f"AND NOT {MATCHED}"
        found = self._run(
            f"""INSERT INTO matched_rows (staged, entry) SELECT s.id, MIN(e.id) FROM students_stagedentry s, students_entry e
                WHERE s.snapshot_id = %(snapshot)s AND {WITHOUT} AND e.register_id = %(register)s
                AND e.{key} = s.{key} AND e.category = s.category AND {candidates} AND {self.scope} AND {self.rows} {alone}
                GROUP BY s.id"""
        )
        if found and connection.vendor == "postgresql":
            self._run("ANALYZE matched_rows")

    def _write_down(self) -> None:
        """The keys of the entries into the staged rows, where querysets look for them: few lists come late."""
        self._run("UPDATE students_stagedentry AS s SET entry_id = m.entry FROM matched_rows m WHERE s.id = m.staged")

    def _end(self, which: str, *, listed: str = LISTED) -> int:
        return self._run(
            f"""UPDATE students_entry AS e SET omitted_on = %(as_of)s, listed_to = {ENDS_BEFORE}
                WHERE e.register_id = %(register)s AND {listed} AND {self.scope} AND {which}"""
        )

    def _insert_new(self, omitted_on: str, listed_to: str) -> int:
        """New stays; those whose citizen ID and name are a person's are his at once: to link them later costs a second
        writing of every row. Source: docs/rules/registers.md, “matching ladder”, steps 1–3.
        """
        fields = ", ".join(FIELDS)
        staged = ", ".join(f"s.{column}" for column in FIELDS)
        township = "%(township)s" if self.snapshot.township_id else "s.township_id"
        return self._run(
            f"""INSERT INTO students_entry (county_id, register_id, scope_township_id, omitted_on, listed_from,
                    listed_to, person_id, link_state, link_method, {fields})
                SELECT %(county)s, %(register)s, {township}, {omitted_on}, COALESCE(s.own_from, %(as_of)s),
                    {listed_to}, k.person_id, CASE WHEN k.person_id IS NULL THEN 'unlinked' ELSE 'linked' END,
                    CASE WHEN k.person_id IS NULL THEN '' ELSE 'citizen_id' END, {staged}
                FROM students_stagedentry s LEFT JOIN (
                    SELECT i."index", i.person_id, p.name_key FROM students_identifier i
                    JOIN students_person p ON p.id = i.person_id
                    WHERE i.county_id = %(county)s AND i.kind = 'citizen_id' AND i.valid_to IS NULL AND NOT i.derived
                ) k ON k."index" = s.citizen_index AND (k.name_key = s.name_key OR s.name_key = '')
                WHERE s.id IN (
                    SELECT MIN(s.id) FROM students_stagedentry s WHERE s.snapshot_id = %(snapshot)s
                    AND {WITHOUT} AND {self.rows} GROUP BY s.recognised_by, s.category) ORDER BY s.id"""
        )

    def _sight(self) -> None:
        self._run(
            """INSERT INTO students_sighting (snapshot_id, entry_id, sheet, "row")
               SELECT s.snapshot_id, m.entry, s.sheet, s."row" FROM students_stagedentry s JOIN matched_rows m ON m.staged = s.id
               WHERE s.snapshot_id = %(snapshot)s ORDER BY s.id"""
        )

    def _count(self, condition: str) -> int:
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT COUNT(DISTINCT entry) FROM matched_rows {condition}", self.params)
            return cursor.fetchone()[0]

    def _run(self, statement: str) -> int:
        if connection.vendor == "postgresql":
            statement = statement.replace("%(township)s", "%(township)s::uuid")
            for name in ("as_of", "last", "omitted", "until", "last_known"):
                statement = statement.replace(f"%({name})s", f"%({name})s::date")
            statement = statement.replace("THEN e.person_id ELSE NULL", "THEN e.person_id ELSE NULL::uuid")
        used = {name: value for name, value in self.params.items() if f"%({name})s" in statement}
        with connection.cursor() as cursor:
            cursor.execute(statement, used)
            return cursor.rowcount


def newer_lists(snapshot: Snapshot) -> QuerySet:
    """The closed lists after this one that speak of its place or of a part of it, the oldest first."""
    newer = Snapshot.objects.closed().filter(register=snapshot.register, as_of__gt=snapshot.as_of)
    if snapshot.township_id:
        newer = newer.filter(Q(township=None) | Q(township=snapshot.township))
    return newer.order_by("as_of", "received_at")


def neighbours(snapshot: Snapshot) -> tuple[Snapshot | None, Snapshot | None]:
    """The closed lists just before and just after this one among those that speak of the whole of its place.

    A list of the same day counts as before: the later arrival corrects the earlier one.
    """
    others = Snapshot.objects.closed().filter(register=snapshot.register).exclude(pk=snapshot.pk)
    if snapshot.township_id:
        others = others.filter(Q(township=None) | Q(township=snapshot.township))
    else:
        others = others.filter(township=None)
    before = others.filter(as_of__lte=snapshot.as_of).order_by("-as_of", "-received_at").first()
    after = others.filter(as_of__gt=snapshot.as_of).order_by("as_of", "received_at").first()
    return before, after


def _townships_of(lists: QuerySet) -> list:
    return list(lists.exclude(township=None).order_by().values_list("township_id", flat=True).distinct())


def _seen(snapshot: Snapshot | None) -> Q:
    return Q(Exists(Sighting.objects.filter(snapshot=snapshot, entry=OuterRef("pk"))))


def _difference(earlier: Snapshot | None, later: Snapshot, *, seen: Q | None = None) -> Changes:
    """Entries two lists have and have not in common (without telling changed from same), in the later one's place.

    `seen` are those of the earlier list while its sightings are not written down.
    """
    listed = Entry.objects.filter(register=later.register)
    if later.township_id:
        listed = listed.filter(scope_township=later.township)
    before = seen or _seen(earlier)
    in_later = listed.filter(_seen(later))
    in_both = in_later.filter(before).count()
    removed = listed.filter(before, ~_seen(later)).count()
    return Changes(added=in_later.count() - in_both, removed=0 if later.partial else removed, same=in_both)


def _uuid(key):
    return Snapshot._meta.pk.get_db_prep_value(key, connection)


def _day(day: date):
    return connection.ops.adapt_datefield_value(day)
