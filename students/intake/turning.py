"""The statements of a promotion: what turns with the school year, set-based, the same on both databases."""

from typing import Any

from django.db import connection
from django.db.models import Count, Exists, OuterRef, Q

from bureau.organisation.models import School, Stage, Term
from students.intake.preview import LAST_YEAR
from students.models import Enrolment, Promotion, PromotionRow
from students.models.turning import FOLLOWED, GRADUATED, NEXT_STAGE, leaving_window

Verdict = PromotionRow.Verdict
MOVED_UP = "升入中心校"
USUAL = " ".join(f"WHEN '{stage}' THEN {years}" for stage, years in LAST_YEAR.items())
STAGES = ", ".join(
    f"'{stage}'" for stage in [*LAST_YEAR, Stage.SPECIAL]
)  # of which nobody finishes by his cohort
# A length no school of the stage has (学制 9 of a 九年一贯制 school) is not the child's.
OWN_LENGTH = """CASE WHEN e.stage NOT IN ('preschool', 'primary', 'junior') OR (e.stage = 'primary' AND e.programme_years = 5)
    OR (e.stage = 'junior' AND e.programme_years = 4) THEN e.programme_years END"""

# The open enrolments of the scope with a cohort, and the facts of their schools: the programme's length is the one the
# bureau has set for the cohort, else the one recorded for the child, else the usual one.
IN_FORCE = """WITH spans AS (SELECT school_id, kind, stage, years, from_year,
        LEAD(from_year) OVER (PARTITION BY school_id, kind, stage ORDER BY from_year) AS until_year
        FROM students_schooling WHERE county_id = %(county)s)"""
CHILDREN = f"""(SELECT e.id, e.school_id, e.stage, e.is_present, e.is_registered, e.programme_years, e.state,
        s.managed_by_id, l.years AS set_years, t.years AS taught,
        COALESCE(l.years, {OWN_LENGTH}, CASE e.stage {USUAL} END) AS years,
        %(year)s - e.entered_in - e.repeat_offset AS done,
        (SELECT r.id FROM students_repeat r WHERE r.enrolment_id = e.id AND r.school_year_id = %(school_year)s
            AND r.applied_id IS NULL) AS repeats,
        (SELECT MIN(a.id) FROM students_absence a WHERE a.enrolment_id = e.id AND a.state IN ('open', 'signalled')) AS missing
    FROM students_enrolment e JOIN bureau_school s ON s.id = e.school_id
    LEFT JOIN spans l ON l.school_id = e.school_id AND l.kind = 'length' AND l.stage = e.stage
        AND l.from_year <= e.entered_in AND (l.until_year IS NULL OR l.until_year > e.entered_in)
    LEFT JOIN spans t ON t.school_id = e.school_id AND t.kind = 'taught' AND t.stage = e.stage
        AND t.from_year <= %(year)s AND (t.until_year IS NULL OR t.until_year > %(year)s)
    WHERE e.county_id = %(county)s AND e.ended_on IS NULL AND (e.is_registered OR e.is_present)
        AND e.entered_in IS NOT NULL AND e.stage IN ({STAGES}) AND {{scope}}) c"""
INTO = """INSERT INTO students_promotionrow (promotion_id, verdict, enrolment, school_id, stage, to_school_id,
    new_enrolment, years, years_before, was_present, was_registered)"""
