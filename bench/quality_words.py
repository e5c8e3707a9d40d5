"""The words of bench/search_quality.py: each attribute as rows say it, bent another way, and paraphrased."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Word:
    """`said` is in the rows, `bent` another form of it, `meant` the same in words that no row has."""

    said: str
    bent: str
    meant: tuple[str, ...]
    things: tuple[str, ...] = ()  # what a setting's scenes also show


_SETTINGS = {
    "beach": Word("on the beach", "beaches", ("at the seaside", "on the shore"), ("towel", "shells")),
    "street": Word("in the street", "streets", ("on a road", "on the pavement"), ("cars", "signs")),
    "park": Word("in the park", "parks", ("on a lawn", "in a public garden"), ("fountain", "paths")),
    "kitchen": Word("in the kitchen", "kitchens", ("beside a stove", "where meals are cooked"), ("pots",)),
    "station": Word("at the station", "stations", ("by railway tracks", "on a train platform"), ("clock",)),
    "forest": Word("in the forest", "forests", ("in the woods", "among trees"), ("ferns", "mushrooms")),
    "market": Word("at the market", "markets", ("among stalls", "at a bazaar"), ("baskets", "fruit")),
    "harbour": Word("in the harbour", "harbours", ("at the docks", "at a port with boats"), ("ropes",)),
    "bridge": Word("on the bridge", "bridges", ("on a viaduct", "crossing a river"), ("railing",)),
    "library": Word("in the library", "libraries", ("among bookshelves", "in an archive"), ("desks",)),
    "stadium": Word("in the stadium", "stadiums", ("in an arena", "at a sports ground"), ("flags", "seats")),
    "desert": Word("in the desert", "deserts", ("among dunes", "in the Sahara"), ("cactus", "rocks")),
}
_TIMES = {
    "day": Word("during the day", "days", ("in the afternoon", "at noon")),
    "night": Word("at night", "nights", ("after dark", "at midnight")),
    "dawn": Word("at dawn", "dawns", ("at sunrise", "early in the morning")),
    "dusk": Word("at dusk", "dusks", ("at sunset", "at twilight")),
}
_WEATHERS = {
    "rain": Word("in the rain", "raining", ("in a downpour", "getting soaked")),
    "snow": Word("in the snow", "snowing", ("in a blizzard", "in icy winter")),
    "fog": Word("in the fog", "foggy", ("in mist", "in haze")),
    "sunshine": Word("in the sunshine", "sunny", ("in fine weather", "on a bright summer")),
}
_SHAPES = {
    "man": Word("man", "men", ("guy", "gentleman")),
    "woman": Word("woman", "women", ("lady", "female")),
    "child": Word("child", "children", ("kid", "toddler")),
    "dog": Word("dog", "dogs", ("puppy", "hound")),
    "robot": Word("robot", "robots", ("android", "machine")),
}
_COLOURS = {
    "red": Word("red", "red", ("crimson", "scarlet")),
    "blue": Word("blue", "blue", ("navy", "azure")),
    "yellow": Word("yellow", "yellow", ("golden", "lemon")),
    "green": Word("green", "green", ("emerald", "olive")),
    "white": Word("white", "white", ("ivory", "pearly")),
    "black": Word("black", "black", ("ebony", "charcoal")),
}
_ACCESSORIES = {
    "hat": Word("with a hat", "hats", ("wearing a cap", "wearing a bowler")),
    "umbrella": Word("with an umbrella", "umbrellas", ("holding a parasol", "holding a brolly")),
    "backpack": Word("with a backpack", "backpacks", ("carrying a rucksack", "with a knapsack")),
    "scarf": Word("with a scarf", "scarves", ("wearing a shawl", "with a knitted wrap")),
    "glasses": Word("with glasses", "glasses", ("wearing spectacles", "bespectacled")),
}
_ACTIONS = {
    "runs": Word("runs", "running", ("sprinting", "jogging")),
    "walks": Word("walks", "walking", ("strolling", "going on foot")),
    "waves": Word("waves", "waving", ("greeting", "saying hello")),
    "jumps": Word("jumps", "jumping", ("leaping", "hopping")),
    "dances": Word("dances", "dancing", ("doing a waltz", "moving to music")),
    "reads": Word("reads", "reading", ("studying a novel", "leafing through pages")),
    "eats": Word("eats", "eating", ("having lunch", "munching a snack")),
    "sleeps": Word("sleeps", "sleeping", ("taking a nap", "dozing")),
    "sings": Word("sings", "singing", ("performing a tune", "vocalist")),
    "paints": Word("paints", "painting", ("making art", "brush on canvas")),
    "sweeps": Word("sweeps", "sweeping", ("cleaning up", "using a broom")),
}
_EVENTS = {
    "falls over": Word("falls over", "falling", ("tumbling to earth", "tripping up")),
    "catches a ball": Word("catches a ball", "balls catching", ("grabbing something thrown", "goalkeeper")),
    "opens a present": Word("opens a present", "presents opening", ("unwrapping a gift", "gift parcel")),
    "hugs a friend": Word("hugs a friend", "friends hugging", ("an embrace", "cuddling a buddy")),
    "loses a shoe": Word("loses a shoe", "shoes losing", ("footwear missing", "one sandal gone")),
    "wins a race": Word("wins a race", "races winning", ("victory", "becoming champion")),
    "breaks a window": Word("breaks a window", "windows breaking", ("smashing a pane", "vandalism")),
    "blows out candles": Word("blows out candles", "candle blowing", ("birthday", "birthday cake")),
}

SETTINGS, TIMES, WEATHERS = tuple(_SETTINGS), tuple(_TIMES), tuple(_WEATHERS)
SHAPES, COLOURS, ACCESSORIES = tuple(_SHAPES), tuple(_COLOURS), tuple(_ACCESSORIES)
ACTIONS, EVENTS = tuple(_ACTIONS), tuple(_EVENTS)
WORDS = _SETTINGS | _TIMES | _WEATHERS | _SHAPES | _COLOURS | _ACCESSORIES | _ACTIONS | _EVENTS

# The only words that paraphrases and rows share.
FUNCTION_WORDS = frozenset({"a", "an", "at", "by", "in", "on", "out", "over", "the", "to", "up", "with"})
