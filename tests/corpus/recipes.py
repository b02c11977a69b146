"""What archives hold, as recipes for a second encoder: FFmpeg's command line, which is another build than av's.

Every recipe is a line of arguments after the inputs `0` (moving test picture) and `1` (a tone). `expected` is what
must come of the file: `exact` (every frame can be read), or the reason of the named error.
"""

from __future__ import annotations

from dataclasses import dataclass

EXACT = "exact"
H264 = "-c:v libx264 -preset ultrafast -g 12 -bf 2 -pix_fmt yuv420p"
HEVC = "-c:v libx265 -preset ultrafast -g 12 -x265-params log-level=none:pools=none:frame-threads=1"
AV1 = "-c:v libsvtav1 -preset 12 -g 12 -svtav1-params lp=1"
VP9 = "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -g 12"
MPEG2 = "-c:v mpeg2video -g 10 -bf 2 -q:v 4"
MPEG4 = "-c:v mpeg4 -g 10 -bf 2 -q:v 4"
AAC = "-map 0 -map 1 -c:a aac -b:a 64k"


@dataclass(frozen=True)
class Recipe:
    """One file. `source` names another recipe whose file is the only input instead of the test picture."""

    arguments: str
    expected: str = EXACT
    size: str = "96x64"
    n_frames: int = 30
    rate: str = "25"
    before: str = ""
    """Arguments before the input `source`."""
    source: str = ""
    files: tuple[tuple[str, str], ...] = ()
    """Names and content of text files that the arguments name as `{folder}/NAME`."""


_TURN = "-map 0 -c copy"
_MASTERING = "master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,50):max-cll=1000,400"
_HDR = "-color_primaries bt2020 -colorspace bt2020nc -color_range tv -pix_fmt yuv420p10le"
_X265 = "-x265-params log-level=none:pools=none:frame-threads=1"
_VFR = "-vf setpts='(N*N/3+N*7)/(25*TB)/7' -fps_mode passthrough -enc_time_base 1/1000"
_ODD = "97x65"
_SUBTITLES = "1\n00:00:00,100 --> 00:00:00,900\nSaid by somebody.\n"
_CHAPTERS = ";FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=600\ntitle=a name\n"

