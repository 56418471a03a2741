"""The documentation keeps up with the code: generated pages, rule headings, and links that lead somewhere."""

import re
from pathlib import Path
from urllib.parse import unquote

import pytest
from django.conf import settings

from bureau.management.commands.write_problems_guide import guide
from students.actions.settling import REMEDIES
from students.models.differences import Office
from students.rules import RULES

ROOT = settings.ROOT
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
LINK = re.compile(r"\]\(([^)\s]+)\)")
FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^#+ +(.+)$", re.MULTILINE)
LARGEST_PICTURE, ALL_PICTURES = 350_000, 4_000_000


def _text(page: Path) -> str:
    return FENCED.sub("", page.read_text(encoding="utf-8"))


def _anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub and GitLab make them."""
    kept = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in HEADING.findall(_text(page)))
    return {heading.strip().replace(" ", "-") for heading in kept}


def test_guide_of_problems_is_up_to_date():
    page = ROOT / "docs/guide/problems.md"

    assert page.read_text(encoding="utf-8") == guide(), "run: python3 manage.py write_problems_guide"


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.code)
def test_rule_has_its_heading_where_it_says(rule):
    headings = HEADING.findall(_text(ROOT / rule.doc))

    assert f"{rule.code} {rule.title}" in headings


OF_STUDENTS = [rule for rule in RULES.values() if rule.doc == "docs/rules/students.md"]
POINTS = ["含义", "证据", "谁办", "期限", "办法", "依据"]


@pytest.mark.parametrize("rule", OF_STUDENTS, ids=lambda rule: rule.code)
def test_rule_tells_an_officer_what_who_by_when_and_why(rule):
    """Each point once, in this order, with words behind it; office and days are those of the program."""
    section = re.split(r"^## ", _text(ROOT / rule.doc), flags=re.MULTILINE)
    [told] = [part for part in section if part.startswith(f"{rule.code} ")]
    points = re.findall(r"^- \*\*(.+?)\*\*：(.+)$", told, re.MULTILINE)

    assert [point for point, _ in points] == POINTS
    words = dict(points)
    assert min(len(text) for text in words.values()) > 2
    assert words["谁办"].startswith(Office(rule.office).label)
    assert words["期限"].startswith(f"{rule.days} 个工作日")
    own = [REMEDIES[code].label.split("，")[0] for code in rule.remedies if code not in ("explain", "accept", "assign")]
    assert [label for label in own if label not in words["办法"]] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_relative_links_lead_somewhere(page):
    broken = []
    for link in LINK.findall(_text(page)):
        if link.startswith(("http://", "https://", "mailto:")):
            continue
        place, _, anchor = link.partition("#")
        target = (page.parent / unquote(place)).resolve() if place else page
        if not target.exists() or (anchor and unquote(anchor) not in _anchors(target)):
            broken.append(link)

    assert broken == []


def test_every_page_of_the_documentation_is_reachable_from_the_readme():
    reached, waiting = set(), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in reached or page.suffix != ".md" or not page.exists():
            continue
        reached.add(page)
        links = (link.partition("#")[0] for link in LINK.findall(_text(page)) if "://" not in link)
        waiting += [(page.parent / unquote(link)).resolve() for link in links if link]

    assert set(PAGES) - reached == set()


def test_pictures_are_small_and_each_is_shown_somewhere():
    pictures = list((ROOT / "docs/images").glob("*.png"))
    shown = {unquote(link).rpartition("/")[2] for page in PAGES for link in LINK.findall(_text(page))}

    assert [p.name for p in pictures if p.stat().st_size > LARGEST_PICTURE] == []
    assert sum(p.stat().st_size for p in pictures) < ALL_PICTURES
    assert {p.name for p in pictures} - shown == set()
