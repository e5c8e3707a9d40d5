"""What a seed draws: one film's recipe, kind by kind."""

from fractions import Fraction
from random import Random

from oddfilms.barcode import HEIGHT, WIDTH
from oddfilms.coding import CODECS
from oddfilms.pace import EVEN, PACES, SOFT
from oddfilms.recipe import BARE, CONTAINERS, COUNTED_CLOCK, JOINABLE, RARE, Edit, Piece, Recipe

WRAP_S = Fraction(1 << 33, 90_000)  # of MPEG's clock: 26.5 hours
_PALETTES = {"mov": ("qtrle", "palette", "smc"), "avi": ("palette", "msrle", "zmbv")}
_HOLED = ("ts", "ts", "mp4", "mkv", "mkv", "webm", "flv", "avi", "mxf", "ogg", "asf")
_DISC = frozenset({"h264", "mpeg2"})  # whatever is on discs in packets of 192 bytes
_RESIZABLE = {
    "mp4": ("h264", "h264", "hevc"),
    "mov": ("h264", "hevc"),
    "flv": ("h264",),
    "ts": ("h264", "h264", "hevc", "mpeg2", "mpeg4"),
    "webm": ("vp8", "vp9"),
    "mkv": ("vp9", "mjpeg"),
}
_SIZES = ((WIDTH, HEIGHT), (96, 64), (96, 80), (128, 96))


def draw(seed: int, kind: str | None = None) -> Recipe:
    """The recipe of a seed, of a kind; neighbouring seeds are of different kinds where none is asked for."""
    random = Random(seed)
    return _DRAWN[kind or KINDS[seed % len(KINDS)]](seed, random)


def _recipe(seed: int, random: Random, kind: str, container: str, codec: str, **more: object) -> Recipe:
    """What every kind draws alike."""
    gop = more.get("gop", random.choice([1, 6, 12, 25, 250]))
    has_b = CODECS[codec].is_reordering and gop != 1
    return Recipe(
        **{
            "seed": seed,
            "kind": kind,
            "container": container,
            "codec": codec,
            "gop": gop,
            "num_b": random.choice([0, 0, 1, 2, 3]) if has_b else 0,
            "start_s": random.choice([Fraction(0), Fraction(14, 10), Fraction(3600), Fraction(36000)]),
            "has_open_gops": codec in ("h264", "hevc") and random.random() < 0.3,
            "is_m2ts": container == "ts" and codec in _DISC and random.random() < 0.15,
            "fps": random.choice([Fraction(1), Fraction(7, 3), Fraction(5), Fraction(12), Fraction(25)]),
            **more,
        }  # type: ignore[arg-type]  # a dictionary only here, where a kind overrides what others share
    )


def _pace(random: Random, container: str, codec: str) -> str:
    if container in ("mxf", *BARE):
        return "25"
    if container == "gif":  # its clock has hundredths
        return random.choice(["25", "50", "12.5"])
    if container in ("vob", "mpg"):
        return random.choice(["25", "25", "29.97", "50"])
    if container in COUNTED_CLOCK:
        return random.choice(["25", "50", "29.97"])
    if codec in ("mpeg2", "mpeg1"):
        return random.choice([pace for pace in PACES if pace not in ("12.5", "120")])
    return random.choice(PACES)


def _length(random: Random, pace: str) -> int:
    return random.choice([12, 25]) if pace == "a second" else random.choice([30, 60, 90])


def _piece(random: Random, container: str, codec: str, size: tuple[int, int] = (WIDTH, HEIGHT)) -> Piece:
    pace = _pace(random, container, codec)
    return Piece(pace, _length(random, pace), size)


def _plain(seed: int, random: Random) -> Recipe:
    container = random.choice(list(CONTAINERS))
    codec = random.choice(CONTAINERS[container])
    num_sounds = 0 if container in (*BARE, "ogg", "gif", "webm") else random.choice([0, 0, 1, 3])
    is_fragmented = container == "mp4" and random.random() < 0.3
    begins_together = container in COUNTED_CLOCK or is_fragmented  # their muxers put all tracks at zero
    return _recipe(
        *(seed, random, "plain", container, codec),
        pieces=(_piece(random, container, codec),),
        num_sounds=min(1, num_sounds) if container == "flv" else num_sounds,
        sound_before_s=0 if begins_together else random.choice([0, 0, 1]),
        sound_after_s=random.choice([0, 0, 5]),
        has_doubled_stamps=container in ("vob", "mpg") and random.random() < 0.7,
        is_fragmented=is_fragmented,
    )


