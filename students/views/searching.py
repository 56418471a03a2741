"""Finding children by what a clerk types: a name, pinyin, or a whole number (which is looked up, never shown)."""

import re

from django.db.models import Q, QuerySet

from bureau import secrecy
from bureau.identity import Fault, parse_citizen_id, parse_student_number
from bureau.identity.names import name_key
from bureau.organisation.models import County
from students.models import Identifier

_LETTERS = re.compile(r"[a-z ]+", re.IGNORECASE)


def by_words(students: QuerySet, text: str) -> QuerySet:
    """Students a search finds; `students` are Student rows. A number must be typed in full."""
    if indexes := number_indexes(text):
        kinds = [Identifier.Kind.CITIZEN_ID, Identifier.Kind.STUDENT_NUMBER]
        every = County.objects.values("pk")  # the index begins with the county
        owners = Identifier.objects.filter(county__in=every, kind__in=kinds, index__in=indexes).values(
            "person"
        )
        return students.filter(pk__in=owners)
    if _LETTERS.fullmatch(text):
        letters = text.casefold().replace(" ", "")
        if not letters:
            return students
        return students.filter(
            Q(person__pinyin__iregex=spelling(letters)),
            person__pinyin__gte=letters[0],
            person__pinyin__lt=chr(ord(letters[0]) + 1),
        )
    return students.filter(person__name_key__startswith=name_key(text))


def number_indexes(text: str) -> list[bytes]:
    """Blind indexes of the citizen ID or 学籍号 that the text is; empty when it is neither."""
    found = []
    for parse, field in ((parse_citizen_id, "citizen_id"), (parse_student_number, "student_number")):
        try:
            found.append(secrecy.blind(parse(text).value, field=field))
        except Fault:
            continue
    return found


def spelling(letters: str) -> str:
    """A pattern over stored pinyin (`zhang san`): by first letters (zs) or spelt from the start (zhangs)."""
    initials = " ".join(f"{letter}[a-z]*" for letter in letters)
    spelt = " ?".join(letters)
    return f"^({initials}|{spelt})"
