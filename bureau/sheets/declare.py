"""A spreadsheet is declared once: a Sheet with its Columns gives template, reader, checks and export."""

from typing import Any, ClassVar

from .intake.gate import MEGABYTE, Limits
from .kinds import Kind, Text

OPTIONS_SHEET = "_选项"  # the hidden sheet behind a template's drop-downs
PROBLEM_HEADER = "问题"  # the column that the error workbook adds
TEMPLATE_VERSION = 1
ABSENT: Any = None  # takes an inherited column away


class Column:
    """One column of a sheet.

    `header` is what templates and exports write, `aliases` what else arrives (any decoration is ignored, and two header
    rows are compared joined: 监护人 over 姓名 is 监护人姓名). `required`: every row needs it. `present`: the header must
    exist though a cell may be blank (always so when required). `fill_down`: the value of a vertically merged
    cell holds for each of its rows. `holder` (attribute) names the person a guardian's or head's number belongs to.
    """

    def __init__(
        self,
        header: str,
        *aliases: str,
        kind: Kind | None = None,
        required: bool = False,
        present: bool = False,
        fill_down: bool = False,
        example: str = "",
        help: str = "",
        width: int = 14,
    ):
        self.header, self.aliases = header, aliases
        self.kind = kind or Text()
        self.required, self.present = required, present or required
        self.fill_down, self.example, self.help, self.width = fill_down, example, help, width
        self.attr = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self.attr = name

    def __repr__(self) -> str:
        return f"<Column {self.attr} {self.header}>"


class Sheet:
    """Base of all sheets; a subclass declares Columns as attributes (ABSENT removes an inherited one).

    `code` is the register or roster, `layout` one of the forms in which it arrives. On a `strict` sheet a
    fault of a cell rejects the row; otherwise it is a warning and only a row with neither a name nor any
    of `identifiers` is rejected. `key` identifies a person within one file. `named_by_sheet` is an attribute that the
    name of a worksheet may give where no column does ("三年级1班"). `either` lists groups of
    attributes of which one column must exist. `known` are headers of no interest, never reported.
    """

    code: ClassVar[str] = ""
    layout: ClassVar[str] = ""
    title: ClassVar[str] = ""
    strict: ClassVar[bool] = True
    key: ClassVar[tuple[str, ...]] = ("citizen_id",)
    identifiers: ClassVar[tuple[str, ...]] = ("citizen_id", "student_number", "certificate", "person_no")
    named_by_sheet: ClassVar[str | None] = None
    either: ClassVar[tuple[tuple[str, ...], ...]] = ()
    known: ClassVar[tuple[str, ...]] = ("序号", "编号", "备注", "说明", "行号", PROBLEM_HEADER)
    forbidden: ClassVar[tuple[str, ...]] = ("照片", "相片", "宗教", "信仰", "病历", "诊断")

    max_rows: ClassVar[int] = 20_000
    max_bytes: ClassVar[int] = 20 * MEGABYTE
    max_unzipped: ClassVar[int] = 200 * MEGABYTE
    max_memory: ClassVar[int] = 1024 * MEGABYTE
    max_seconds: ClassVar[int] = 30

    columns: ClassVar[tuple[Column, ...]] = ()
    by_attr: ClassVar[dict[str, Column]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        declared: dict[str, Column | None] = {}
        for base in reversed(cls.__mro__):
            for name, value in vars(base).items():
                if isinstance(value, Column):
                    if base is cls:  # the order of the newest declaration wins
                        declared.pop(name, None)
                    declared[name] = value
                elif name in declared:
                    declared[name] = None
        cls.columns = tuple(column for column in declared.values() if column is not None)
        cls.by_attr = {column.attr: column for column in cls.columns}

    @classmethod
    def column(cls, attr: str) -> Column | None:
        return cls.by_attr.get(attr)

    @classmethod
    def limits(cls) -> Limits:
        return Limits(max_bytes=cls.max_bytes, max_unzipped=cls.max_unzipped, max_rows=cls.max_rows)

    @classmethod
    def settle(cls, draft: "Any") -> None:
        """Checks and additions that need more than one cell of a row; see `check.Draft`."""

    @classmethod
    def review(cls, reading: "Any") -> None:
        """Checks that need all rows of the file; problems go through `reading.report`."""
