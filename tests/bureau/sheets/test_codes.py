"""The list of problem codes is complete: what the program can say is registered, and documented."""

import re
from pathlib import Path

import bureau.sheets
from bureau.identity.faults import TITLES
from bureau.sheets.codes import CODES, as_markdown

PACKAGES = [
    Path(bureau.sheets.__file__).parent,
    Path(bureau.sheets.__file__).parents[2] / "students" / "sheets",
]
SAID = re.compile(
    r"""(?:Fault|FileFault|report|Noted|_tell|trouble|_skip)\(\s*(?:[\w.\[\]"]+,\s*)*?["']([a-z0-9_]+)["'],"""
    r"""|return ["']([a-z_]+)["'], f?["'][^"']*[一-鿿]|\(\("([a-z_]+)", f?["'][^"']*[一-鿿]|notes\.append\(\("([a-z_]+)\""""
)


def said() -> set[str]:
    found = set()
    for package in PACKAGES:
        for path in package.rglob("*.py"):
            for groups in SAID.findall(path.read_text(encoding="utf-8")):
                found |= {group for group in groups if group}
    return found


def attributes() -> set[str]:
    from students.sheets import ROSTERS, SHEETS

    layouts = [layout for group in (SHEETS | ROSTERS).values() for layout in group]
    return {column.attr for layout in layouts for column in layout.columns}


def test_every_code_in_the_program_is_registered():
    assert said() - attributes() - set(CODES) == set()
    assert len(said() & set(CODES)) > 30  # the search itself still works


def test_every_fault_of_an_identifier_is_registered():
    assert set(TITLES) - set(CODES) == set()


def test_the_contract_of_the_command_line_is_registered():
    contract = """cell_error formula_without_value id_numeric_cell card_numeric_cell id_placeholder id_characters id_length
        id_birth_date id_checksum id_birth_mismatch id_sex_mismatch required unknown_value name_characters date_ambiguous
        date_impossible duplicate_in_file duplicate_conflict other_school amount_format amount_not_standard card_check too_long
        gap hidden_rows hidden_sheet formula_value empty truncated encrypted not_a_workbook html_not_excel macro bomb too_large
        missing_column duplicate_header no_header encoding"""

    assert set(contract.split()) - set(CODES) == set()


def test_the_documentation_names_every_code():
    text = as_markdown()

    assert all(f"`{code}`" in text for code in CODES)