def _codec(seed: int, random: Random) -> Recipe:
    """Codecs, containers and rates that are seldom met."""
    container = random.choice(list(RARE))
    codec = random.choice(RARE[container])
    pace = random.choice([_pace(random, container, codec), *_odd_rates(container, codec)])
    num_pictures = 15 if codec == "dv" else random.choice([30, 60])
    return _recipe(
        *(seed, random, "codec", container, codec),
        pieces=(Piece(pace, num_pictures, CODECS[codec].size),),
        sound_after_s=random.choice([0, 0, 5]),
    )


def _odd_rates(container: str, codec: str) -> tuple[str, ...]:
    if container in BARE or container in ("mxf", "vob") or codec in ("mpeg1", "mpeg2", "dv"):
        return ()
    slow = ("15", "7.5")
    if container == "3gp" or codec == "av1":  # whose encoders know no such rates, or take long
        return slow
    return (*slow, "23.976", "59.94", "1000")


def _order(seed: int, random: Random) -> Recipe:
    """Reordered pictures where no presentation times are stored, or wrong ones."""
    container = random.choice(["avi", "asf", "mxf"])
    codec = random.choice([codec for codec in CONTAINERS[container] if CODECS[codec].is_reordering])
    pace = _pace(random, container, codec) if container == "asf" else "25"
    piece = Piece(pace, _length(random, pace))
    return _recipe(
        seed, random, "order", container, codec, pieces=(piece,), num_b=random.choice([1, 2, 3]), gop=12
    )


def _dropped(seed: int, random: Random) -> Recipe:
    codec = random.choice(CONTAINERS["avi"])
    return _recipe(seed, random, "dropped", "avi", codec, pieces=(Piece("dropped", 60),))


def _jump(seed: int, random: Random) -> Recipe:
    container = random.choice(JOINABLE)
    codec = random.choice(CONTAINERS[container])
    pieces = tuple(_piece(random, container, codec) for _ in range(random.choice([2, 2, 3])))
    joins = tuple(random.choice(["forward", "back", "restart", "overlap"]) for _ in pieces[1:])
    sounds = random.choice([0, 0, 1])
    return _recipe(seed, random, "jump", container, codec, pieces=pieces, joins=joins, num_sounds=sounds)


def _wrap(seed: int, random: Random) -> Recipe:
    container = random.choice(["ts", "ts", "vob"])
    codec = random.choice(CONTAINERS[container])
    piece = _piece(random, container, codec)
    start_s = WRAP_S - Fraction(random.choice([1, 2, 3, 900]), 2)
    return _recipe(seed, random, "wrap", container, codec, pieces=(piece,), start_s=start_s)


def _pid(seed: int, random: Random) -> Recipe:
    codec = random.choice(CONTAINERS["ts"])
    pieces = (_piece(random, "ts", codec), _piece(random, "ts", codec))
    joins = (random.choice(["on", "on", "back"]),)
    return _recipe(seed, random, "pid", "ts", codec, pieces=pieces, joins=joins, has_own_pid=True)


def _size(seed: int, random: Random) -> Recipe:
    """Another size half way; what a decoder needs for it is told once."""
    container = random.choice(["mp4", "mp4", "mov", "flv", "ts", "ts", "webm", "mkv"])
    codec = random.choice(_RESIZABLE[container])
    sizes = random.sample(_SIZES, random.choice([2, 2, 3]))
    return _recipe(
        *(seed, random, "size", container, codec),
        pieces=tuple(_piece(random, container, codec, size) for size in sizes),
        joins=("on",) * (len(sizes) - 1),
        repeats_headers=random.choice([False, True]),
    )


def _palette(seed: int, random: Random) -> Recipe:
    container = random.choice(list(_PALETTES))
    codec = random.choice(_PALETTES[container])
    piece = _piece(random, container, codec)
    return _recipe(seed, random, "palette", container, codec, pieces=(piece,), gop=random.choice([1, 6, 12]))


