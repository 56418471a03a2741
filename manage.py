#!/usr/bin/env python3
"""The one door. `demo` and `test` first prepare .venv, for which Python >= 3.11 and pip are enough.

Standard library only, in words that an old Python can still parse, so that it can say it is too old.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import traceback
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
BUILDING = ROOT / ".venv.new"
STAMP = ".locks"  # inside the venv: the digests of the lock files that were installed into it
LOCKS = {
    "demo": ("requirements.lock",),
    "test": ("requirements.lock", "requirements-dev.lock"),
}  # last holds all


def say(text):
    print(text, file=sys.stderr, flush=True)


def give_up(text):
    say(text)
    sys.exit(2)


def own_interpreter():
    """Path of the running Python; `env -i` leaves sys.executable empty, because there is no PATH to search."""
    found = sys.executable or shutil.which(sys.orig_argv[0], path=os.defpath)
    return found or give_up(
        "找不到当前 Python 的位置，请写出完整路径再运行，例如：/usr/bin/python3 manage.py demo"
    )


def base_interpreter():
    """The Python that virtual environments are made from, also when we already run inside one."""
    return getattr(sys, "_base_executable", "") or own_interpreter()


def python_of(venv):
    return str(venv / "bin" / "python")


def digest(name):
    return hashlib.sha256((ROOT / name).read_bytes()).hexdigest()


def installed(venv):
    """{lock file name: digest} as recorded when it was last installed completely."""
    try:
        lines = (venv / STAMP).read_text(encoding="utf-8").splitlines()
    except OSError:
        return {}
    return dict(line.split(" ", 1) for line in lines if " " in line)


def ready(locks):
    recorded = installed(VENV)
    return all(recorded.get(name) == digest(name) for name in locks) and usable(VENV)


def usable(venv):
    """Whether the venv's Python starts and finds its packages (not so after a system upgrade, or a copy elsewhere)."""
    if not os.access(python_of(venv), os.X_OK):
        return False
    check = [python_of(venv), "-I", "-c", "import django"]
    return subprocess.run(check, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0


@contextmanager
def one_at_a_time():
    """Held while .venv is built or brought up to date; a second start waits for the first."""
    import fcntl

    with open(str(ROOT / ".venv.lock"), "a") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            say("另一个进程正在准备运行环境，等它完成…")
            fcntl.flock(held, fcntl.LOCK_EX)
        yield


def pip_for(venv):
    """The command that runs pip on `venv`: this machine's pip from outside, else the one Python carries with it."""
    base = base_interpreter()
    version = subprocess.run(
        [base, "-m", "pip", "--version"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    words = version.stdout.decode("utf-8", "replace").split()
    if version.returncode == 0 and tuple(map(int, words[1].split(".")[:2])) >= (22, 3):  # has --python
        return [base, "-m", "pip", "--python", python_of(venv)]
    for attempt in (["-m", "pip", "--version"], ["-m", "ensurepip"]):
        if subprocess.run([python_of(venv), *attempt], stdout=2, stderr=subprocess.DEVNULL).returncode == 0:
            return [python_of(venv), "-m", "pip"]
    return give_up(
        "这台机器的 Python 没有可用的 pip。请先安装，例如：apt install python3-pip，或 python3 -m ensurepip"
    )


def install(venv, locks):
    """Install the last of `locks` (it contains the others) and record all; what else is installed does no harm."""
    recorded = installed(venv)
    if recorded:
        (venv / STAMP).unlink()  # until everything is in, the venv matches no lock
    options = ["install", "-qq", "--no-user", "--no-input", "--disable-pip-version-check", "--require-hashes"]
    if subprocess.run([*pip_for(venv), *options, "-r", str(ROOT / locks[-1])], stdout=2).returncode:
        give_up(
            "安装依赖包没有成功，原因见上。请检查网络后重试；内网可先指定镜像：\n"
            "python3 -m pip config set global.index-url 镜像地址"
        )
    recorded.update((name, digest(name)) for name in locks)
    (venv / STAMP).write_text("".join(f"{n} {d}\n" for n, d in recorded.items()), encoding="utf-8")


def build(locks):
    """A new venv beside the old one, renamed into place when complete, so that nobody meets half of one."""
    shutil.rmtree(str(BUILDING), ignore_errors=True)
    subprocess.run([base_interpreter(), "-m", "venv", "--without-pip", str(BUILDING)], check=True, stdout=2)
    install(BUILDING, locks)
    for script in (BUILDING / "bin").iterdir():  # they carry the path they were made under
        if script.is_file() and not script.is_symlink():
            text = script.read_bytes()
            script.write_bytes(text.replace(os.fsencode(str(BUILDING)), os.fsencode(str(VENV))))
    if VENV.exists() or VENV.is_symlink():
        old = ROOT / f".venv.old-{os.getpid()}"
        VENV.rename(old)
        shutil.rmtree(str(old), ignore_errors=True)
    BUILDING.rename(VENV)


def prepare(command):
    """Have .venv hold what `command` needs; nothing is done, and no lock taken, when it already does."""
    locks = LOCKS[command]
    if ready(locks):
        return
    try:
        with one_at_a_time():
            if ready(locks):
                return
            if usable(VENV):
                say("依赖清单有更新，正在补装…")
                install(VENV, locks)
            else:
                say("正在准备运行环境（首次约需一分钟）…")
                build(locks)
            say("运行环境已就绪。")
    except OSError as error:
        give_up(
            f"无法在 {ROOT} 准备运行环境：{error.strerror}（{error.filename or '磁盘'}）。请检查目录权限和剩余空间。"
        )


def go_inside():
    """Re-execute in .venv, and in UTF-8 whatever the terminal's locale; returns when we are already there."""
    exe = python_of(VENV)
    inside = sys.executable == exe or Path(sys.prefix) == VENV
    if inside and (sys.flags.utf8_mode or os.environ.get("PYTHONUTF8")):
        return
    if not os.access(exe, os.X_OK):
        return
    os.environ["PYTHONUTF8"] = "1"
    os.execv(exe, [exe, *sys.orig_argv[1:]])


def main():
    if sys.version_info < (3, 11):
        give_up(
            "需要 Python 3.11 或更新的版本，现在是 {}.{}。请安装后用它运行，例如：python3.11 manage.py demo".format(
                *sys.version_info
            )
        )
    if os.name != "posix":
        give_up("请在 Linux、macOS 或 Windows 的 WSL 中运行。")
    if not os.environ.get("BUREAU_NO_VENV"):
        if sys.argv[1:2] and sys.argv[1] in LOCKS:
            prepare(sys.argv[1])
        go_inside()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bureau.settings")
    try:
        from django.core.management import execute_from_command_line
    except ImportError:
        give_up("运行环境还没有准备好，请先运行：python3 manage.py demo")
    try:
        execute_from_command_line(sys.argv)
    except Exception:
        if "--json" not in sys.argv:
            raise
        traceback.print_exc()  # before any command ran: settings, an import, a broken installation
        message = "程序没有能启动。请把错误输出告诉维护人员。"
        print(json.dumps({"error": {"code": "internal", "message": message}}, ensure_ascii=False))
        sys.exit(3)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
