"""The rows that signals fill: what was read off a video without a model that describes it."""

from pydantic import BaseModel, ConfigDict, Field

from schemas.rows import Lineage


class Measured(Lineage):
    """A row that a signal read off the video, without the model."""

    signal_id: str = Field(description="Signal and version, e.g. captions@1")


class CaptionTrack(Measured):
    """Captions or subtitles that came with the video: one language, in one place."""

    track: int = Field(description="Position among the video's tracks, from 0")
    source: str = Field(description="stream, pictures (CEA-608 or 708 inside the video stream) or sidecar")
    origin: str = Field(description="Number of the stream, CC1 to CC4 or S1 to S6, or the sidecar's name")
    codec: str = Field(description="Format of the texts, e.g. subrip, mov_text, webvtt, cea608")
    language: str | None = Field(description="Language as BCP 47 (en, pt-BR); null: not said")
    language_as_written: str | None = Field(description="Language as the file or its name has it")
    title: str | None = Field(description="The track's title")
    is_default: bool = Field(description="Players show it unless told otherwise")
    is_forced: bool = Field(description="Only what is needed by those who understand the sound")
    is_hearing_impaired: bool = Field(description="With sounds and speakers, for those who do not hear")
    is_commentary: bool = Field(description="It belongs to a commentary, not to the film's own sound")
    has_text: bool = Field(description="It is text that can be read here; pictures of text are not")
    num_cues: int = Field(description="Rows in captions")
    num_dropped: int = Field(description="Cues left out: outside the video, empty, or damaged")
    encoding: str | None = Field(description="Character encoding of a sidecar; null: not a sidecar")
    is_encoding_guessed: bool = Field(description="Nothing said which encoding it is: letters may be wrong")
    offset_ms: int = Field(
        description="What was taken off the times as written, to count from the first picture"
    )
    warnings: list[str] = Field(description="What was odd about it")


class Caption(Measured):
    """One cue: what is shown at once, at the time it is shown."""

    track: int = Field(description="See caption_tracks")
    cue: int = Field(description="Position in the track, from 0, by start")
    start_ms: int = Field(description="First millisecond it is shown")
    end_ms: int = Field(description="First millisecond after")
    is_end_guessed: bool = Field(description="The file does not say when it ends")
    language: str | None = Field(description="Language of its track, as BCP 47")
    speaker: str | None = Field(description="Who says it, where the format tells")
    text: str = Field(description="Without markup; lines are parted by a line feed")


class Chapter(Measured):
    """A chapter that the file itself marks."""

    chapter: int = Field(description="Position in the video, from 0")
    start_ms: int = Field(description="First millisecond")
    end_ms: int = Field(description="First millisecond after")
    title: str | None = Field(description="Title as the file has it")


class DroppedSpeech(BaseModel):
    """Speech without a row, for one reason."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    reason: str = Field(description="unsure, in_circles, silent, faint, in_haste or no_words")
    stretches: int = Field(description="Speech between two silences")
    words: int = Field(description="Words that the decoder made of them")
    ms: int = Field(description="Their length")


class SpeechTrack(Measured):
    """The sound track of a video that was listened to, and what became of it."""

    stream: int | None = Field(description="Number of the stream; null: none that can be heard")
    num_streams: int = Field(description="Sound tracks in the file")
    codec: str | None = Field(description="Codec of the sound, e.g. aac")
    language: str | None = Field(description="Language that the file says, as BCP 47; null: not said")
    chosen_by: str | None = Field(description="only, language, default or first")
    heard_ms: int = Field(description="Sound that was listened to")
    speech_ms: int = Field(description="Speech in that sound")
    num_pieces: int = Field(description="Pieces that the decoder heard at once")
    num_heard_again: int = Field(description="Stretches of speech without a word, heard once more")
    num_gaps: int = Field(description="Places at which the sound is interrupted")
    num_rows: int = Field(description="Rows in speech")
    num_words: int = Field(description="Words in those rows")
    dropped: list[DroppedSpeech] = Field(description="Speech without a row, by reason")
    warnings: list[str] = Field(description="What was odd about it, e.g. no_sound, not_readable")


class SpokenWord(BaseModel):
    """A word and when it is said."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    word: str = Field(description="With its punctuation")
    start_ms: int = Field(description="First millisecond")
    end_ms: int = Field(description="First millisecond after")
    probability: float = Field(description="The decoder's own")


