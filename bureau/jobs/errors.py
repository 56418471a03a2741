"""What can go wrong with a job, apart from the work itself."""


class JobError(Exception):
    """A failure whose Chinese text may be shown and stored: raise it with words of ours, never with file contents."""

    def __init__(self, code: str, message: str):
        super().__init__(message)
        self.code, self.message = code, message


class LeaseLost(Exception):
    """This run was taken for dead and another one holds the job: stop, nothing may be committed."""


class Cancelled(Exception):
    """Raised by a job function that saw `job.cancelled()`."""


class Busy(Exception):
    """`run_now` waited in vain for another job with the same exclusive key."""


class IdemConflict(ValueError):
    """The same idempotency key came back with another kind or other parameters."""


class UnknownKind(LookupError):
    """No `@job` of this kind is registered in any app's `tasks` module."""
