"""Reading, planning, plane access, encoding, joining and checking of videos. Only this package imports av."""

from anonflow.video.logs import silence

silence()
