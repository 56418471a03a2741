"""The child that opens a protected workbook: limits first, then the password, which comes on standard input."""

import json
import os
import resource
import sys

from .faults import FileFault
from .gate import Limits, judge


def main() -> None:
    request = json.load(sys.stdin)
    for limit, value in (
        (resource.RLIMIT_AS, request["memory"]),
        (resource.RLIMIT_CPU, request["seconds"]),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(limit, (value, value))
    try:
        with open(request["path"], "rb") as file:
            _, plain = judge(
                file, name=request["name"], limits=Limits(**request["limits"]), password=request["password"]
            )
            handle = os.open(request["target"], os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb") as out:
                while chunk := plain.read(1 << 20):
                    out.write(chunk)
        json.dump([], sys.stdout)
    except FileFault as fault:
        json.dump([fault.code, fault.message], sys.stdout)


if __name__ == "__main__":
    main()
