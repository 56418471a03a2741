"""From the words a file uses for a place to the place: townships, villages and schools of one county."""

import re
import unicodedata
from uuid import UUID

from bureau.organisation.models import County, School, SchoolCode, Township, Village

_TOWN_TAIL = re.compile(r"(街道办事处|街道办|街道|镇|乡)(人民政府)?$")
_VILLAGE_TAIL = re.compile(r"(村民委员会|村委会|居民委员会|居委会|社区|村)$")
_ELSEWHERE = re.compile(r"[省市县区旗州盟]")


def squeeze(text: str) -> str:
    """The text without white space, full-width forms folded: the form names of places are compared in."""
    return "".join(unicodedata.normalize("NFKC", text).split())


class Places:
    """The places of one county as they stand now, looked up by what files write. One instance serves one import."""

    def __init__(self, county: County) -> None:
        self.county = county
        self._towns: dict[str, UUID] = {}
        self._villages: dict[tuple[UUID, str], UUID] = {}
        self._village_alone: dict[str, tuple[UUID, UUID] | None] = {}
        self._codes: dict[str, tuple[UUID, UUID | None]] = {}
        self._schools: dict[str, UUID | None] = {}
        self.school_names: dict[UUID, str] = {}
        for key, code, name in Township.objects.filter(county=county).values_list("id", "code", "name"):
            self._codes[code] = (key, None)
            for word in (name, _TOWN_TAIL.sub("", name)):
                self._towns.setdefault(squeeze(word), key)
        villages = Village.objects.filter(county=county).values_list("id", "code", "name", "township_id")
        for key, code, name, town in villages:
            self._codes[code] = (town, key)
            for word in {squeeze(name), squeeze(_VILLAGE_TAIL.sub("", name))}:
                self._villages.setdefault((town, word), key)
                known = self._village_alone.get(word, (town, key))
                self._village_alone[word] = (town, key) if known == (town, key) else None
        for key, code, name, aliases in School.objects.filter(county=county).values_list(
            "id", "code", "name", "aliases"
        ):
            self.school_names[key] = name
            for word in (code, name, *aliases):
                self._remember_school(word, key)
        former = SchoolCode.objects.filter(school__county=county).values_list("code", "school_id")
        for code, key in former:
            self._schools.setdefault(squeeze(code), key)

    def _remember_school(self, word: str, key: UUID) -> None:
        word = squeeze(word)
        self._schools[word] = key if self._schools.get(word, key) == key else None

    def township(self, text: str | None) -> UUID | None:
        """The township a cell names (by name with or without 镇/乡/街道, or by code), else None."""
        if not text:
            return None
        word = squeeze(text).removeprefix(self.county.name)
        if word in self._codes:
            return self._codes[word][0]
        return self._towns.get(word) or self._towns.get(_TOWN_TAIL.sub("", word))

    def village(self, text: str | None, township: UUID | None) -> UUID | None:
        """The village a cell names inside `township`; without a township only a name that is unique in the county."""
        if not text:
            return None
        word = squeeze(text)
        if word in self._codes:
            return self._codes[word][1]
        short = _VILLAGE_TAIL.sub("", word)
        if township:
            return self._villages.get((township, word)) or self._villages.get((township, short))
        alone = self._village_alone.get(word) or self._village_alone.get(short)
        return alone[1] if alone else None

    def school(self, code: str | None, name: str | None) -> UUID | None:
        """The school with this code (present or former), else with this name or alias; None when unknown or shared."""
        for word in (code, name):
            if word and (found := self._schools.get(squeeze(word))):
                return found
        return None

    def school_in(self, text: str) -> UUID | None:
        """The one school whose code or name stands in a longer text, such as a file's name; None where two do.

        A name inside a longer one that stands there too does not count: 第一小学东校区 is not 第一小学.
        """
        text = squeeze(text)
        words = [word for word in self._schools if len(word) > 2 and word in text]
        whole = [word for word in words if not any(word in longer for longer in words if longer != word)]
        found = {self._schools[word] for word in whole}
        return found.pop() if len(found) == 1 else None

    def hukou(self, text: str | None) -> tuple[UUID | None, UUID | None, bool]:
        """Township, village and “outside this county” of a 户口所在地 cell: a division code, or an address in words.

        Outside only where the text says so: another county's code, or an address with a 县/市/区 that is not ours.
        """
        if not text:
            return None, None, False
        word = squeeze(text)
        if digits := re.match(r"\d{6,12}", word):
            code = digits.group()
            town, village = self._codes.get(code, self._codes.get(code[:9], (None, None)))
            return town, village, not code.startswith(self.county.code)
        rest = word.split(self.county.name, 1)[-1]
        for name, town in self._towns.items():
            if rest.startswith(name):
                tail = re.split(r"[镇乡道]", rest, maxsplit=1)[-1]
                inside = re.match(r".*?(村|社区|居委会)", tail)
                return town, self.village(inside.group() if inside else tail, town), False
        return None, None, self.county.name not in word and bool(_ELSEWHERE.search(word))
