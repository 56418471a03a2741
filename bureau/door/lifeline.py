"""No process outlives the demo that started it, not even when that one is killed with -9.

The parent keeps the writing end of a pipe and says nothing on it. A child reads the other end: the kernel closes the
pipe however the parent goes, and the child takes its whole process group with it. On Linux the kernel also kills the
child directly, for the case that it is too busy to read.
"""

import ctypes
import os
import signal
import sys
import threading

VARIABLE = "BUREAU_LIFELINE"  # number of the inherited reading end
PR_SET_PDEATHSIG = 1


def follow_parent() -> None:
    """Call it first in a child that leads a process group of its own, and again in what the child forks."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    threading.Thread(target=_wait_for_the_end, args=(int(os.environ[VARIABLE]),), daemon=True).start()


def _wait_for_the_end(fd: int) -> None:
    os.read(fd, 1)
    os.killpg(0, signal.SIGKILL)
