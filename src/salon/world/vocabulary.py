"""What the sandbox world can show, and the words for it. Editing this file makes another world: raise VERSION."""

from dataclasses import dataclass

#: Name of the world; part of its hash. A long training run names the version it saw.
VERSION = "plaza-2"


@dataclass(frozen=True)
class Noun:
    """A thing of the world: `icon` names the emoji that shows it; `colour` is its natural colour, if it has one;
    `also` are other words for it."""

    name: str
    icon: str
    plural: str
    colour: str | None = None
    also: tuple[str, ...] = ()


def _plural(name: str) -> str:
    head, _, tail = name.partition(" of ")
    if head.endswith(("s", "x", "ch", "sh")):
        word = head + "es"
    elif head.endswith("y") and head[-2] not in "aeiou":
        word = head[:-1] + "ies"
    else:
        word = head + "s"
    return f"{word} of {tail}" if tail else word


_IRREGULAR = {
    "sheep": "sheep", "mouse": "mice", "fish": "fish", "deer": "deer", "wolf": "wolves", "tomato": "tomatoes",
    "glass of wine": "glasses of wine", "scissors": "scissors", "glasses": "glasses", "fries": "fries",
    "cherries": "cherries", "grapes": "grapes", "octopus": "octopuses", "hot dog": "hot dogs", "bus": "buses",
    "piece of cheese": "pieces of cheese", "snowman": "snowmen", "loaf of bread": "loaves of bread",
    "maple leaf": "maple leaves",
}  # fmt: skip

# name [= icon] [: natural colour] [| other words for it]
_NOUNS = """
cat=cat-face | kitten, kitty
dog=dog-face : brown | puppy
horse : brown | pony
cow=cow-face | bull
pig=pig-face : pink | piglet
sheep=ewe : white | lamb
rabbit=rabbit-face | bunny, hare
mouse=mouse-face : gray
bear : brown
panda
koala : gray
lion : yellow
tiger=tiger-face : orange
fox : orange
wolf : gray
monkey=monkey-face : brown | ape
elephant : gray
camel=two-hump-camel
frog : green | toad
turtle : green | tortoise
snake : green
crocodile : green | alligator
dragon=dragon-face : green
unicorn
duck
owl : brown
rooster | chicken, hen
penguin
chick=front-facing-baby-chick : yellow
fish : blue
shark
dolphin : blue
whale=spouting-whale : blue
octopus
crab : red | lobster
snail
butterfly
bee=honeybee | wasp
ladybug=lady-beetle : red | beetle, ladybird
spider
apple=red-apple : red
pear : green
banana : yellow
lemon : yellow
orange=tangerine : orange | tangerine, mandarin
strawberry : red
cherries : red | cherry
grapes : purple | grape
watermelon : red | melon
pineapple
peach
tomato : red
carrot : orange
corn=ear-of-corn : yellow | maize
mushroom : red | toadstool
avocado : green
loaf of bread=bread : brown | bread
piece of cheese=cheese-wedge : yellow | cheese
egg : white
burger=hamburger | hamburger, cheeseburger
pizza
hot dog=hot-dog
donut=doughnut | doughnut
cookie : brown | biscuit
cake=birthday-cake | birthday cake
ice cream=soft-ice-cream | ice-cream
lollipop
cup of coffee=hot-beverage | coffee, tea, cup
glass of wine=wine-glass | wine
beer=beer-mug : yellow
tree=deciduous-tree : green | oak
pine tree=evergreen-tree : green | fir, pine
palm tree=palm-tree : green | palm
cactus : green
rose : red
tulip : pink
sunflower : yellow
flower=blossom | daisy
clover=four-leaf-clover : green
maple leaf=maple-leaf | leaf
car=automobile : red | automobile
taxi : yellow | cab
bus
truck=delivery-truck | lorry, van
fire engine=fire-engine : red | fire truck
police car=police-car
tractor
bicycle | bike
train=locomotive | locomotive
airplane | plane, aeroplane, jet
helicopter
rocket | spaceship
boat=sailboat | sailboat, sailing boat, yacht
ship | liner, steamer
house | home, cottage
castle
tent
ferris wheel=ferris-wheel
soccer ball=soccer-ball | football, ball
basketball : orange
balloon : red
kite
gift=wrapped-gift | present
teddy bear=teddy-bear : brown | teddy, toy bear
guitar
violin : brown | fiddle
drum
trumpet : yellow
camera
telephone : red | phone
television | tv
laptop | computer
alarm clock=alarm-clock : red | clock
book=open-book
pencil
key : yellow
light bulb=light-bulb | lamp, bulb
candle
umbrella : purple
crown : yellow
top hat=top-hat : black | hat
dress
shoe=running-shoe | sneaker
backpack : red | bag, rucksack
bed
scissors
anchor
bell : yellow
trophy : yellow
ring
diamond=gem-stone : blue | gem, jewel
heart=red-heart : red
star : yellow
snowman : white
ghost : white
robot
alien
skull : white
pumpkin=jack-o-lantern : orange | jack-o-lantern
moon=crescent-moon : yellow | crescent
sun : yellow
rainbow
cloud : white
fire : orange | flame
snowflake : blue
"""


