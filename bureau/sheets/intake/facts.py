"""What a look at the raw file tells about one sheet, and the letters of columns."""


class Look:
    """What the raw XML of one sheet says. Rows and columns count from 0."""

    def __init__(self, dimension: str | None = None) -> None:
        self.patches: dict[int, dict[int, tuple[str, str]]] = {}  # (code, text as shown)
        self.formulas: dict[int, list[int]] = {}  # column -> [count, first row, of them external]
        self.hidden_rows: set[int] = set()
        self.hidden_columns: list[tuple[int, int]] = []
        self.dimension = dimension

    def patch(self, row: int, column: int, code: str, shown: str) -> None:
        self.patches.setdefault(row, {})[column] = (code, shown[:32])

    def formula(self, row: int, column: int, *, external: bool = False) -> None:
        """`external`: it refers to another file, whose value of today nobody has asked for."""
        counts = self.formulas.setdefault(column, [0, row, 0])
        counts[0] += 1
        counts[2] += external


def column_index(reference: str) -> int:
    """0 for A1, 27 for AB3."""
    index = 0
    for letter in reference:
        if not letter.isalpha():
            break
        index = index * 26 + ord(letter.upper()) - 64
    return index - 1


def column_letter(index: int) -> str:
    """A for 0, AB for 27."""
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(65 + rest) + letters
    return letters
