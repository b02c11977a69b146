"""Small annotated folders in every format."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

PIXEL = b"\xff\xd8\xff\xe0"
"""Enough of a picture for readers, which go by names."""


def picture(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(PIXEL)
    return path


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def coco(folder: Path, *annotations: dict[str, Any], **changes: Any) -> Path:
    picture(folder / "images" / "a.jpg")
    picture(folder / "images" / "b.jpg")
    content = {
        "images": [
            {"id": 7, "file_name": "images/a.jpg", "width": 100, "height": 80},
            {"id": 8, "file_name": "images/b.jpg", "width": 100, "height": 80},
        ],
        "categories": [{"id": 1, "name": "face"}, {"id": 2, "name": "car"}],
        "annotations": [{"id": n, "image_id": 7, "category_id": 1} | a for n, a in enumerate(annotations)],
    }
    return write(folder / "annotations.json", json.dumps(content | changes))


WIDER = """\
0--Parade/one.jpg
2
10 20 30 60 1 0 0 0 2 0
5 6 7 12 0 0 0 1 0 0
0--Parade/none.jpg
0
0 0 0 0 0 0 0 0 0 0
1--Riot/two.jpg
1
1 2 40 35 0 1 1 0 0 1
"""


def wider(folder: Path, text: str = WIDER) -> Path:
    for name in ("0--Parade/one.jpg", "0--Parade/none.jpg", "1--Riot/two.jpg"):
        picture(folder / "WIDER_val" / "images" / name)
    return write(folder / "wider_face_split" / "wider_face_val_bbx_gt.txt", text)


CCPD = "025-95_113-154&383_386&473-386&473_177&454_154&383_363&402-0_0_22_27_27_33_16-37-15.jpg"

VOC = """\
<annotation>
  <filename>car.jpg</filename>
  <size><width>640</width><height>480</height><depth>3</depth></size>
  <object><name>plate</name><pose>Rear</pose><truncated>1</truncated><difficult>0</difficult>
    <bndbox><xmin>11</xmin><ymin>21</ymin><xmax>60</xmax><ymax>40</ymax></bndbox></object>
  <object><name>plate</name><difficult>1</difficult>
    <bndbox><xmin>1</xmin><ymin>1</ymin><xmax>9</xmax><ymax>9</ymax></bndbox></object>
</annotation>
"""


def voc(folder: Path, text: str = VOC) -> Path:
    picture(folder / "JPEGImages" / "car.jpg")
    return write(folder / "Annotations" / "car.xml", text)


CVAT = """\
<?xml version="1.0" encoding="utf-8"?>
<annotations>
  <meta><task><name>street</name><labels><label><name>face</name></label><label><name>plate</name></label></labels>
    <original_size><width>64</width><height>48</height></original_size></task><source>street.mp4</source></meta>
  <track id="3" label="face" source="manual">
    <box frame="0" outside="0" occluded="1" keyframe="1" xtl="1" ytl="2" xbr="11" ybr="12"><attribute name="hat">yes</attribute></box>
    <box frame="1" outside="0" occluded="0" keyframe="0" xtl="2" ytl="2" xbr="12" ybr="12"></box>
    <box frame="2" outside="1" occluded="0" keyframe="1" xtl="3" ytl="2" xbr="13" ybr="12"></box>
  </track>
</annotations>
"""  # noqa: E501


def cvat(folder: Path, text: str = CVAT) -> Path:
    picture(folder / "street.mp4")
    return write(folder / "street.xml", text)


YOLO = "0 0.5 0.5 0.2 0.4\n1 0.1 0.1 0.2 0.2 0.3 0.1\n"


def yolo(folder: Path, text: str = YOLO) -> Path:
    picture(folder / "images" / "val" / "a.jpg")
    write(folder / "classes.txt", "face\nplate\n")
    return write(folder / "labels" / "val" / "a.txt", text)


def mot(folder: Path, text: str = "1,5,10,20,30,40,1,1,0.5\n3,5,11,21,30,40,0,1,1\n") -> Path:
    picture(folder / "clip.mp4")
    picture(folder / "clip_two.mp4")
    return write(folder / "clip_gt.txt", text)
