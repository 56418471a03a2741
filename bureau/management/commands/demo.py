"""`manage.py demo`: a county to try everything on, from nothing to a running site."""

import argparse
import os
import signal
import sys
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from django.conf import settings

from bureau.access.roles import Role
from bureau.command import FAILED, ContractCommand
from bureau.door.demo import Home, Running, Summary
from bureau.door.embedded import ChildrenKeepFalling, Embedded, PortTaken, reserve

INTERRUPTED = 130


def _within(lowest: int, highest: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        if not (text.isascii() and text.isdigit() and lowest <= int(text) <= highest):
            raise argparse.ArgumentTypeError(f"应为 {lowest} 至 {highest} 的整数")
        return int(text)

    return number


class Command(ContractCommand):
    help = "准备演示县并启动网站（数据在 BUREAU_HOME，默认 var/）"
    mutates = False

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--no-serve", action="store_true", help="只准备数据，不启动网站")
        parser.add_argument("--port", type=_within(1, 65535), default=8000, help="网站端口，默认 8000")
        parser.add_argument(
            "--students", type=_within(1, 1_000_000), default=20_000, help="学生数，默认 20000"
        )
        parser.add_argument("--reset", action="store_true", help="清除原有演示数据，重新生成")

    def _look_around(self, by: str) -> None:
        """There is nothing to look at yet: this command makes the installation."""

    def run(self, *, no_serve: bool, port: int, students: int, reset: bool) -> None:
        home = Home(settings.BUREAU_HOME)
        url = f"http://127.0.0.1:{port}/"
        _stop_on_signals()
        try:
            with ExitStack() as stack:
                leave_notice = stack.enter_context(home.alone())
                listening = None if no_serve else stack.enter_context(reserve(port))
                if reset:
                    home.reset()
                summary = home.fill(students, tell=self.tell)
                if listening:
                    self.serve(
                        stack.enter_context(Embedded(listening, home=home)), url, summary, leave_notice
                    )
                else:
                    self.report({"url": url, **summary}, text=_in_words(url, summary))
        except Running as refusal:
            summary = home.summary()
            if reset or not no_serve or not summary:
                raise
            url = refusal.notice.get("url", url)
            self.report(
                {"url": url, **summary}, text=_in_words(url, summary)
            )  # all that was asked for is there
        except PortTaken:
            other = port + 1 if port < 65535 else 8000
            self.refuse(
                "port_taken",
                f"端口 {port} 已被占用或不可用，请换一个，例如：python3 manage.py demo --port {other}",
            )
        except ChildrenKeepFalling as fault:
            self.note(f"{fault.name} 无法启动，原因见 {home.log(fault.name)}")
            sys.exit(FAILED)
        except KeyboardInterrupt:
            self.note("已停止。" if home.summary() else "已中断，下次启动时重新准备。")
            sys.exit(0 if home.summary() else INTERRUPTED)

    def serve(
        self, running: Embedded, url: str, summary: Summary, leave_notice: Callable[[dict], None]
    ) -> None:
        """Until interrupted; the result is printed as soon as the site answers, not at the end."""
        if not running.wait_until_it_answers():
            raise ChildrenKeepFalling("site")
        leave_notice({"url": url, "pid": os.getpid()})
        self._finish(0, {"url": url, **summary}, _in_words(url, summary))
        self.stdout.flush()
        self.note("按 Ctrl-C 停止。")
        running.stay(tell=lambda name, log: self.note(f"{name} 意外退出，已重新启动（日志：{log}）"))

    def tell(self, *words: Any) -> None:
        self.note(" ".join(map(str, words)))


def _in_words(url: str, summary: Summary) -> str:
    lines = [f"\n演示县已就绪：{url}", f"学生 {summary['students']} 名，学校 {summary['schools']} 所。\n"]
    for account in summary["accounts"]:
        role = Role(account["role"]).label
        lines.append(f"{role}：账号 {account['username']}　密码 {account['password']}")
    return "\n".join([*lines, ""])


def _stop_on_signals() -> None:
    """SIGTERM and a closed terminal end the demo as Ctrl-C does, which works in a script's background too."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) != signal.SIG_IGN:  # nohup stays nohup
            signal.signal(number, signal.default_int_handler)
