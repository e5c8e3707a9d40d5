"""How long each picture stays on screen, by name."""

from fractions import Fraction
from random import Random

EVEN = {
    "25": Fraction(25),
    "50": Fraction(50),
    "12.5": Fraction(25, 2),
    "29.97": Fraction(30000, 1001),
    "120": Fraction(120),
    "23.976": Fraction(24000, 1001),
    "59.94": Fraction(60000, 1001),
    "15": Fraction(15),
    "7.5": Fraction(15, 2),
    "1000": Fraction(1000),
}
UNEVEN = ("uneven", "telecine", "hold", "slower", "a second")
PACES = ("25", "50", "12.5", "29.97", "120", *UNEVEN)
SOFT = "soft telecine"  # MPEG-2's film as television: every other picture asks for one of its fields again
_FIELD = Fraction(1001, 60000)
_MS = Fraction(1, 1000)


def stays(pace: str, num_pictures: int, random: Random) -> tuple[Fraction, ...]:
    """Seconds for each picture. The last one stays as long as the one before it: no file says otherwise."""
    if pace in EVEN:
        return (1 / EVEN[pace],) * num_pictures
    if pace == "a second":
        return (Fraction(1),) * num_pictures
    if pace == SOFT:  # counted by the stream's own fields, so the last picture's stay is known
        return tuple(_FIELD * (2 if n % 2 else 3) for n in range(num_pictures))
    if pace == "telecine":
        drawn = [40 * _MS if n % 2 else 60 * _MS for n in range(num_pictures)]
    elif pace == "hold":  # a true one: nothing is missing
        drawn = [40 * _MS] * num_pictures
        drawn[num_pictures // 3] = Fraction(random.choice([2, 5, 9]))
    elif pace == "slower":  # a recorder that goes over to two pictures a second
        drawn = [40 * _MS] * (num_pictures // 2) + [500 * _MS] * (num_pictures - num_pictures // 2)
    elif pace == "uneven":
        drawn = [random.choice([20, 40, 60, 100, 240]) * _MS for _ in range(num_pictures)]
    elif pace == "dropped":  # as chunks without content: the picture before them stays
        drawn = [40 * _MS] * num_pictures
        for n in range(9, num_pictures, 20):
            drawn[n] = random.choice([2, 8, 31]) * 40 * _MS
    elif pace in ("a minute", "five minutes"):
        drawn = [Fraction(60 if pace == "a minute" else 300)] * num_pictures
    else:
        raise ValueError(pace)
    drawn[-1] = drawn[-2] if num_pictures > 1 else drawn[-1]
    return tuple(drawn)
