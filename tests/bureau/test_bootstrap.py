"""manage.py on a bare machine: builds .venv from the lock files, once, whoever starts it and from wherever.

The lock files here name one tiny package that lies beside them, so no index is needed.
"""

import hashlib
import os
import subprocess
import sys
import zipfile
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest
from django.conf import settings

MANAGEMENT = """
import sys
def execute_from_command_line(argv):
    print(argv[1], sys.prefix, sys.getfilesystemencoding(), open(__file__).encoding)
"""


def wheel(folder: Path, version: str) -> str:
    """A package called django that only tells where it runs; returns its line for a lock file."""
    folder.mkdir(exist_ok=True)
    path = folder / f"django-{version}-py3-none-any.whl"
    info = f"django-{version}.dist-info"
    files = {
        "django/__init__.py": "",
        "django/core/__init__.py": "",
        "django/core/management.py": MANAGEMENT,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: django\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{name},,\n" for name in [*files, f"{info}/RECORD"])
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in {**files, f"{info}/RECORD": record}.items():
            archive.writestr(name, text)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return f"--no-index\n--find-links wheels\ndjango=={version} --hash=sha256:{digest}\n"


@pytest.fixture
def clone(tmp_path):
    root = tmp_path / "县 教育局 clone"
    root.mkdir()
    (root / "manage.py").write_bytes((settings.ROOT / "manage.py").read_bytes())
    lock = wheel(root / "wheels", "1.0")
    (root / "requirements.lock").write_text(lock)
    (root / "requirements-dev.lock").write_text(lock)
    return root


def start(clone: Path, *arguments: str, **environment: str) -> subprocess.Popen:
    """As after `env -i`: the base Python by its path, and nothing in the environment."""
    command = [sys._base_executable, str(clone / "manage.py"), *arguments]
    return subprocess.Popen(
        command,
        env=environment,
        cwd=clone.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )


def told(process: subprocess.Popen) -> tuple[str, str]:
    out, err = process.communicate(timeout=100)
    assert process.returncode == 0, err
    return out, err


@pytest.mark.slow
def test_twice_at_once_on_a_bare_machine_builds_one_environment(clone):
    answers = [told(process) for process in [start(clone, "demo"), start(clone, "demo")]]

    assert {out for out, _ in answers} == {f"demo {clone / '.venv'} utf-8 utf-8\n"}
    assert sum("首次约需一分钟" in err for _, err in answers) == 1
    assert not (clone / ".venv.new").exists()
    assert told(start(clone, "migrate", LC_ALL="C")) == (f"migrate {clone / '.venv'} utf-8 utf-8\n", "")


@pytest.mark.slow
def test_changed_lock_is_installed_on_top_and_a_broken_environment_is_built_anew(clone):
    told(start(clone, "demo"))
    kept = clone / ".venv" / "kept"
    kept.touch()
    lock = wheel(clone / "wheels", "1.1")
    (clone / "requirements.lock").write_text(lock)
    (clone / "requirements-dev.lock").write_text(lock)

    assert "正在补装" in told(start(clone, "test"))[1]
    assert list(clone.glob(".venv/lib/*/site-packages/django-1.1.dist-info"))
    assert kept.exists()
    assert told(start(clone, "demo"))[1] == ""

    for link in (clone / ".venv" / "bin").glob("python*"):
        link.unlink()
    assert "正在准备运行环境" in told(start(clone, "demo"))[1]
    assert not kept.exists()


@pytest.mark.slow
def test_packages_that_do_not_match_their_hash_leave_no_environment(clone):
    lock = (clone / "requirements.lock").read_text()
    (clone / "requirements.lock").write_text(lock[:-9] + "00000000\n")

    process = start(clone, "demo")

    assert "安装依赖包没有成功" in process.communicate(timeout=100)[1]
    assert process.returncode == 2
    assert not (clone / ".venv").exists()


def test_without_an_environment_other_commands_say_what_to_do_first(clone):
    process = start(clone, "migrate")

    assert "请先运行：python3 manage.py demo" in process.communicate(timeout=100)[1]
    assert process.returncode == 2


def test_old_python_is_refused_in_words(monkeypatch, capsys):
    spec = spec_from_file_location("manage", settings.ROOT / "manage.py")
    manage = module_from_spec(spec)
    spec.loader.exec_module(manage)
    monkeypatch.setattr(sys, "version_info", (3, 9, 2))

    with pytest.raises(SystemExit, match="2"):
        manage.main()

    assert "需要 Python 3.11 或更新的版本，现在是 3.9" in capsys.readouterr().err


def test_folder_that_may_not_be_written_is_named(clone):
    if os.geteuid() == 0:
        (clone / ".venv.lock").mkdir()  # root may write anywhere; a folder in the way fails for root too
    else:
        clone.chmod(0o500)

    process = start(clone, "demo")
    _, err = process.communicate(timeout=100)
    clone.chmod(0o700)

    assert "无法在" in err and process.returncode == 2
