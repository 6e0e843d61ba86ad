"""The command line, and then on standard error how much memory it held at most: `python -m moderation.cli.peak`.

A process asks itself: what the system tells of a child counts the parent's memory too, if the parent held more.
"""

from __future__ import annotations

import resource
import sys
from pathlib import Path


def peak_mib() -> float:
    """The most memory that this process has held, in MiB."""
    try:
        lines = Path("/proc/self/status").read_text("utf-8").splitlines()
    except OSError:
        unit = 2**20 if sys.platform == "darwin" else 2**10
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024


def main() -> None:
    """Run the command line as it is and print MiB."""
    from moderation.cli.main import main as command_line

    try:
        command_line()
    finally:
        print(peak_mib(), file=sys.stderr)


if __name__ == "__main__":
    main()
