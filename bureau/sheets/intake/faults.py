"""Why a whole file cannot be read."""


class FileFault(Exception):
    """One reason that refuses the file; `code` is one of the file codes, `message` is for the clerk."""

    def __init__(self, code: str, message: str, *, sheet: str | None = None, row: int | None = None):
        super().__init__(message)
        self.code, self.message, self.sheet, self.row = code, message, sheet, row
