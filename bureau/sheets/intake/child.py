"""The child process: limits on memory and processor time first, then the file.

The request comes as JSON on standard input (so a password is on no command line); the answers go
out as a sequence of pickles on standard output.
"""

import gc
import json
import pickle
import resource
import sys

from .faults import FileFault
from .gate import Limits
from .source import messages


def main() -> None:
    gc.disable()  # a short life of many cells and no cycles
    request = json.load(sys.stdin)
    for limit, value in (
        (resource.RLIMIT_AS, request["memory"]),
        (resource.RLIMIT_CPU, request["seconds"]),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(limit, (value, value))
    out = sys.stdout.buffer
    try:
        with open(request["path"], "rb") as file:
            for message in messages(
                file, name=request["name"], limits=Limits(**request["limits"]), password=request["password"]
            ):
                pickle.dump(message, out, protocol=5)
        pickle.dump(("end",), out)
    except FileFault as fault:
        pickle.dump(("fault", fault.code, fault.message, fault.sheet, fault.row), out)
    except MemoryError:
        pickle.dump(("fault", "too_large", "文件展开后占用内存过多，请拆分后上传。", None, None), out)


if __name__ == "__main__":
    main()