RECIPES = {
    # containers
    "h264.mp4": Recipe(f"{AAC} {H264}"),
    "h264.mov": Recipe(f"{AAC} {H264}"),
    "h264.m4v": Recipe(f"{H264} -f mp4"),
    "fragmented.mp4": Recipe(f"{AAC} {H264} -movflags frag_keyframe+empty_moov+default_base_moof"),
    "faststart.mp4": Recipe(f"{AAC} {H264} -movflags faststart"),
    "h264.mkv": Recipe(f"{AAC} {H264}"),
    "vp9.webm": Recipe(f"-map 0 -map 1 -c:a libopus {VP9}"),
    "h264.ts": Recipe(f"{AAC} {H264}"),
    "h264.m2ts": Recipe(f"{AAC} {H264} -mpegts_m2ts_mode 1"),
    "mpeg2.mpg": Recipe(f"-map 0 -map 1 -c:a mp2 {MPEG2}"),
    "mpeg2.vob": Recipe(f"-map 0 -map 1 -c:a ac3 {MPEG2}"),
    "mpeg1.mpg": Recipe("-c:v mpeg1video -g 10 -bf 2 -q:v 4"),
    "mpeg4.avi": Recipe("-map 0 -map 1 -c:a mp3 -c:v mpeg4 -g 10 -q:v 4"),
    "h264.flv": Recipe(f"{AAC} {H264}"),
    "sorenson.flv": Recipe("-c:v flv1 -g 10"),
    "h264.3gp": Recipe(f"{AAC} {H264}"),
    "h263.3gp": Recipe("-c:v h263 -g 10", size="176x144", n_frames=20),
    "wmv2.wmv": Recipe("-map 0 -map 1 -c:a wmav2 -c:v wmv2 -g 10"),
    "msmpeg4.asf": Recipe("-c:v msmpeg4 -g 10"),
    "mpeg2.mxf": Recipe("-map 0 -map 1 -c:a pcm_s16le -ar 48000 -c:v mpeg2video -g 10 -bf 2 -q:v 4"),
    "ffv1.nut": Recipe("-c:v ffv1 -level 3 -g 1"),
    # codecs
    "hevc.mp4": Recipe(f"{AAC} {HEVC} -tag:v hvc1"),
    "hevc.ts": Recipe(f"{AAC} {HEVC}"),
    "hevc10.mkv": Recipe(f"{HEVC} -pix_fmt yuv420p10le"),
    "av1.mp4": Recipe(f"{AAC} {AV1}"),
    "av1_10.mkv": Recipe(f"{AV1} -pix_fmt yuv420p10le"),
    "vp9_10.webm": Recipe(f"{VP9} -pix_fmt yuv420p10le"),
    "vp8.webm": Recipe("-c:v libvpx -deadline good -cpu-used 4 -g 15 -auto-alt-ref 1 -lag-in-frames 16 -b:v 200k"),
    "mpeg2.ts": Recipe(f"-map 0 -map 1 -c:a mp2 {MPEG2}"),
    "mpeg4.mp4": Recipe(f"{AAC} {MPEG4}"),
    "mpeg4_b.avi": Recipe(MPEG4),
    "mjpeg.avi": Recipe("-c:v mjpeg -q:v 4 -pix_fmt yuvj420p"),
    "mjpeg.mov": Recipe("-c:v mjpeg -q:v 4 -pix_fmt yuvj422p"),
    "prores.mov": Recipe("-c:v prores_ks -profile:v 2", n_frames=12),
    "ffv1.mkv": Recipe("-c:v ffv1 -level 3 -slices 4"),
    "hi10.mkv": Recipe("-c:v libx264 -preset ultrafast -g 12 -pix_fmt yuv420p10le"),
    # how pictures depend on each other
    "opengop.mp4": Recipe("-c:v libx264 -preset veryfast -g 10 -bf 3 -x264-params open-gop=1:scenecut=0"),
    "opengop.ts": Recipe("-c:v libx264 -preset veryfast -g 10 -bf 3 -x264-params open-gop=1:scenecut=0"),
    "hevc_opengop.mkv": Recipe(f"-c:v libx265 -preset veryfast -g 10 -bf 3 {_X265}:open-gop=1"),
    "refresh.mp4": Recipe("-c:v libx264 -preset veryfast -g 12 -bf 0 -intra-refresh 1"),
    "refresh.ts": Recipe("-c:v libx264 -preset veryfast -g 12 -bf 0 -intra-refresh 1", n_frames=50),
    "one_keyframe.mp4": Recipe("-c:v libx264 -preset veryfast -g 999 -bf 3"),
    # interlacing
    "tff.mp4": Recipe("-vf setfield=tff -c:v libx264 -preset veryfast -g 12 -flags +ilme+ildct", size="96x96"),
    "bff.mkv": Recipe(
        "-vf setfield=bff -c:v libx264 -preset veryfast -g 12 -flags +ilme+ildct -x264-params bff=1", size="96x96"
    ),
    "mpeg2_tff.ts": Recipe(f"-vf setfield=tff {MPEG2} -flags +ilme+ildct", size="96x96"),
    "mpeg2_bff.mpg": Recipe(f"-vf setfield=bff {MPEG2} -flags +ilme+ildct", size="96x96"),
    # time
    "vfr.mp4": Recipe(f"{_VFR} {H264}"),
    "vfr.mkv": Recipe(f"{_VFR} {H264}"),
    "negative.mkv": Recipe(f"{H264} -avoid_negative_ts disabled -output_ts_offset -0.5", "timestamps"),
    "negative.mp4": Recipe(f"{H264} -avoid_negative_ts disabled -output_ts_offset -0.5 -use_editlist 0"),
    "late.mp4": Recipe(f"{AAC} {H264} -output_ts_offset 10"),
    "late.ts": Recipe(f"{AAC} {H264} -output_ts_offset 9000"),
    "editlist.mp4": Recipe("-map 0 -c copy", source="h264.mp4", before="-ss 0.7"),
    "ntsc.mp4": Recipe(f"{AAC} {H264}", rate="30000/1001"),
    "fast.mp4": Recipe(H264, rate="240", n_frames=60),
    "slow.mkv": Recipe(H264, rate="1", n_frames=8),
    "single.mp4": Recipe(H264, n_frames=1),
    # how it is shown
    "turned90.mp4": Recipe(_TURN, source="h264.mp4", before="-display_rotation 90"),
    "turned180.mov": Recipe(_TURN, source="h264.mov", before="-display_rotation 180"),
    "turned270.mp4": Recipe(_TURN, source="h264.mp4", before="-display_rotation 270"),
    "turned90.mkv": Recipe(_TURN, source="h264.mkv", before="-display_rotation 90"),
    "mirrored.mp4": Recipe(_TURN, "unsupported", source="h264.mp4", before="-display_hflip"),
    "wide.mp4": Recipe(f"-vf setsar=4/3 {H264}"),
    "narrow.mkv": Recipe(f"-vf setsar=8/9 {H264}"),
    "wide.ts": Recipe(f"-vf setsar=16/11 {MPEG2}"),
    "hdr10.mp4": Recipe(f"-c:v libx265 -preset ultrafast {_X265}:hdr10=1:{_MASTERING} {_HDR} -color_trc smpte2084"),
    "hlg.mkv": Recipe(f"-c:v libx265 -preset ultrafast {_X265} {_HDR} -color_trc arib-std-b67"),
    "full_range.mp4": Recipe(f"-vf scale=out_range=full {H264} -color_range pc"),
    # samples and sizes
    "odd.webm": Recipe(VP9, size=_ODD),
    "odd_av1.mp4": Recipe(AV1, size=_ODD),
    "odd_mjpeg.avi": Recipe("-c:v mjpeg -q:v 4 -pix_fmt yuvj420p", size=_ODD),
    "odd444.mp4": Recipe("-c:v libx264 -preset ultrafast -pix_fmt yuv444p", size=_ODD),
    "422.mkv": Recipe("-c:v libx264 -preset ultrafast -pix_fmt yuv422p"),
    "422_10.mov": Recipe("-c:v libx264 -preset ultrafast -pix_fmt yuv422p10le"),
    "444.mp4": Recipe("-c:v libx264 -preset ultrafast -pix_fmt yuv444p"),
    "hevc422_10.mp4": Recipe(f"{HEVC} -pix_fmt yuv422p10le"),
    "vp9_444.mkv": Recipe(f"{VP9} -pix_fmt yuv444p"),
    "grey.mkv": Recipe("-c:v libx264 -preset ultrafast -pix_fmt gray"),
    "rgb.mkv": Recipe("-c:v ffv1 -pix_fmt bgr0", "unsupported"),
    "alpha.webm": Recipe(f"{VP9} -pix_fmt yuva420p"),
    "alpha.mov": Recipe("-c:v prores_ks -profile:v 4444 -pix_fmt yuva444p10le", n_frames=12),
    # what lies beside the picture
    "silent.mp4": Recipe(H264),
    "silent.mov": Recipe(H264),
    "tracks.mkv": Recipe(
        f"-map 0 -map 1 -map 1 -map 1 -c:a:0 aac -c:a:1 libopus -c:a:2 flac -metadata:s:a:0 language=deu "
        f"-metadata:s:a:1 language=eng {H264}"
    ),
    "subtitles.mkv": Recipe(
        f"-i {{folder}}/said.srt {AAC} -map 2 -c:s srt {H264}", files=(("said.srt", _SUBTITLES),)
    ),
    "subtitles.mp4": Recipe(
        f"-i {{folder}}/said.srt {AAC} -map 2 -c:s mov_text {H264}", files=(("said.srt", _SUBTITLES),)
    ),
    "chapters.mp4": Recipe(
        f"-i {{folder}}/parts.txt {AAC} -map_metadata 2 {H264}", files=(("parts.txt", _CHAPTERS),)
    ),
    "timecode.mov": Recipe(f"{AAC} {H264} -timecode 01:00:00:00"),
    "cover.mp4": Recipe(
        f"-f lavfi -i testsrc2=size=96x64:rate=1:duration=1 {AAC} -map 2 -c:v:0 libx264 "
        "-preset:v:0 ultrafast -g:v:0 12 -c:v:1 mjpeg -pix_fmt:v:1 yuvj420p -disposition:v:1 attached_pic -t 1"
    ),
    "attachment.mkv": Recipe(
        f"{AAC} {H264} -attach {{folder}}/note.txt -metadata:s:t mimetype=text/plain",
        files=(("note.txt", "hello"),),
    ),
    "tagged.mp4": Recipe(f"{AAC} {H264} -metadata title=holiday -metadata location=+52.5+013.4/"),
    # no display times
    "h264_b.avi": Recipe(H264, "timestamps"),
    "h264.avi": Recipe("-c:v libx264 -preset ultrafast -g 12 -bf 0 -pix_fmt yuv420p"),
    "raw.h264": Recipe(H264, "timestamps"),
    # names
    "line\nbreak.mp4": Recipe(H264),
    "ünïcödé 影片 🎬.mp4": Recipe(H264),
    "-dash.mp4": Recipe(H264),
    "100%d %s.mkv": Recipe(H264),
    "x" * 251 + ".mp4": Recipe(H264),
}
