"""Read the cells of one column, remembering the texts that repeat."""

from collections.abc import Callable, Sequence
from typing import Any

from bureau.identity import Fault

from .declare import Column
from .kinds import Moment, Noted

MEMORY_OF_TEXTS = 20_000  # a column with more of them does not repeat itself enough
_MISSING = object()


class ColumnReader:
    """Reads the cells of one column; remembers the texts that repeat."""

    __slots__ = ("_cell", "_memory", "_moment", "attr", "cleaned", "column", "index", "kind")

    def __init__(self, column: Column, index: int, moment: Moment):
        self.attr, self.index, self.column, self.kind = column.attr, index, column, column.kind
        self._cell, self._moment = column.kind.cell, moment
        self._memory: dict[str, Any] = {"": None}
        self.cleaned = 0

    def read(self, cells: Sequence, trouble: Callable[[int, str, str, str], None]) -> list:
        """Parsed values in order; a cell at fault gives None and is told to `trouble`."""
        memory = self._memory
        if self.kind.repeats and len(memory) < MEMORY_OF_TEXTS and self._remembered(set(cells)):
            return [memory[cell] for cell in cells]
        values: list = []
        add, recall, read, moment = values.append, memory.get, self._cell, self._moment
        plain, longest = self.kind.read, self.kind.max_length
        for place, cell in enumerate(cells):
            value = recall(cell, _MISSING)
            if value is _MISSING:
                try:
                    is_plain = type(cell) is str and cell.isalnum() and len(cell) <= longest
                    value = plain(cell, moment) if is_plain else read(cell, moment)
                except Fault as fault:
                    trouble(place, self.attr, fault.code, fault.message)
                    value = None
                else:
                    if type(value) is Noted:
                        trouble(place, self.attr, value.code, value.message)
                        value = value.value
                    elif value is not cell and not self.kind.repeats and type(cell) is str:
                        self.cleaned += value != cell and not cell.isascii()
            add(value)
        return values

    def _remembered(self, texts: set) -> bool:
        """Read the texts that are new; whether all of them are plain texts with nothing to tell."""
        memory, read, moment = self._memory, self._cell, self._moment
        plain, longest, all_plain = self.kind.read, self.kind.max_length, True
        for cell in texts.difference(memory):
            try:
                is_plain = type(cell) is str and cell.isalnum() and len(cell) <= longest
                value = plain(cell, moment) if is_plain else read(cell, moment)
            except Fault:
                all_plain = False
                continue
            if type(cell) is str and type(value) is not Noted:
                memory[cell] = value
            else:
                all_plain = False
        return all_plain
