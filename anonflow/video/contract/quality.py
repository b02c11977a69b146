"""How much of the picture outside the masks is kept."""

from __future__ import annotations

from anonflow.types import Check, Verdict
from anonflow.video.contract.check import check
from anonflow.video.psnr import CAP_DB, Fidelity


def compare_quality(kept: Fidelity, wanted_db: float | None) -> Check:
    """A target that was missed is told and published: it is a blemish and no leak.

    `wanted_db` is None where the configuration sets the encoder's quality instead.
    """
    name = "picture outside the masks"
    if kept.mean_db is None:
        return check(name, True, "nothing is outside")
    detail = f"luma PSNR {kept.mean_db:.1f} dB, worst frame {kept.worst_db:.1f} dB"
    if kept.mean_db >= CAP_DB:
        return check(name, True, "bit for bit on the sampled frames")
    if wanted_db is not None and kept.mean_db < wanted_db:
        detail += f", below the target of {wanted_db:g} dB"
    return Check(name, Verdict.CHANGED_BY_POLICY, detail)
