"""What is hidden in a picture of an album: its mask plan, then the regions that somebody drew, as in a video."""

from __future__ import annotations

from dataclasses import dataclass

from anonflow.errors import InternalError
from anonflow.mask.area import hidden_area
from anonflow.mask.paint import paint
from anonflow.mask.regions import Canvas, RegionPlan, regions_for
from anonflow.mask.shapes import mask_shapes
from anonflow.picture.base import PictureInfo
from anonflow.picture.hiding import Hiding
from anonflow.pipeline.album.members import Member
from anonflow.pipeline.context import RunContext
from anonflow.pipeline.rows import Row
from anonflow.tables import read_note, read_rows
from anonflow.types import MaskPlan, PlaneSet


@dataclass(frozen=True, eq=False)
class AlbumPlan:
    """What to hide, by position; `objects` names every picture that was planned, those without any included."""

    plan: MaskPlan
    objects: dict[str, dict[str, int]]
    times: dict[str, float]

    @classmethod
    def read(cls, row: Row, context: RunContext) -> AlbumPlan:
        """The plan that the stitch stage wrote."""
        path = context.paths.mask_plan(row.video_id)
        note = read_note(path)
        times = {key: note[key] for key in ("wall_s", "cpu_s")}
        return cls(read_rows(MaskPlan, path), note["objects"], times)

    def hiding(self, member: Member, info: PictureInfo, context: RunContext) -> Hiding:
        """The way to mask one picture. It lies at 0 s for regions that hold for a time."""
        if str(member.position) not in self.objects:
            raise InternalError(f"{member.source.uri}: nothing was planned for it. Run again.")
        config, form, turn = context.config, info.grid, info.turn
        canvas = Canvas(
            form.width, form.height, form.shift_x, form.shift_y, turn.rotation_deg, is_mirrored=turn.is_mirrored
        )
        by_hand = RegionPlan.of(regions_for(config.regions, member.source.relative_path), canvas).at(0.0, 0.0)
        styles = [config.mask[label] for label in config.labels]
        rows = self.plan.between(member.position, member.position + 1)
        size = form.plane_set()
        shapes = mask_shapes(rows, styles, size) if by_hand.is_processed else ()

        def hide(planes: PlaneSet) -> None:
            paint(planes, shapes, by_hand.keep)
            paint(planes, by_hand.hide)

        boxes = tuple((shape.x1, shape.y1, shape.x2, shape.y2) for shape in (*shapes, *by_hand.hide))
        return Hiding(hide, hidden_area(size, shapes, by_hand.keep, by_hand.hide), boxes)
