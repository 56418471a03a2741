"""What an aid roster's rows state of aid, staged beside them: account and holder's ID sealed, amounts in fen."""

from collections.abc import Callable
from typing import Any

from bureau.bulk import insert_rows
from bureau.keys import uuid7
from students.models import AidLine, Roster, RosterRow

COLUMNS = tuple(field.attname for field in AidLine._meta.concrete_fields)
TEXTS = {
    "programme": "programme", "term": "term_text", "hardship": "hardship", "tier": "tier", "account_name": "holder_name",
    "account_relation": "holder_relation", "bank_name": "bank_name",
}  # fmt: skip  # attribute of the sheet -> column
SEALED = (("account", "account", "account"), ("holder", "account_citizen_id", "citizen_id"))  # prefix, attribute, field
Sealers = dict[str, Callable]


def aid_line(values: dict[str, Any], *, seal: Sealers, blind: Sealers) -> dict[str, Any]:
    """The columns of AidLine that one row gives."""
    line: dict[str, Any] = dict.fromkeys(COLUMNS)
    for attr, column in TEXTS.items():
        line[column] = values.get(attr) or ""
    for column in ("rate_fen", "months", "amount_fen"):
        line[column] = values.get(column)
    for prefix, attr, field in SEALED:
        if text := values.get(attr):
            line[f"{prefix}_uuid"] = value_id = uuid7()
            line[f"{prefix}_sealed"] = seal[field](text, value_id)
            line[f"{prefix}_index"] = blind[field](text)
    return line


def store(roster: Roster, rows: list[dict[str, Any]]) -> None:
    """Put the lines of the accepted rows beside their staged rows, which have been stored before."""
    lines = {(row["sheet"], row["row"]): row["aid"] for row in rows if row.get("aid") and row["status"] == "accepted"}
    if not lines:
        return
    staged = RosterRow.objects.filter(roster=roster, carried=False).values_list("sheet", "row", "pk")
    keyed = [(lines[sheet, row] | {"row_id": pk}) for sheet, row, pk in staged if (sheet, row) in lines]
    insert_rows(AidLine, COLUMNS, ([line[name] for name in COLUMNS] for line in keyed))