def _parse(line: str) -> Noun:
    line, _, also = line.partition("|")
    line, _, colour = line.partition(":")
    name, _, icon = line.partition("=")
    name = name.strip()
    words = tuple(word.strip() for word in also.split(",") if word.strip())
    return Noun(name, icon.strip() or name, _IRREGULAR.get(name) or _plural(name), colour.strip() or None, words)


NOUNS: tuple[Noun, ...] = tuple(_parse(line) for line in _NOUNS.strip().splitlines())
BY_NAME: dict[str, Noun] = {noun.name: noun for noun in NOUNS}

#: Nouns that are several things or no thing to count or recolour: never counted.
UNCOUNTED = frozenset({"scissors", "cherries", "grapes", "fire", "corn", "rainbow"})

#: The hands that drew the world's art: (icon set, adjective in captions).
HANDS: dict[str, tuple[str, str]] = {
    "noto": ("noto", "cartoon"),
    "fluent": ("fluent-emoji", "3d"),
    "flat": ("fluent-emoji-flat", "flat"),
    "twemoji": ("twemoji", "clip-art"),
}
#: How often each hand draws: one is the world's own, so that a plain prompt means one drawing and is learnt well.
HAND_SHARES: dict[str, float] = {"noto": 0.55, "fluent": 0.15, "flat": 0.15, "twemoji": 0.15}

#: Colours of grounds and of recoloured things: sRGB.
COLOURS: dict[str, tuple[int, int, int]] = {
    "red": (214, 48, 44),
    "orange": (240, 138, 36),
    "yellow": (248, 208, 60),
    "green": (62, 160, 78),
    "blue": (52, 104, 208),
    "purple": (132, 76, 184),
    "pink": (244, 146, 186),
    "brown": (128, 84, 54),
    "gray": (142, 144, 150),
    "black": (26, 26, 30),
    "white": (250, 250, 250),
}
#: Colours a thing may be repainted in (of these no shade is mistaken for another).
TINTS = ("red", "orange", "yellow", "green", "blue", "purple", "pink")

NUMBERS = {1: "one", 2: "two", 3: "three", 4: "four"}

RELATIONS: dict[str, tuple[str, ...]] = {
    "left of": ("to the left of", "left of", "on the left of"),
    "right of": ("to the right of", "right of", "on the right of"),
    "above": ("above", "over", "on top of"),
    "below": ("below", "under", "beneath"),
    "next to": ("next to", "beside", "and", "with"),
}

