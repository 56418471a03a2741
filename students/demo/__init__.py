"""The demo county 990101 云岭县: written as files, loaded through the actions people use."""

from students.demo.seeding import AlreadySeeded, seed

__all__ = ["AlreadySeeded", "seed"]
