"""Looking for what must not be left: boxes and pictures of the source, in any file below a folder."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import av
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

_RUN_PX = 24


def files_with_coordinates(folder: Path, values: Iterable[float]) -> set[str]:
    """Files that hold one of these numbers, which are no whole ones: as text, as float32, or in a column."""
    numbers = np.unique(np.array(list(values), np.float32))
    assert (np.abs(numbers - np.round(numbers)) > 0.01).all(), "a whole number is found everywhere"
    return {name for name, content in _contents(folder) if any(_holds(content, number) for number in numbers)}


def files_with_picture(folder: Path, luma: NDArray[np.uint8]) -> set[str]:
    """Files that hold pixels of the picture (rows, columns) as they are, or that decode to any picture."""
    assert luma.std() > 10, "a flat picture is found everywhere"
    runs = [row[i : i + _RUN_PX] for row in luma[::8] for i in range(0, len(row) - _RUN_PX, _RUN_PX)]
    needles = [run.tobytes() for run in runs if run.std() > 3]
    assert needles
    found = {name for name, content in _contents(folder) if any(needle in content for needle in needles)}
    return found | {p.relative_to(folder).as_posix() for p in _files(folder) if _decodes(p)}


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file())


def _contents(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of every file; of Parquet the values, too, which are compressed in the file."""
    for path in _files(folder):
        name = path.relative_to(folder).as_posix()
        yield name, path.read_bytes()
        if path.suffix == ".parquet":
            for column in pq.read_table(path).columns:
                yield name, _values(column)


def _values(column: pa.ChunkedArray) -> bytes:
    flat = column.combine_chunks()
    while pa.types.is_fixed_size_list(flat.type) or pa.types.is_list(flat.type):
        flat = flat.flatten()
    if pa.types.is_floating(flat.type):
        return flat.to_numpy(zero_copy_only=False).astype("<f4").tobytes()
    return "\n".join(map(str, flat.to_pylist())).encode()


def _holds(content: bytes, number: np.float32) -> bool:
    as_text = f"{float(number):.6f}"[:6].encode()
    return as_text in content or np.array(number, "<f4").tobytes() in content


def _decodes(path: Path) -> bool:
    try:
        with av.open(str(path)) as container:
            is_text = container.format.name == "tty"  # FFmpeg takes any .txt for a picture made of letters
            return not is_text and next(container.decode(video=0), None) is not None
    except (av.FFmpegError, ValueError, IndexError):
        return False
