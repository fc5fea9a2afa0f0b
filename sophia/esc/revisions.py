"""Which commit of the checkout a definition comes from."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

_SHOWN = 12
"""Characters of a commit's id in a tag."""
_COMMIT_TAG = "git-"


@dataclass(frozen=True)
class Commits:
    """The git history around a folder; without git, or outside a repository, it knows nothing."""

    folder: Path

    def tag(self, file: Path, text: str) -> str | None:
        """``git-<commit>`` if the newest commit has the file with this very text; None otherwise."""
        head = self._git("rev-parse", "--verify", "--quiet", "HEAD")
        committed = self._git("show", f"HEAD:./{file.name}", strip=False) if head else None
        return f"{_COMMIT_TAG}{head[:_SHOWN]}" if head and committed == text else None

    def lacks(self, tags: tuple[str, ...]) -> str | None:
        """The commit that one of the tags names, if the checkout's history does not contain it."""
        for tag in tags:
            commit = tag.removeprefix(_COMMIT_TAG)
            if commit != tag and self._git("rev-parse", "HEAD"):
                known = self._git("merge-base", "--is-ancestor", commit, "HEAD")
                if known is None:
                    return commit
        return None

    def _git(self, *arguments: str, strip: bool = True) -> str | None:
        """What git prints; None if it fails."""
        try:
            done = subprocess.run(  # noqa: S603 - a list, no shell
                ["git", *arguments],  # noqa: S607 - the user's own git
                cwd=self.folder,
                capture_output=True,
                check=False,
            )
        except OSError:
            return None
        if done.returncode != 0:
            return None
        text = done.stdout.decode("utf-8", "replace")
        return text.strip() if strip else text
