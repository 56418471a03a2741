"""A register's rows become staged entries: one per person, numbers sealed, recognition keys computed."""

import json
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from bureau import secrecy
from bureau.identity.citizen import birth_in, birth_in_damaged, sex_in
from bureau.identity.names import name_key, pinyin_key
from bureau.keys import uuid7
from bureau.organisation.places import Places
from students.linkage.embedded import holder_in
from students.models import Snapshot, StagedEntry
from students.models.schooling import STAGE_OF_LETTER, entry_year

FAMILY = {
    "population": "hukou",
    "poverty": "poverty",
    "monitored": "poverty",
    "student_pool": "poverty",
    "dibao": "dibao",
}  # which numbering of households a register's 户编号 belongs to

WHO = (
    "name", "citizen_id", "citizen_id_damaged", "birth_on", "sex", "household_no", "person_no", "head_name",
    "head_citizen_id", "guardian_citizen_id", "student_number", "certificate", "township_name", "village_name", "address",
    "school_code", "school_name",
)  # what tells whom a row is about: while these stay, a human answer about it stands
OF_HEAD = (
    "name", "citizen_id", "citizen_id_damaged", "birth_on", "sex", "ethnicity", "relation", "person_no", "student_number",
    "certificate", "holder_id", "phone",
)  # in a row of a whole household
ADULT = 18  # a household headed by somebody younger is a child's
UNCOMPARED = ("序号", "编号", "行号")  # they change with every row above

COLUMNS = tuple(
    field.attname for field in StagedEntry._meta.concrete_fields if field.name not in ("id", "entry")
)
EMPTY = dict.fromkeys(COLUMNS) | {"same": False, "foreign": False} | {
    field.attname: "" for field in StagedEntry._meta.concrete_fields if field.get_internal_type() == "CharField"
}


