#!/usr/bin/env python3
"""Make the files of secrets/ that docker-compose.yml mounts. Run once; what exists is left as it is.

The folder is closed to others; the files inside are readable, because a container's user has another number.
"""

import os
import secrets
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / "secrets"


def main() -> int:
    if FOLDER.exists():
        print(f"{FOLDER} 已存在，不再生成。", file=sys.stderr)
        return 2
    database, redis = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    FOLDER.mkdir(mode=0o700)
    for name, value in {
        "secret_key": secrets.token_urlsafe(64),
        "postgres_password": database,
        "database_url": f"postgres://bureau:{database}@db:5432/bureau",
        "redis_password": redis,
        "broker_url": f"redis://:{redis}@redis:6379/0",
    }.items():
        with open(os.open(FOLDER / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o444), "w") as file:
            file.write(value)
    print(f"已生成 {FOLDER}，请另外抄存一份。", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
