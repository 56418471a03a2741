"""Every kind of bad file that arrives, by number, with what must come of it: the table behind docs/guide/catalogue.md."""

from . import files, money, people, registry, structure, together
from .cases import Case

CASES: list[Case] = [*files.CASES, *structure.CASES, *people.CASES, *money.CASES, *together.CASES]
ELSEWHERE = registry.ELSEWHERE
