"""Making the corpus: each file once, on demand, into a folder that many tests share."""

from __future__ import annotations

import fcntl
import shlex
import subprocess
from collections.abc import Mapping
from pathlib import Path

import imageio_ffmpeg

from tests.corpus.damaged import DAMAGED
from tests.corpus.recipes import RECIPES, Recipe

EXPECTED: Mapping[str, tuple[str, ...]] = {
    **{name: (recipe.expected,) for name, recipe in RECIPES.items()},
    **{name: damage.expected for name, damage in DAMAGED.items()},
}
"""What may come of each file: `exact` or reasons of named errors."""


class Corpus:
    """A folder of files by name. Safe to use from several processes at once."""

    def __init__(self, folder: Path) -> None:
        """Use `folder`, which may hold files already."""
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def path(self, name: str) -> Path:
        """The file called `name`, made if it is not there."""
        path = self.folder / name
        with (self.folder / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self._make(name, path)
        return path

    def _make(self, name: str, path: Path) -> Path:
        if path.exists() or path.is_symlink():
            return path
        if name in RECIPES:
            self._encode(RECIPES[name], path)
        else:
            damage = DAMAGED[name]
            whole = self._make(damage.source, self.folder / damage.source) if damage.source else None
            damage.make(whole, path)
        return path

    def _encode(self, recipe: Recipe, path: Path) -> None:
        aside = self.folder / ".aside"
        aside.mkdir(exist_ok=True)
        for name, content in recipe.files:
            (aside / name).write_text(content)
        partial = aside / f"partial{path.suffix}"
        command = [imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-v", "error", "-y", "-threads", "1"]
        if recipe.source:
            source = self._make(recipe.source, self.folder / recipe.source)
            command += [*recipe.before.split(), "-i", f"file:{source}"]
        else:
            picture = f"testsrc2=size={recipe.size}:rate={recipe.rate}:duration=99"
            command += ["-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", "sine=frequency=330:duration=1"]
        command += shlex.split(recipe.arguments.replace("{folder}", str(aside)))
        if "-map " not in recipe.arguments:
            command += ["-map", "0"]
        if not recipe.source:
            command += ["-frames:v", str(recipe.n_frames)]
        subprocess.run([*command, "-threads", "1", "-bitexact", f"file:{partial}"], check=True, timeout=60)
        partial.rename(path)