#: Places: name -> phrases; "plain" grounds are phrased by their colour.
PLACES: dict[str, tuple[str, ...]] = {
    "meadow": ("in a meadow", "on the grass", "in a green field", "in a field"),
    "beach": ("on the beach", "at the beach", "on the sand"),
    "snow": ("in the snow", "on a snowy field", "in winter"),
    "sea": ("in the sea", "on the sea", "on the water", "on the ocean"),
    "desert": ("in the desert", "in the dunes"),
    "mountains": ("in the mountains", "in front of mountains"),
    "forest": ("in a forest", "in the woods", "in the forest"),
    "city": ("in the city", "in a city street", "in front of a skyline"),
    "sky": ("in the sky", "in a blue sky", "among the clouds"),
    "sunset": ("at sunset", "in the sunset", "at dusk"),
    "night": ("at night", "under the stars", "in the moonlight"),
    "space": ("in space", "in outer space"),
}

#: Landscapes: pictures of a place alone. name -> phrases.
LANDSCAPES: dict[str, tuple[str, ...]] = {
    "river": ("a river", "a river landscape", "a winding river", "a stream"),
    "sea": ("the sea", "the ocean", "a seascape", "a sea"),
    "mountains": ("mountains", "a mountain landscape", "a mountain range", "snowy mountains"),
    "forest": ("a forest", "the woods", "trees in a forest"),
    "city": ("a city", "a city skyline", "a skyline"),
    "night sky": ("a night sky", "the night sky", "a starry night", "a starry sky"),
    "meadow": ("a meadow", "a green field", "a flower meadow"),
    "desert": ("a desert", "sand dunes", "a desert landscape"),
    "lake": ("a lake", "a quiet lake", "a pond"),
    "harbour": ("a harbour", "boats in a harbour", "a port"),
}
LIGHTS: dict[str, tuple[str, ...]] = {
    "day": ("", "", "", "on a sunny day", "in daylight"),
    "sunset": ("at sunset", "at dusk", "in the evening"),
    "night": ("at night", "in the moonlight"),
}

#: Drawing styles: name -> phrases before the subject; {} stands for the subject. Painters are in the public domain.
STYLES: dict[str, tuple[str, ...]] = {
    "oil": ("an oil painting of {}", "{}, oil on canvas", "{}, oil painting", "a Rembrandt painting of {}",
            "{} in the style of Rembrandt", "{} painted in oil"),
    "impressionist": ("an impressionist painting of {}", "{} in the impressionist style", "{}, impressionism",
                      "a painting of {} in the style of Claude Monet", "{} by Claude Monet",
                      "a painting of {} in the impressionist style of Claude Monet", "a Monet painting of {}",
                      "{} painted by Monet"),
    "van gogh": ("a painting of {} in the style of Vincent van Gogh", "{} by Van Gogh", "a Van Gogh painting of {}",
                 "{} in the style of Van Gogh", "a swirling painting of {}"),
    "pointillist": ("a pointillist painting of {}", "{}, pointillism", "{} in the style of Georges Seurat",
                    "{} made of dots"),
    "watercolour": ("a watercolor of {}", "a watercolour of {}", "{}, watercolor", "a watercolor painting of {}",
                    "{} in the style of William Turner", "{} in watercolor"),
    "woodblock": ("a woodblock print of {}", "a Japanese print of {}", "{} in the style of Hokusai",
                  "{}, ukiyo-e", "{} as a woodblock print"),
    "pixel art": ("pixel art of {}", "a pixel art {bare}", "{}, pixel art", "an 8-bit {bare}", "{} in pixel art"),
    "pencil": ("a pencil sketch of {}", "a pencil drawing of {}", "a sketch of {}", "{}, pencil drawing",
               "{} drawn in pencil"),
    "pop art": ("pop art of {}", "{}, pop art", "a pop art print of {}", "a comic of {}", "{} in pop art style"),
    "mosaic": ("a mosaic of {}", "{}, mosaic", "{} as a mosaic", "{} made of tiles"),
}  # fmt: skip
#: Painterly words that leave the style open: drawn from these.
PAINTED = ("oil", "impressionist", "van gogh", "pointillist", "watercolour")
#: What people say before what they want; none of it is to be seen.
REQUESTS = (
    "a picture of",
    "an image of",
    "an illustration of",
    "a drawing of",
    "draw",
    "please draw",
    "draw me",
    "show me",
    "i want to see",
    "can you draw",
    "make a picture of",
)
#: What people say of what they like; nothing of it is to be seen either.
PRAISE = ("cute", "beautiful", "nice", "little", "lovely", "funny", "happy")

