"""`python -m bureau.door.child site|worker|beat`: one of the processes of a running demo."""

import os
import sys

from bureau.door import lifeline

LISTENING = "BUREAU_LISTENING"  # number of the inherited listening socket


def site() -> None:
    """The pages: one process with threads, because SQLite has one writer anyway."""
    from gunicorn.app.base import BaseApplication

    class Site(BaseApplication):
        def load_config(self) -> None:
            options = {
                "bind": f"fd://{os.environ[LISTENING]}",
                "worker_class": "gthread",
                "threads": 8,
                "timeout": 120,
                "graceful_timeout": 3,
                "loglevel": "warning",
                "control_socket_disable": True,
                "post_fork": lambda arbiter, worker: lifeline.follow_parent(),
            }
            for name, value in options.items():
                self.cfg.set(name, value)

        def load(self):
            from bureau.wsgi import application

            return application

    Site().run()


def worker() -> None:
    """Jobs, in threads: a forked pool would be one generation further from the parent."""
    from bureau.celery import app

    quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel=WARNING"]
    app.worker_main(["worker", "--pool=threads", "--concurrency=2", *quiet])


def beat() -> None:
    from bureau.celery import app

    app.start(["beat", "--pidfile=", "--loglevel=WARNING"])


CHILDREN = {"site": site, "worker": worker, "beat": beat}

if __name__ == "__main__":
    lifeline.follow_parent()
    CHILDREN[sys.argv[1]]()
