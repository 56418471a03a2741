"""Why an action on a roster is refused: a code for programs, words for people."""


class NotApplicable(Exception):
    """The roster cannot be taken or applied as it is; nothing was changed."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


class Locked(NotApplicable):
    """The bureau has locked the collection; `lock` is the one a school may ask to open again."""

    def __init__(self, lock, message: str) -> None:
        super().__init__("locked", message)
        self.lock = lock