LENGTH = "CASE WHEN c.set_years <> COALESCE(c.programme_years, 0) THEN c.set_years END"
SELECTED = (
    "c.id, c.school_id, c.stage, {to}, {new}, {years}, c.programme_years, c.is_present, c.is_registered"
)
CHOSEN = (
    # finished: on leave (休学) he stays behind, and a suspicion of dropping out is not covered by a graduation
    (
        Verdict.LEAVER,
        "c.repeats IS NULL AND c.done >= c.years AND c.state NOT LIKE '%%休学%%' AND c.missing IS NULL",
        {"to": "%(nowhere)s", "new": "%(nowhere)s", "years": LENGTH},
    ),
    (
        Verdict.REPEATER,
        "c.repeats IS NOT NULL",
        {"to": "%(nowhere)s", "new": "%(nowhere)s", "years": "%(none)s"},
    ),
    # beyond what the teaching point teaches: he goes on at the 中心校, which may have him already
    (
        Verdict.MOVES,
        "c.repeats IS NULL AND c.missing IS NULL AND c.done < c.years AND c.done >= c.taught AND c.managed_by_id IS NOT NULL",
        {"to": "c.managed_by_id", "new": "{uuid}", "years": LENGTH},
    ),
    (
        Verdict.LENGTH,
        f"c.repeats IS NULL AND c.done < c.years AND (c.taught IS NULL OR c.done < c.taught OR c.managed_by_id IS NULL) AND {LENGTH} IS NOT NULL",
        {"to": "%(nowhere)s", "new": "%(nowhere)s", "years": LENGTH},
    ),
)
ROLL_LEAVERS = f"""{INTO} SELECT %(promotion)s, '{Verdict.LEFT}', e.id, e.school_id, e.stage, %(nowhere)s, %(nowhere)s,
        %(none)s, e.programme_years, e.is_present, e.is_registered
    FROM students_enrolment e WHERE e.county_id = %(county)s AND e.exit_kind = '{GRADUATED}'
    AND e.ended_on BETWEEN %(window_from)s AND %(window_to)s AND e.stage IN ({", ".join(f"'{s}'" for s in FOLLOWED)})
    AND NOT EXISTS (SELECT 1 FROM students_leaver v WHERE v.enrolment_id = e.id) AND {{scope}}"""


def stage(promotion: Promotion) -> None:
    """Write a row for every enrolment the promotion will touch."""
    params = _params(promotion)
    scope = "e.school_id = %(school)s" if promotion.school_id else "e.school_id IS NOT NULL"
    with connection.cursor() as cursor:
        for verdict, condition, words in CHOSEN:
            columns = SELECTED.format(**words).format(uuid=_new_uuid())
            cursor.execute(
                f"""{INTO} {IN_FORCE} SELECT %(promotion)s, '{verdict}', {columns}
                    FROM {CHILDREN.format(scope=scope)} WHERE {condition}""",
                params,
            )
        cursor.execute(ROLL_LEAVERS.format(scope=scope), params)


def summary(promotion: Promotion) -> list[dict[str, Any]]:
    """Per school, how many of each: who goes on without a write, who leaves, and what the bureau has to look at."""
    rows = promotion.rows.order_by().values("school", "verdict", "stage").annotate(count=Count("pk"))
    told: dict[Any, dict[str, Any]] = {}
    for row in rows:
        line = told.setdefault(row["school"], dict.fromkeys(Verdict.values, 0) | {"stages": {}})
        line[row["verdict"]] += row["count"]
        if row["verdict"] == Verdict.LEAVER:
            line["stages"][row["stage"]] = line["stages"].get(row["stage"], 0) + row["count"]
    here = Enrolment.objects.open().filter(county=promotion.county_id, school__isnull=False)
    if promotion.school_id:
        here = here.filter(school=promotion.school_id)
    unknown = Q(entered_in=None) | Q(stage="")
    counted = here.order_by().values("school").annotate(
        children=Count("pk"), unknown=Count("pk", filter=unknown), on_leave=Count("pk", filter=Q(state__contains="休学"))
    )  # fmt: skip
    for row in counted:
        line = told.setdefault(row["school"], dict.fromkeys(Verdict.values, 0) | {"stages": {}})
        line |= {"children": row["children"], "unknown": row["unknown"], "on_leave": row["on_leave"]}
        written = (Verdict.LEAVER, Verdict.MOVES, Verdict.REPEATER)
        line["going_on"] = row["children"] - row["unknown"] - sum(line[verdict] for verdict in written)
    schools = School.objects.filter(pk__in=told).select_related("managed_by")
    stuck = _without_centre(promotion)
    return [
        {
            "school": str(school.pk),
            "name": school.name,
            "centre": str(school.managed_by or ""),
            "stuck": stuck.get(school.pk, 0),
        }
        | {"children": 0, "unknown": 0, "on_leave": 0, "going_on": 0}
        | told[school.pk]
        for school in schools
    ]


def _without_centre(promotion: Promotion) -> dict[Any, int]:
    """Children beyond what their teaching point teaches, where nobody has said which 中心校 manages it."""
    scope = "e.school_id = %(school)s" if promotion.school_id else "e.school_id IS NOT NULL"
    with connection.cursor() as cursor:
        cursor.execute(
            f"""{IN_FORCE} SELECT c.school_id, COUNT(*) FROM {CHILDREN.format(scope=scope)} WHERE c.repeats IS NULL
                AND c.done < c.years AND c.done >= c.taught AND c.managed_by_id IS NULL GROUP BY c.school_id""",
            _params(promotion),
        )
        return {School._meta.pk.to_python(key): count for key, count in cursor.fetchall()}


