"""Films spoken by espeak-ng: when each sentence begins in them is known to the sample."""

import random
import subprocess
import wave
from dataclasses import dataclass
from fractions import Fraction
from io import BytesIO
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt

RATE = 22_050
VOICES = ("en-us+f3", "en-gb", "en-us+m7", "en-gb-scotland", "en-us+f5", "en-gb-x-rp+m3")
SPEEDS = (150, 165, 140, 155, 170, 145)
PAUSES_S = (0.3, 0.5, 0.8, 1.2, 2.0, 3.0, 5.0, 8.0)
SENTENCES = """
The old harbour was empty when we came back.
Nobody wanted to talk about the broken bridge.
She opened the window and listened to the rain.
A small brown dog was waiting in front of the shop.
We should leave before the sun goes down.
My brother works in a large hospital near the river.
They found the missing letters under the kitchen floor.
It takes about an hour to walk around the lake.
The children were singing in the garden behind the school.
He told me that the train was late again.
Please put the heavy boxes on the table.
The farmer counted his sheep every single evening.
I have never seen so many stars in one night.
The doctor asked him to stay in bed for a week.
Our neighbours are painting their house yellow.
After dinner they played cards until midnight.
The teacher wrote a long word on the board.
You can see the mountains from this window.
"""

Sound = npt.NDArray[np.int16]


@dataclass(frozen=True)
class Film:
    """A film, what is said in it, and when each sentence begins in ms."""

    path: str
    text: str
    starts_ms: tuple[int, ...]
    seconds: float


def spoken(sentence: str, voice: str, speed: int) -> Sound:
    """A sentence without the silence around it."""
    asked = ["espeak-ng", "-v", voice, "-s", str(speed), "--stdout", sentence]
    data = subprocess.run(asked, check=True, stdout=subprocess.PIPE).stdout
    with wave.open(BytesIO(data)) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), np.int16)
    loud = np.flatnonzero(np.abs(samples.astype(np.int32)) > 300)
    return samples[loud[0] : loud[-1]]


def make_film(folder: Path, number: int, minutes: float, seed: str = "speech") -> Film:
    """One film of about that length."""
    draw = random.Random(f"{seed} {number}")
    sentences = SENTENCES.strip().splitlines()
    parts, at = [np.zeros(2 * RATE, np.int16)], 2 * RATE
    starts: list[int] = []
    said: list[str] = []
    while at < minutes * 60 * RATE:
        if not said or len(said) % len(sentences) == 0:
            draw.shuffle(sentences)
        sentence = sentences[len(said) % len(sentences)]
        sound = spoken(sentence, VOICES[number % len(VOICES)], SPEEDS[number % len(SPEEDS)])
        pause = np.zeros(round(draw.choice(PAUSES_S) * RATE), np.int16)
        starts.append(round(at * 1000 / RATE))
        said.append(sentence)
        parts += [sound, pause]
        at += len(sound) + len(pause)
    path = folder / f"{number}.mp4"
    write(path, np.concatenate(parts))
    return Film(str(path), " ".join(said), tuple(starts), at / RATE)


def write(path: Path, sound: Sound) -> None:
    """The sound as AAC, beside a picture a second."""
    with av.open(str(path), "w") as file:
        seen = file.add_stream("libx264", rate=1, width=64, height=36, pix_fmt="yuv420p")
        heard = file.add_stream("aac", rate=RATE, layout="mono", bit_rate=64_000)
        for number in range(len(sound) // RATE + 1):
            picture = av.VideoFrame.from_ndarray(np.full((36, 64, 3), 80, np.uint8), "rgb24")
            picture.pts, picture.time_base = number, Fraction(1)
            file.mux(seen.encode(picture))
        file.mux(seen.encode(None))
        resampler = av.AudioResampler(format="fltp", layout="mono", rate=RATE, frame_size=1024)
        whole = av.AudioFrame.from_ndarray(sound.reshape(1, -1), "s16", "mono")
        whole.sample_rate = RATE
        at = 0
        for frame in (*resampler.resample(whole), *resampler.resample(None)):
            frame.pts, frame.time_base = at, Fraction(1, RATE)
            at += frame.samples
            file.mux(heard.encode(frame))
        file.mux(heard.encode(None))