def _edits(seed: int, random: Random) -> Recipe:
    container = random.choice(["mp4", "mp4", "mov"])
    codec = random.choice(["h264", "h264", "hevc", "mpeg4", "mjpeg"])
    piece = _piece(random, container, codec)
    stay_ms = {"a second": 1000, "120": 8}.get(piece.pace, 19)  # at least
    lasts_ms = stay_ms * piece.num_pictures
    edits = [Edit(None, random.choice([40, 700, 3000]))] if random.random() < 0.3 else []
    for _ in range(random.choice([1, 2, 2, 3])):
        at = random.randrange(0, lasts_ms // 2)
        edits.append(Edit(at, random.randrange(lasts_ms // 5, lasts_ms // 2)))
        if random.random() < 0.1:
            edits.append(Edit(None, 400))
    if edits[-1].media_ms is None:
        edits.pop()
    return _recipe(seed, random, "edits", container, codec, pieces=(piece,), edits=tuple(edits))


def _tracks(seed: int, random: Random) -> Recipe:
    container = random.choice(["mkv", "mp4", "mov", "ts"])
    codec = random.choice(CONTAINERS[container])
    return _recipe(
        *(seed, random, "tracks", container, codec),
        pieces=(_piece(random, container, codec),),
        num_texts=random.choice([0, 5, 40, 70]) if container in ("mkv", "mp4") else 0,
        num_sounds=random.choice([0, 2, 70]) if container == "mov" else random.choice([0, 2]),
        num_videos=random.choice([0, 1, 2]),
        is_m2ts=False,
        is_video_last=random.random() < 0.5,
    )


def _short(seed: int, random: Random) -> Recipe:
    container = random.choice(list(CONTAINERS))
    codec = random.choice(CONTAINERS[container])
    piece = Piece(_pace(random, container, codec), random.choice([1, 1, 2, 3]))
    if piece.pace not in EVEN:
        piece = Piece("25", piece.num_pictures)
    num_sounds = 1 if container == "ts" else 0  # FFmpeg opens no TS of a few packets
    return _recipe(seed, random, "short", container, codec, pieces=(piece,), num_sounds=num_sounds)


def _long(seed: int, random: Random) -> Recipe:
    """Cameras that take a picture now and then."""
    container = random.choice(["mkv", "mp4", "mov", "ts", "flv"])
    codec = "h264" if container in ("ts", "flv") else random.choice(["h264", "mjpeg", "mpeg4"])
    piece = Piece(*random.choice([("a minute", 30), ("five minutes", 40), ("five minutes", 312)]))
    if container in ("ts", "flv"):
        piece = Piece("a minute", 30)
    return _recipe(seed, random, "long", container, codec, pieces=(piece,), fps=Fraction(1, 70))


def _telecine(seed: int, random: Random) -> Recipe:
    """MPEG-2 that repeats fields, alone or in pieces whose clocks jump."""
    container = random.choice(["ts", "vob", "mpg"])
    size = (WIDTH, WIDTH)  # interlaced: rows of blocks come in pairs
    paces = [SOFT, *random.choices([SOFT, "29.97"], k=random.choice([0, 0, 1, 2]))]
    pieces = tuple(Piece(pace, random.choice([30, 60, 90]), size) for pace in paces)
    joins = tuple(random.choice(["forward", "back", "restart"]) for _ in pieces[1:])
    return _recipe(seed, random, "telecine", container, "mpeg2", pieces=pieces, joins=joins)


def _cut(seed: int, random: Random) -> Recipe:
    """The end is missing, and the container can know it."""
    container = random.choice(["mkv", "avi", "flv", "mp4"])
    codec = random.choice(CONTAINERS[container])
    piece = Piece("25" if container == "avi" else random.choice(["25", "50", "telecine"]), 90)
    share = Fraction(random.choice([4, 6, 8]), 10)
    return _recipe(
        seed, random, "cut", container, codec, pieces=(piece,), cut_at=share, gop=random.choice([6, 12])
    )


def _hole(seed: int, random: Random) -> Recipe:
    """Some bytes are lost: packets of a broadcast, zeros in a download."""
    container = random.choice(_HOLED)
    codec = random.choice(CONTAINERS[container])
    piece = Piece("25" if container in COUNTED_CLOCK else random.choice(["25", "50", "telecine"]), 90)
    share = Fraction(random.randrange(30, 70), 100)
    return _recipe(
        *(seed, random, "hole", container, codec),
        pieces=(piece,),
        hole_at=share,
        hole_bytes=random.choice([100, 400, 2000]),
        gop=random.choice([6, 12]),
        has_checksums=container != "webm" and random.random() < 0.5,
    )


_DRAWN = {
    "plain": _plain,
    "jump": _jump,
    "edits": _edits,
    "size": _size,
    "order": _order,
    "wrap": _wrap,
    "dropped": _dropped,
    "palette": _palette,
    "tracks": _tracks,
    "pid": _pid,
    "short": _short,
    "long": _long,
    "telecine": _telecine,
    "cut": _cut,
    "hole": _hole,
    "codec": _codec,
}
KINDS = tuple(_DRAWN)
