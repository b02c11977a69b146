"""A whole run, signed and verified, and what it leaves: who may read it, and whether pictures are in it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from anonflow.video.decode import decode_range
from anonflow.video.planes import plane_set
from anonflow.video.probe import probe
from tests.evidence.keys import key_pair
from tests.leftovers import files_with_picture
from tests.runs import SMALL, anonflow, files_below


@pytest.fixture(scope="module")
def ran(sample: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Keys, input, output and work folder of a signed run over a video and a file that is none."""
    root = tmp_path_factory.mktemp("private")
    private, _ = key_pair(root)
    (root / "in").mkdir()
    shutil.copy(sample, root / "in" / "Jane Doe.mp4")
    (root / "in" / "text.mp4").write_text("words")
    places = (f"input={root / 'in'}", f"output={root / 'out'}", f"runtime.work_dir={root / 'work'}")
    code, printed = anonflow("anonymize", *places, *SMALL, f"runtime.signing_key={private}")
    assert code == 3, printed
    (root / "printed.txt").write_text(printed)
    return root


def test_no_picture_and_no_key_is_left(ran: Path) -> None:
    source = ran / "in" / "Jane Doe.mp4"
    index = probe(source)
    _, frame = next(iter(decode_range(source, index, int(index.pts[0]), int(index.pts[1]))))
    luma = plane_set(frame).planes[0].copy()
    (ran / "left").mkdir()
    shutil.copytree(ran / "out" / "_anonflow", ran / "left" / "control")
    # Printed lines are text, which FFmpeg would draw; they are searched for the key below.
    assert files_with_picture(ran / "left", luma) == set()
    assert not [name for name in files_below(ran / "work") if not name.startswith("lease/")], "work is left"
    secret = (ran / "key.pem").read_text().splitlines()[1].encode()
    everything = [ran / "printed.txt", *(ran / "left").rglob("*"), *(ran / "out").rglob("*")]
    assert not [path for path in everything if path.is_file() and secret in path.read_bytes()]
    report = next((ran / "out").glob("_anonflow/*/report.json")).read_text()
    assert "key.pem" not in report and "Jane" not in report


def test_what_holds_names_is_for_its_owner_alone(ran: Path) -> None:
    control = ran / "out" / "_anonflow"
    (run,) = (path.parent for path in control.glob("*/ledger.parquet"))
    for folder in (control, control / "done", run):
        assert folder.stat().st_mode & 0o777 == 0o700, folder
    for name in ("ledger.parquet", "chains.jsonl"):
        assert (run / name).stat().st_mode & 0o777 == 0o600, name


def test_the_record_holds_and_is_found_out_when_it_does_not(ran: Path) -> None:
    out, key = ran / "out", f"public_key={ran / 'public.pem'}"
    code, printed = anonflow("verify", str(out), key)
    assert code == 0 and "holds" in printed and "hold    1" in printed, printed
    (run,) = (path.parent for path in out.glob("_anonflow/*/ledger.parquet"))
    table = pq.read_table(run / "ledger.parquet")
    assert table.num_rows == json.loads((run / "root.json").read_text())["ledger_rows"] == 2
    pq.write_table(table.slice(0, 1), run / "ledger.parquet")
    code, printed = anonflow("verify", str(out), key, "compare=false")
    assert code == 3 and "the row was removed" in printed and "not compared" in printed, printed