class EntryStager:
    """Turns the accepted rows of one snapshot into rows for StagedEntry, in the order of COLUMNS."""

    def __init__(self, snapshot: Snapshot, *, school_year: int, sheets: list[str | None]) -> None:
        self.snapshot = snapshot
        self.school_year = school_year
        self.sheets = {name: position for position, name in enumerate(sheets)}
        self.places = Places(snapshot.county)
        self.family = FAMILY.get(snapshot.register.name, snapshot.register.name)
        self.keeps_pinyin = snapshot.register.creates_students
        self.digest = secrecy.blinder("payload")
        self.blind_id = secrecy.blinder("citizen_id")
        self.seal_id = secrecy.sealer("citizen_id")
        self.blind_number = secrecy.blinder("student_number")
        self.seal_number = secrecy.sealer("student_number")
        self.blind_account = secrecy.blinder("account")
        self.seal_payload = secrecy.sealer("payload")

    def staged(self, row: Any) -> Iterator[tuple]:
        """The staged entries of one accepted row: one, or one per member where the household stands sideways."""
        for told in _of_household(row.values, children_born_from=self.snapshot.as_of.year - ADULT):
            values = self._entry(told)
            values["sheet"] = self.sheets[row.sheet]
            values["row"] = row.number
            yield tuple(values[name] for name in COLUMNS)

    def _entry(self, values: dict[str, Any]) -> dict[str, Any]:
        entry = dict(EMPTY)
        entry["snapshot_id"] = self.snapshot.pk
        entry["row_uuid"] = uuid7()
        entry["name"] = name = values.get("name") or ""
        entry["name_key"] = key = name_key(name) if name else ""
        if self.keeps_pinyin and name:
            entry["pinyin"] = pinyin_key(name)[:200]
        for plain in ("head_name", "relation", "sex", "ethnicity", "category", "class_name", "household_no"):
            entry[plain] = values.get(plain) or ""
        entry["birth_on"] = values.get("birth_on")
        entry["category"] = entry["category"] or self.snapshot.register.category
        entry["status_text"] = (values.get("status") or "")[:40]
        self._dates(entry, values)
        self._whereabouts(entry, values)
        self._numbers(entry, values)
        self._places(entry, values)
        self._schooling(entry, values)
        self._keys(entry, values, key)
        return entry

    def _dates(self, entry: dict, values: dict) -> None:
        as_of = self.snapshot.as_of
        own_from = values.get("listed_from")
        entry["own_from"] = min(own_from, as_of) if own_from else None
        entry["own_to"] = values.get("listed_to")
        if values.get("off") and entry["own_to"] is None:
            entry["own_to"] = as_of - timedelta(days=1)

    def _numbers(self, entry: dict, values: dict) -> None:
        if citizen := values.get("citizen_id"):
            entry["citizen_uuid"] = uuid7()
            entry["citizen_sealed"] = self.seal_id(citizen, entry["citizen_uuid"])
            entry["citizen_index"] = self.blind_id(citizen)
            entry["birth_on"] = entry["birth_on"] or birth_in(citizen)
            entry["sex"] = entry["sex"] or sex_in(citizen)
        elif damaged := values.get("citizen_id_damaged"):
            entry["birth_on"] = entry["birth_on"] or birth_in_damaged(damaged)
        if number := values.get("student_number"):
            entry["number_uuid"] = uuid7()
            entry["number_sealed"] = self.seal_number(number, entry["number_uuid"])
            entry["number_index"] = self.blind_number(number)
        if account := values.get("account"):
            entry["account_index"] = self.blind_account(account)
        if holder := holder_in(values):
            entry["holder_index"] = self.blind_id(holder)
        if guardian := values.get("guardian_citizen_id") or values.get("head_citizen_id"):
            entry["guardian_index"] = self.blind_id(guardian)

    def _places(self, entry: dict, values: dict) -> None:
        town = self.places.township(values.get("township_name"))
        village = self.places.village(values.get("village_name"), town)
        if town is None and (address := values.get("address")):
            town, village, _ = self.places.hukou(address)
        if town is None and (station := values.get("police_station")):
            town = self.places.township(station.removesuffix("派出所"))
        entry["township_id"] = town or self.snapshot.township_id
        entry["village_id"] = village
        county = values.get("county_name")
        entry["foreign"] = bool(county) and not _same_county(county, self.places.county)

    def _whereabouts(self, entry: dict, values: dict) -> None:
        """What a list of children elsewhere says, and until when; who checked it on a day says since when."""
        entry["whereabouts"] = values.get("whereabouts") or ""
        if entry["whereabouts"]:
            where = [values.get(name) for name in ("province", "place", "school")]
            entry["place"] = "".join(filter(None, where))[:200]
            entry["proof"] = (values.get("evidence") or "")[:400]
            entry["own_to"] = values.get("until")

    def _schooling(self, entry: dict, values: dict) -> None:
        entry["school_id"] = self.places.school(values.get("school_code"), values.get("school_name"))
        if (grade := values.get("grade")) and grade[0] in STAGE_OF_LETTER:
            entry["stage"] = STAGE_OF_LETTER[grade[0]]
            entry["entered_in"] = entry_year(grade, self.school_year)

    def _keys(self, entry: dict, values: dict, key: str) -> None:
        texts = {name: _text(value) for name, value in sorted(values.items()) if name != "other" and value is not None}
        others = {header: text for header, text in (values.get("other") or {}).items() if header not in UNCOMPARED}
        payload = json.dumps(texts | others, ensure_ascii=False)
        entry["payload_sealed"] = self.seal_payload(payload, entry["row_uuid"])
        entry["digest"] = self.digest(payload)
        entry["identity"] = self.digest("who:" + "\x1f".join(texts.get(what, "") for what in WHO))
        person_no, household = values.get("person_no"), entry["household_no"]
        if person_no:
            entry["person_key"] = self.digest(f"person:{self.family}:{person_no}")
        if household:
            entry["household_key"] = self.digest(f"household:{self.family}:{household}")
            entry["family_key"] = self.digest(f"family:{self.family}:{household}:{key}:{entry['birth_on']}")
        entry["recognised_by"] = (
            entry["citizen_index"]
            or entry["person_key"]
            or entry["family_key"]
            or self.digest(f"row:{key}:{payload}")
        )



def _of_household(values: dict[str, Any], *, children_born_from: int) -> Iterator[dict[str, Any]]:
    """Each person of a row: the household's cells are everybody's, those that tell who it is only their own.

    The head is told of by the cells that name him; he has a stay of his own when he may be a child and is no member.
    """
    members = values.pop("members", None) or []
    born = birth_in(number) if (number := values.get("citizen_id")) else None
    child = born is not None and born.year >= children_born_from
    if not members or (child and not any(_is_head(member, values) for member in members)):
        yield values
    shared = {name: value for name, value in values.items() if name not in OF_HEAD}
    yield from (shared | member for member in members)


def _is_head(member: dict[str, Any], head: dict[str, Any]) -> bool:
    one, other = member.get("citizen_id"), head.get("citizen_id")
    return one == other if one and other else name_key(member.get("name") or "") == name_key(head.get("name") or "")


def _same_county(text: str, county) -> bool:
    return text in (county.name, county.code) or county.name in text or text.rstrip("县区市") in county.name


def _text(value: Any) -> str:
    return value.isoformat() if isinstance(value, date) else str(value)