class Speech(Measured):
    """A sentence that is said, or as much of it as is read at once."""

    segment: int = Field(description="Position in the video, from 0, by start")
    start_ms: int = Field(description="First millisecond")
    end_ms: int = Field(description="First millisecond after; may lie behind the last picture")
    language: str | None = Field(description="Language spoken, as BCP 47; null: not known")
    language_probability: float | None = Field(
        description="Probability of the language; null: taken from around it"
    )
    text: str = Field(description="What is said, as the decoder writes it")
    probability: float = Field(description="Mean probability of its words")
    logprob: float = Field(description="Mean log probability of all that was heard at once with it")
    no_speech_probability: float = Field(description="Probability that nobody speaks in it, by the decoder")
    words: list[SpokenWord] = Field(description="Each word and when it is said")


class ScreenText(Measured):
    """A line of text that is seen in the pictures, as long as it is there."""

    line: int = Field(description="Position in the video, from 0, by start, then from top to bottom")
    start_ms: int = Field(description="When the first picture with it begins, of those that were looked at")
    end_ms: int = Field(description="When the first picture without it begins, or the video ends")
    box_left: float = Field(
        description="Left edge of a rectangle around it, as a fraction of the picture's width"
    )
    box_top: float = Field(description="Top edge, as a fraction of the picture's height")
    box_right: float = Field(description="Right edge, as a fraction of the picture's width")
    box_bottom: float = Field(description="Bottom edge, as a fraction of the picture's height")
    confidence: float = Field(description="Mean probability of its letters, where it was read best")
    language: str | None = Field(description="Language as BCP 47; null: not known")
    text: str = Field(description="What was read the longest, weighted by how surely")


class Strip(Measured):
    """Tiny pictures of all of the video, on one sheet: tile n is what is on screen at n x step_ms."""

    num_tiles: int = Field(description="Pictures on the sheet")
    num_columns: int = Field(description="Pictures side by side; the last row may be shorter")
    tile_width: int = Field(description="Width of each in pixels")
    tile_height: int = Field(description="Height of each in pixels")
    step_ms: int = Field(description="Time from one picture to the next")
    media_type: str = Field(description="image/jpeg")
    image: bytes = Field(description="The sheet as a file of that type")


class Shot(Measured):
    """A shot: the pictures between two changes of the whole picture."""

    shot_index: int = Field(description="Position in the video, from 0")
    start_ms: int = Field(description="First millisecond; the middle of a dissolve or fade")
    end_ms: int = Field(description="First millisecond after: where the next shot starts, or the video ends")
    kind: str | None = Field(
        description="How it begins: cut, dissolve, fade, or slide, where one still picture follows another; "
        "null: with the video"
    )
    score: float | None = Field(description="How clear that is, 0 to 1; null: it begins with the video")


class ShotKeyframe(Measured):
    """The still that represents a shot: a small picture in the video's aspect."""

    shot_index: int = Field(description="See shots")
    at_ms: int = Field(description="When it is on screen")
    width: int = Field(description="Width of the picture in pixels")
    height: int = Field(description="Height of the picture in pixels")
    media_type: str = Field(description="image/jpeg")
    image: bytes = Field(description="The picture as a file of that type")


class Cue(Measured):
    """A cue: what a machine sees or hears of a film without understanding it, and when."""

    kind: str = Field(
        description="black, freeze, color_bars, letterbox, pillarbox, damaged, credits, slate (candidates), "
        "silence, tone, loudness, loudness_range or peak"
    )
    start_ms: int = Field(description="First millisecond")
    end_ms: int = Field(description="First millisecond after; what holds at the end of the film ends there")
    value: float | None = Field(
        description="Hz of a tone, LUFS of loudness, LU of its range, dBFS of a peak, width over height of "
        "what a letterbox or pillarbox leaves; null for others"
    )


MEASURED_TABLES: dict[str, type[Measured]] = {
    "caption_tracks": CaptionTrack,
    "captions": Caption,
    "chapters": Chapter,
    "speech_tracks": SpeechTrack,
    "speech": Speech,
    "screen_text": ScreenText,
    "strips": Strip,
    "shots": Shot,
    "shot_keyframes": ShotKeyframe,
    "cues": Cue,
}