# Applying. `r` is a staged row, `e` its enrolment.

OF = (
    "r.promotion_id = %(promotion)s AND r.verdict = '{verdict}' AND e.id = r.enrolment AND e.ended_on IS NULL"
)
GOES_ON = " ".join(
    f"""WHEN r.stage = '{stage}' AND CAST(s.stages AS text) LIKE '%%"{later}"%%' THEN s.id"""
    for stage, later in NEXT_STAGE.items()
)
ROLL_OF_CENTRE = """(SELECT q.id FROM students_rosterschool q WHERE q.school_id = r.to_school_id AND q.kind = 'roll'
    AND q.latest)"""
APPLIED = {
    Verdict.LEAVER: f"""UPDATE students_enrolment AS e SET ended_on = %(leaves_on)s, exit_kind = '{GRADUATED}',
        is_present = %(no)s, is_registered = %(no)s, programme_years = COALESCE(r.years, e.programme_years)
        FROM students_promotionrow r WHERE {OF.format(verdict=Verdict.LEAVER)}""",
    Verdict.REPEATER: f"""UPDATE students_enrolment AS e SET repeat_offset = e.repeat_offset + 1
        FROM students_promotionrow r WHERE {OF.format(verdict=Verdict.REPEATER)}""",
    Verdict.LENGTH: f"""UPDATE students_enrolment AS e SET programme_years = r.years
        FROM students_promotionrow r WHERE {OF.format(verdict=Verdict.LENGTH)}""",
}
NOT_THERE_YET = """NOT EXISTS (SELECT 1 FROM students_enrolment o WHERE o.student_id = e.student_id
    AND o.school_id = r.to_school_id AND o.ended_on IS NULL)"""
MOVE_UP = (
    f"""INSERT INTO students_enrolment (id, county_id, student_id, school_id, outside_school, stage, entered_in,
            repeat_offset, class_name, boarding, state, major, agricultural, programme_years, internship, is_registered,
            is_present, registered_by_xueji, started_on, exit_kind, destination, roll_id)
        SELECT r.new_enrolment, e.county_id, e.student_id, r.to_school_id, '', e.stage, e.entered_in, e.repeat_offset,
            e.class_name, e.boarding, e.state, e.major, e.agricultural, COALESCE(r.years, e.programme_years),
            e.internship, e.is_registered, e.is_present, %(no)s, %(opens_on)s, '', '', {ROLL_OF_CENTRE}
        FROM students_promotionrow r JOIN students_enrolment e ON e.id = r.enrolment
        WHERE {OF.format(verdict=Verdict.MOVES)} AND {NOT_THERE_YET}""",
    f"""UPDATE students_enrolment AS e SET ended_on = %(leaves_on)s, exit_kind = '{MOVED_UP}', is_present = %(no)s,
            is_registered = %(no)s FROM students_promotionrow r WHERE {OF.format(verdict=Verdict.MOVES)}""",
)
LEAVERS = f"""INSERT INTO students_leaver (county_id, enrolment_id, school_year_id, promotion_id, to_school_id, handed_on,
        destination, "where", place, evidence, aid, aid_note)
    SELECT %(county)s, r.enrolment, %(school_year)s, %(promotion)s, x.onward, CASE WHEN x.onward IS NOT NULL
        THEN %(leaves_on)s END, '', '', '', '', '', ''
    FROM students_promotionrow r
    JOIN (SELECT r.id, CASE {GOES_ON} END AS onward FROM students_promotionrow r
        JOIN bureau_school s ON s.id = r.school_id WHERE r.promotion_id = %(promotion)s) x ON x.id = r.id
    WHERE r.promotion_id = %(promotion)s AND r.verdict IN ('{Verdict.LEAVER}', '{Verdict.LEFT}')
        AND r.stage IN ({", ".join(f"'{stage}'" for stage in FOLLOWED)})
    ON CONFLICT DO NOTHING"""