#: People at work: occupation -> (icon stem, words).
OCCUPATIONS: dict[str, tuple[str, tuple[str, ...]]] = {
    "doctor": ("health-worker", ("doctor", "nurse", "health worker")),
    "judge": ("judge", ("judge",)),
    "mechanic": ("mechanic", ("mechanic",)),
    "pilot": ("pilot", ("pilot",)),
    "scientist": ("scientist", ("scientist",)),
    "teacher": ("teacher", ("teacher",)),
    "farmer": ("farmer", ("farmer",)),
    "cook": ("cook", ("cook", "chef")),
    "firefighter": ("firefighter", ("firefighter",)),
    "astronaut": ("astronaut", ("astronaut",)),
    "artist": ("artist", ("artist", "painter")),
    "builder": ("construction-worker", ("builder", "construction worker")),
}
PRESENTATIONS: dict[str, tuple[str, tuple[str, ...]]] = {
    "woman": ("woman-", ("woman", "female")),
    "man": ("man-", ("man", "male")),
    "person": ("", ("person",)),
}
TONES: dict[str, tuple[str, ...]] = {
    "light": ("light-skinned", "with light skin"),
    "medium-light": ("with medium-light skin",),
    "medium": ("with medium skin",),
    "medium-dark": ("with medium-dark skin",),
    "dark": ("dark-skinned", "with dark skin"),
}
#: Invented places, so that no real people is spoken of. name -> (ground, banner colours).
COUNTRIES: dict[str, tuple[str, str, str]] = {
    "Northmark": ("snow", "blue", "white"),
    "Sundale": ("desert", "yellow", "red"),
    "Eastmere": ("lake", "green", "white"),
    "Westhaven": ("sea", "red", "blue"),
    "Oakhollow": ("forest", "orange", "green"),
    "Highmoor": ("mountains", "purple", "yellow"),
}

_STOP_WORDS = """
a an the of in on at to and with by from it is are as some one's
over under beneath above below beside next left right top front back in-front behind near between among across
one two three four
picture image photo drawing painting print sketch art style made
very big small large little beautiful cute nice sunny bright dark light day time
my me i please draw show paint make want see
sitting standing swimming flying running wearing
"""
#: Words that name nothing to paint, and need no pointing out.
STOP_WORDS = frozenset(_STOP_WORDS.split())


#: What captions say beside the tables above.
CAPTION_WORDS = (
    "worker",
    "work",
    "working as",
    "a pair of",
    "there is",
    "there are",
    "on a background",
    "against a wall",
)


def phrase_words() -> set[str]:
    """Every single word that some caption of the world can hold, lower case."""
    tables = (RELATIONS, PLACES, LANDSCAPES, LIGHTS, STYLES, TONES)
    phrases = [phrase for table in tables for group in table.values() for phrase in group]
    phrases += [word for _, words in (*OCCUPATIONS.values(), *PRESENTATIONS.values()) for word in words]
    phrases += [noun.name for noun in NOUNS] + [noun.plural for noun in NOUNS]
    phrases += [word for noun in NOUNS for word in noun.also]
    phrases += [*REQUESTS, *PRAISE, *PLACES, *CAPTION_WORDS]
    phrases += [*COLOURS, *COUNTRIES, *NUMBERS.values(), *(word for _, word in HANDS.values())]
    cleaned = " ".join(phrases).replace("{}", " ").replace("{bare}", " ").replace(",", " ").replace("-", " ")
    return {word.lower() for word in cleaned.split()}


def known_words() -> set[str]:
    """Words that the world knows, lower case: what its captions hold, and small words that change nothing."""
    return phrase_words() | STOP_WORDS


def suggestions() -> list[str]:
    """Names to offer in place of a word the world does not know: things, places, landscapes, occupations."""
    return [noun.name for noun in NOUNS] + [*LANDSCAPES, *OCCUPATIONS]
