"""`python -m moderation` is the command `moderation`."""

from __future__ import annotations

from moderation.cli.main import main

if __name__ == "__main__":
    main()