def apply(promotion: Promotion) -> dict[str, int]:
    """Write what is staged; how many of each."""
    params = _params(promotion)
    counts = {}
    with connection.cursor() as cursor:
        for verdict, statement in APPLIED.items():
            cursor.execute(statement, params)
            counts[str(verdict)] = cursor.rowcount
        for statement in MOVE_UP:
            cursor.execute(statement, params)
        counts[str(Verdict.MOVES)] = cursor.rowcount
        cursor.execute(
            """UPDATE students_repeat SET applied_id = %(promotion)s WHERE school_year_id = %(school_year)s AND applied_id IS NULL
               AND enrolment_id IN (SELECT r.enrolment FROM students_promotionrow r WHERE r.promotion_id = %(promotion)s
                   AND r.verdict = 'repeater')""",
            params,
        )
        cursor.execute(LEAVERS, params)
    return counts


TAKEN_BACK = "r.promotion_id = %(promotion)s AND r.verdict = '{verdict}' AND e.id = r.enrolment"
GIVEN_BACK = """UPDATE students_enrolment AS e SET ended_on = NULL, exit_kind = '', is_present = r.was_present,
    is_registered = r.was_registered, programme_years = CASE WHEN r.years IS NULL THEN e.programme_years ELSE r.years_before END
    FROM students_promotionrow r WHERE """
UNDONE = (
    """DELETE FROM students_leaver WHERE promotion_id = %(promotion)s""",
    """DELETE FROM students_enrolment WHERE id IN (SELECT r.new_enrolment FROM students_promotionrow r
        WHERE r.promotion_id = %(promotion)s AND r.verdict = 'moves')""",
    f"{GIVEN_BACK} {TAKEN_BACK.format(verdict=Verdict.LEAVER)}",
    f"{GIVEN_BACK} {TAKEN_BACK.format(verdict=Verdict.MOVES)}",
    f"""UPDATE students_enrolment AS e SET repeat_offset = e.repeat_offset - 1 FROM students_promotionrow r
        WHERE {TAKEN_BACK.format(verdict=Verdict.REPEATER)} AND e.repeat_offset > 0""",
    f"""UPDATE students_enrolment AS e SET programme_years = r.years_before FROM students_promotionrow r
        WHERE {TAKEN_BACK.format(verdict=Verdict.LENGTH)}""",
    """UPDATE students_repeat SET applied_id = NULL WHERE applied_id = %(promotion)s""",
)


def take_back(promotion: Promotion) -> None:
    """Everything as it was before; nothing may stand on it any more."""
    params = _params(promotion)
    with connection.cursor() as cursor:
        for statement in UNDONE:
            cursor.execute(statement, params)


def moved_again(promotion: Promotion) -> int:
    """How many of the touched enrolments are not any more as the promotion left them."""
    mine = PromotionRow.objects.filter(promotion=promotion, enrolment=OuterRef("pk"))
    touched = Enrolment.objects.filter(Exists(mine.filter(verdict__in=[Verdict.LEAVER, Verdict.MOVES])))
    left = {"ended_on": promotion.leaves_on, "is_present": False, "is_registered": False}
    changed = touched.exclude(**left, exit_kind__in=[GRADUATED, MOVED_UP]).count()
    made = PromotionRow.objects.filter(
        promotion=promotion, verdict=Verdict.MOVES, new_enrolment=OuterRef("pk")
    )
    changed += Enrolment.objects.filter(Exists(made), ended_on__isnull=False).count()
    staying = Enrolment.objects.filter(Exists(mine.filter(verdict=Verdict.REPEATER)))
    return changed + staying.filter(Q(ended_on__isnull=False) | Q(repeat_offset=0)).count()


def _params(promotion: Promotion) -> dict[str, Any]:
    key = Promotion._meta.pk.get_db_prep_value
    day = connection.ops.adapt_datefield_value
    year = promotion.school_year.starts_in
    first = Term.objects.filter(school_year=promotion.school_year).order_by("starts_on").first()
    since, until = leaving_window(year)
    return {
        "promotion": key(promotion.pk, connection),
        "county": key(promotion.county_id, connection),
        "school": key(promotion.school_id, connection) if promotion.school_id else None,
        "school_year": promotion.school_year_id,
        "year": year,
        "leaves_on": day(promotion.leaves_on),
        "opens_on": day(first.starts_on if first else until.replace(year=year, month=9, day=1)),
        "window_from": day(since),
        "window_to": day(until),
        "no": False,
        "none": None,
        "nowhere": None,
    }


def _new_uuid() -> str:
    return "gen_random_uuid()" if connection.vendor == "postgresql" else "lower(hex(randomblob(16)))"
