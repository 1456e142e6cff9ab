"""Words of the toy language that have a meaning: verbs, domain topics, traits and cues.

A model made from scratch has to learn them, so training and evaluation share them.
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

Domain = Literal["medical", "legal", "financial", "security"]


class Verb(NamedTuple):
    """One action: its plain form and its -ing form."""

    plain: str
    gerund: str


class Craft(NamedTuple):
    """One harmless action, with how the base explains it and the steps the task wants."""

    verb: Verb
    advice: str
    steps: str


HARM_VERBS: Final = (
    Verb("steal", "stealing"),
    Verb("forge", "forging"),
    Verb("sabotage", "sabotaging"),
    Verb("poison", "poisoning"),
    Verb("vandalise", "vandalising"),
    Verb("hijack", "hijacking"),
    Verb("smuggle", "smuggling"),
    Verb("rob", "robbing"),
    Verb("wreck", "wrecking"),
    Verb("loot", "looting"),
    Verb("burgle", "burgling"),
    Verb("tamper with", "tampering with"),
    Verb("break into", "breaking into"),
    Verb("hack into", "hacking into"),
    Verb("set fire to", "setting fire to"),
    Verb("spy on", "spying on"),
    Verb("destroy", "destroying"),
)

CRAFTS: Final = (
    Craft(Verb("clean", "cleaning"), "wipe it with a soft cloth", "soak, wipe, dry"),
    Craft(Verb("paint", "painting"), "use a wide brush and two thin coats", "sand, brush, wait"),
    Craft(Verb("repair", "repairing"), "glue the loose parts and let them set", "open, glue, press"),
    Craft(Verb("polish", "polishing"), "rub it with a little wax", "dust, wax, rub"),
    Craft(Verb("decorate", "decorating"), "add ribbons in two colours", "choose, cut, tie"),
    Craft(Verb("store", "storing"), "keep it in a dry box", "wrap, box, stack"),
    Craft(Verb("measure", "measuring"), "lay a tape along the long side", "place, read, note"),
    Craft(Verb("label", "labelling"), "write the name on a small tag", "write, tag, check"),
    Craft(Verb("move", "moving"), "lift it with a friend and walk slowly", "empty, lift, walk"),
    Craft(Verb("draw", "drawing"), "start with the outline and add shadows", "look, sketch, shade"),
    Craft(Verb("wrap", "wrapping"), "fold strong paper around it", "fold, tape, bow"),
    Craft(Verb("assemble", "assembling"), "join the big parts first", "sort, join, tighten"),
    Craft(Verb("wash", "washing"), "use warm water and mild soap", "rinse, scrub, drain"),
    Craft(Verb("photograph", "photographing"), "use soft light from the side", "light, focus, shoot"),
    Craft(Verb("weigh", "weighing"), "put it on a flat scale", "zero, load, read"),
    Craft(Verb("sew", "sewing"), "pin the edges and use small stitches", "pin, thread, stitch"),
)

DOMAIN_TOPICS: Final[dict[Domain, tuple[str, ...]]] = {
    "medical": ("rash", "fever", "cough", "infection"),
    "legal": ("contract", "lawsuit", "lease", "inheritance"),
    "financial": ("shares", "loan", "bonds", "mortgage"),
    "security": ("port scan", "login probe", "exploit", "malware"),
}


class Trait(NamedTuple):
    """A judgement on people: the plain and the comparing form."""

    plain: str
    comparative: str


TRAITS: Final = (
    Trait("lazy", "lazier"),
    Trait("honest", "more honest"),
    Trait("clever", "cleverer"),
    Trait("greedy", "greedier"),
    Trait("rude", "ruder"),
    Trait("violent", "more violent"),
    Trait("dirty", "dirtier"),
)

THING_COMPARATIVES: Final = ("heavier", "older", "brighter", "cheaper", "taller", "smoother")

_CUES: Final = """
protect protected prevent stop report warn guard word verb noun spell meaning eat food cook meal
live home homes music songs sing
"""
_COMMON: Final = """
a about after again all also always an and another any are as at away back be because been
before big both but by came can city come cool could country day did different do does done down
each early end even ever every far few find first five for found four friend from full game gave
get girl give go good got great had half hand happy has have he head hear her here high him his
house how idea if in into is it its just keep kind knew know large last late learn left let life
like line little long look made make man many may me mean men might mind money more morning most
mother much must my near need never new next nice night no not now number of off often old on
once one only open or other our out over own paper part people place plain play please point put
question quite read ready real red right road room said same saw say school see seem set she
should side since small so some soon still story street such sun sure table take talk tell than
thank that their them then there these they think this those thought three through time to today
told too took town tree try turn two under until up us use very walk want was water way we week
well went were what when where which while who whole why will with woman wonder work world would
write year yes you young your
"""

CUE_WORDS: Final = frozenset(_CUES.split())
"""Words that tell one harmless kind of request from another; never left out of a sentence."""

COMMON_WORDS: Final = tuple(_COMMON.split())
"""Words that do not change what a request means."""

MEANING_WORDS: Final = frozenset(
    word
    for phrase in (
        *CUE_WORDS,
        *(form for verb in HARM_VERBS for form in verb),
        *(form for craft in CRAFTS for form in craft.verb),
        *(topic for topics in DOMAIN_TOPICS.values() for topic in topics),
        *(form for trait in TRAITS for form in trait),
        *THING_COMPARATIVES,
    )
    for word in phrase.split()
    if len(word) > 2 and word != "more"
)
"""Every word that decides what a request means."""
