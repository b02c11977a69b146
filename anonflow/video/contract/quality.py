"""How much of the picture outside the masks is kept."""

from __future__ import annotations

from anonflow.types import Check, Verdict
from anonflow.video.contract.check import check
from anonflow.video.psnr import CAP_DB, Fidelity


def compare_quality(kept: Fidelity, wanted_db: float | None, n_copied: int = 0, n_frames: int = 0) -> Check:
    """A target that was missed is told and published: it is a blemish and no leak.

    `wanted_db` is None where the configuration sets the encoder's quality instead. `kept` is of the encoded frames;
    `n_copied` of all `n_frames` were copied instead.
    """
    name = "picture outside the masks"
    if n_copied and n_copied == n_frames:
        return check(name, True, f"all {n_frames} frames copied bit for bit")
    copied = f"; {n_copied} of {n_frames} frames copied bit for bit" if n_copied else ""
    if kept.mean_db is None:
        return check(name, True, f"nothing is outside{copied}")
    detail = f"luma PSNR {kept.mean_db:.1f} dB, worst frame {kept.worst_db:.1f} dB"
    if kept.mean_db >= CAP_DB:
        return check(name, True, f"bit for bit on the sampled frames{copied}")
    if wanted_db is not None and kept.mean_db < wanted_db:
        detail += f", below the target of {wanted_db:g} dB"
    return Check(name, Verdict.CHANGED_BY_POLICY, detail + copied)
