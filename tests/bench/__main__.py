"""python -m tests.bench aid|reconcile|import|read|registers|link|all [--rows N] [--database URL]"""

import argparse
import subprocess
import sys
from importlib import import_module

BENCHES = {
    "aid": "aid",
    "import": "rosters",
    "read": "reading",
    "registers": "registers",
    "link": "linkage",
    "promotion": "promotion",
    "reconcile": "reconcile",
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Measurements, as ratios within one run.")
    parser.add_argument("bench", choices=[*BENCHES, "all"])
    parser.add_argument("--rows", type=int, help="instead of the usual number")
    parser.add_argument("--database", metavar="URL", help="PostgreSQL server for a scratch database, or “sqlite”")
    given = parser.parse_args()
    if given.bench != "all":
        import_module(f"tests.bench.{BENCHES[given.bench]}").main(rows=given.rows, database=given.database)
        return
    for bench in BENCHES:  # each in a process of its own: memory is measured per process
        subprocess.run([sys.executable, "-m", "tests.bench", bench, *sys.argv[2:]], check=True)


if __name__ == "__main__":
    main()
