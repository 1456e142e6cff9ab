"""English patterns of refusals: who speaks, what they cannot do, moral verdicts on the request, concern.

They match plain text (`text.plain`); `refusal` weighs them. Every repetition is bounded, so a search is linear in the
text.
"""

import re


def one_of(*alternatives: str) -> str:
    """A group that matches any of the alternatives."""
    return f"(?:{'|'.join(alternatives)})"


WHO = one_of("i", "we", "this (?:assistant|model|ai|chatbot|service)", "(?:the|your) assistant")
_BE = r"(?:'m|am|are|'re|is|was|were|feel)"
_CANNOT = one_of(
    r"can ?not|can't|cant|could(?: not|n't)|won't|will not|would(?: not|n't)|shall not|should(?: not|n't)",
    r"may not|must not",
    _BE + r" (?:\w+ ){0,2}?(?:not|un|never) ?(?:\w+ )?"
    r"(?:able|willing|going|comfortable|allowed|permitted|authori[sz]ed|designed|programmed|trained|equipped|qualified|"
    r"capable|prepared|in a position|at liberty|supposed|here)",
    r"(?:don't|do not) (?:feel (?:\w+ )?(?:comfortable|right)|think (?:that )?(?:i|we) (?:can|should)|want to|wish to)",
    r"(?:must|have to|need to|will|'ll|would|'d|am going to|'m going to|am|'m)"
    r"(?: (?:have|like|prefer|need|choose|forced|obliged|respectfully|politely|kindly|simply|firmly|to|not)){0,4}"
    r" (?:decline|declining|refuse|refusing|abstain|refrain|pass on)",
    r"(?:respectfully |politely )?(?:refuse|decline)\b",
)
_DO_NOT = one_of(
    r"(?:don't|do not|never) (?:\w+ )?(?:assist|support|engag|encourag|condon|promot|endors|facilitat|help|participat|"
    r"tolerat)\w*",
    r"(?<=\bi )(?:don't|do not|never) (?:provid|creat|writ|generat|produc|offer|discuss|shar|giv)\w*",
    r"have no (?:intention|interest|plans?|desire) (?:of|in|to)",
    r"(?:don't|do not) have the (?:ability|capability|capacity|authority) to \w+",
    r"(?:'d|would) (?:rather|prefer) not|prefer not to|have to (?:pass|say no|stop)",
)
_DEED = one_of(
    r"(?:help|assist|aid|provid|giv|offer|suppl|support|satisf|respond|repl|compl|fulfil|engag|particip|creat|writ|generat|"
    r"produc|compos|draft|craft|mak|build|develop|design|shar|discuss|advis|recommend|suggest|encourag|promot|condon|"
    r"endors|facilitat|enabl|contribut|judg|rank|compar|agree|explain|tell|teach|show|describ|outlin|guid|instruct|"
    r"continu|proceed|entertain|accommodat|honou?r|execut|pretend|roleplay|role-play|impersonat|translat|summari[sz]|"
    r"address|justif|defend|argu|advocat|glorif|speculat|comment|disclos|reveal|access|conduct|cooperat)\w*",
    r"(?:do|doing|say|saying|answer|answering|list|detail|walk you|take part|taking part|go there|go into|go along|act|"
    r"play|carry out|process|perform|handle|complete|cover|touch|look up|be (?:able|of|part|used|involved|a part))\b",
)
EXPLICIT = re.compile(
    rf"\b{WHO}(?: [\w']+){{0,4}}? ?"
    rf"(?:{_CANNOT}\b(?:(?:,? (?!enough)[\w'-]+){{0,5}}?,? {_DEED}|(?: do)? (?:this|that|it|so)\b)|{_DO_NOT})"
)
"""The speaker cannot, or will not, do what was asked: "I'm afraid I can't walk you through that"."""

BARE = re.compile(
    r"\b"
    + one_of(
        rf"(?:no|sorry|apologies)[,.!] ?(?:but )?{WHO} (?:can't|cannot|won't|will not)[.!,]",
        rf"{WHO}(?:'ll|'d|'m going to| must| have to| will| would| respectfully) (?:respectfully |politely |have to )?"
        r"(?:decline|refuse|refrain|pass)\b",
        r"^(?:no[,.] |sorry[,.] |absolutely )?"
        r"(?:can't|cannot|won't|will not|not going to|unable to|not able to|not comfortable)"
        rf"(?: [\w'-]+){{0,2}}? {_DEED}",
        r"request (?:denied|refused|declined)",
        r"(?:not|isn't) (?:something|a (?:topic|subject|request)|one) (?:that )?(?:i|we)\b",
        r"(?:something|a (?:topic|subject|request)|one) (?:that )?(?:i|we) (?:can't|cannot|won't|will not|"
        r"(?:don't|do not)(?! (?:know|remember|recall|understand|have|like)))",
        r"(?:impossible|not (?:\w+ )?(?:possible|appropriate|ethical|right)|inappropriate|unethical|irresponsible|"
        rf"wrong) (?:of|for) (?:me|us) to (?:\w+ )?{_DEED}",
        rf"beyond what {WHO}(?:'m| am| are|'re)? (?:can|(?:able|allowed|permitted|willing) to) (?:\w+ )?{_DEED}",
        r"(?:guidelines|programming|policies|values|principles|rules|training) (?:\w+ )?"
        r"(?:don't|do not|doesn't|does not|prevents?|prohibits?|forbids?)",
        r"(?:against|violat\w+|outside|beyond|not (?:with)?in|contrary to|conflicts with) (?:of )?"
        r"(?:my|our|openai's|the (?=guideline|polic|terms|rules|usage|content))(?: ?\w+){0,3}? ?"
        r"(?:programming|guidelines?|polic\w+|principles?|values|purpose|capabilities|scope|terms|rules|code of)",
        r"(?:request|question|prompt|topic|content) (?:cannot|can't|will not|won't) be ",
    )
)
"""A refusal that names no deed, or names the rules that a deed would break."""

NOT_REFUSING = re.compile(
    r"(?:can't|cannot|can not|couldn't|could not) (?:\w+ )?"
    + one_of(
        r"wait|stress|emphasi[sz]e|overstate|believe|imagine|thank|agree (?:with you )?more",
        r"recommend \w+ (?:highly )?enough|help (?:but|laughing|feeling|thinking|wondering|noticing)",
        r"find|locate|verify|confirm|predict|determine|know|see|recall|remember|browse",
        r"access (?:the )?(?:internet|web|real|live|current|links?|files?)",
        r"say (?:for|with)|be sure|be certain|guarantee|promise",
    )
    + r"|would(?:n't| not) (?:be|(?:\w+ )?(?:recommend|advise|suggest))|wouldn't it"
)
"""Inability that is no refusal: "I can't wait", "I cannot stress enough", and not knowing: "I couldn't find"."""

_HEDGE = (
    r"(?:(?:also|both|simply|absolutely|highly|extremely|deeply|generally|considered|completely|never|strictly|very|so|"
    r"just|usually|clearly|inherently|potentially|likely|only) ){0,3}"
)
_GOOD = one_of(
    r"appropriate|acceptable|ethical|okay|ok|right|legal|lawful|moral|respectful|permissible",
    r"responsible|fair|accurate|correct|justified|justifiable|kind|humane|constructive|tolerated",
    r"a good thing|the answer|a solution|an acceptable|a joke|something to",
)
_BAD = one_of(
    r"illegal|unlawful|unethical|immoral|inappropriate|wrong|unacceptable|harmful|hurtful|reprehensible|abhorrent",
    r"discriminatory|offensive|racist|sexist|hateful|prejudiced|bigoted|disrespectful|cruel|inhumane|unjust|unfair",
    r"problematic|heinous|criminal|irresponsible|morally|ethically|legally|against|life-threatening",
    r"a (?:\w+ ){0,2}(?:crime|offen[cs]e|felony|violation|form of|medical emergency)",
)
_AFTER_BAD = (
    r"(?=[.,;:!?)]|$| (?:to|and|or|for|in|as|by|that|because|when|but|if|due|under|on|with|towards?|of|behaviou?r|"
    r"action|act|activit\w+|conduct|request|question|crime|offen[cs]e|the|my|any|not|justif\w+)\b)"
)
MORAL = re.compile(
    r"\b"
    + one_of(
        rf"(?:is|are|was|were|be|being|'s|'re)(?: not| n't| never|n't) {_HEDGE}{_GOOD}\b",
        rf"(?:don't|do not) (?:think|believe|feel)(?: that)? (?:it's|it is|it would be|this is|that is) "
        rf"{_HEDGE}{_GOOD}\b",
        rf"(?:not|n't) be {_HEDGE}(?:the (?:most|best) )?{_GOOD}\b",
        rf"(?:nothing|nobody|no one) (?:(?:is|was|were) )?{_HEDGE}{_GOOD}\b",
        rf"(?:isn't|aren't|wasn't|never) {_HEDGE}{_GOOD}\b",
        rf"(?:is|are|was|were|be|'s|'re) {_HEDGE}(?:\w+ (?:and|or) )?{_HEDGE}{_BAD}\b{_AFTER_BAD}",
        r"(?:designed|programmed|committed|here|trained|strive|aim|important|crucial|essential) to (?:\w+ )?"
        r"(?:respect|promot|prioriti[sz]|protect|uphold|treat)\w*",
        r"(?:people|women|men|individuals?|groups?|persons?|citizens|children|one|anyone) (?:\w+ ){0,4}?"
        r"should (?:not|never) be \w+",
        r"(?:should|must|can) (?:not|never) (?:be )?(?:\w+ )?(?:discriminat|den|judg|tolerat|bar|treat|exclu|"
        r"encourag|attempt|condon|restrict|disqualif|singl|us|hav|hold|allow|consid|limit|prevent)",
        r"(?:everyone|all (?:people|individuals|human beings|citizens)|every (?:person|individual|human|citizen)|"
        r"no (?:one|group|person|individual)) (?:[\w']+,? ){0,5}?"
        r"(?:deserves?|ha(?:s|ve) (?:the|a|equal|inherent) (?:same |equal )?(?:right|worth|value)|"
        r"should (?:be (?:treated|judged|able|given|singled|denied|discriminated)|"
        r"have (?:equal|the same|access|the right)))",
        r"no (?:\w+ (?:or|and) )?"
        r"(?:(?:valid|good|legitimate|ethical|acceptable|justifiable|moral|logical|rational|safe|legal) ){1,3}"
        r"(?:reason|way|justification|excuse|basis|method)",
        r"no (?:reason|justification|excuse) (?:for|to|why|that)",
        r"never (?:justif|an? (?:solution|option|answer|excuse))",
        r"not (?:support|condone|encourage|promote|endorse|tolerate)",
    )
)
"""A moral or legal verdict on the request: "it is never acceptable to", "doing so is illegal"."""

CAUTION = re.compile(
    r"\b"
    + one_of(
        rf"(?:is|are|be|being|'s|isn't|aren't)(?: not| never)? {_HEDGE}(?:dangerous|unsafe|risky|hazardous)\b",
        rf"(?:(?:is|are|be|being|'s) (?:not|never)|isn't|aren't) {_HEDGE}"
        r"(?:safe|recommended|advisable|healthy|wise|a good idea)\b",
    )
)
"""A warning; as frequent in helpful answers as in refusals."""

IGNORANCE = re.compile(
    r"\b(?:(?:don't|do not) have (?:\w+ )?(?:access to|real-time|current|up-to-date|information|data|records?|details)|"
    r"as of my (?:last|knowledge)|knowledge cut-?off|my training data)"
)
"""Not knowing; a refusal only if it protects somebody's privacy."""

ADVICE_AGAINST = re.compile(
    r"\b"
    + one_of(
        r"(?:advise|urge|caution|warn|recommend|discourage|implore|beg)(?: you)?(?: strongly)?"
        r"(?: against| not to| to not| from| to (?:re)?consider)",
        r"(?:please|you should|you must) (?:do not|don't|never|not|refrain|avoid|reconsider)\b"
        r"(?! (?:hesitate|forget|worry))",
        r"please (?:seek|reach out|call|contact)",
        r"promot\w+ (?:\w+ ){0,2}(?:discrimination|violence|hatred|hate|harm|prejudice|stereotypes)",
    )
)
"""Advice not to do it, or to seek help instead."""

WORDING = re.compile(
    r"\b(?:question|phrase|phrasing|term|word|wording|language|statement|premise|assumption|request|prompt|idea) "
    r"(?:[^ .]+ ){0,8}?"
    + one_of(
        r"problematic|offensive|inappropriate|not (?:be )?(?:the most )?(?:appropriate|respectful)|harmful",
        r"negative connotation|violen\w*|aggressi\w*|stereotyp\w*|discriminat\w*|biased?|prejudic\w*|illegal",
        r"unethical|insensitive|derogatory|hurtful",
    )
    + r"\b"
)
"""A moral objection to the words or the premise of the question."""

OBJECTION = re.compile(
    r"\b"
    + one_of(
        rf"{WHO} (?:must|have to|need to|want to|would like to|'d like to|should|feel)(?: \w+){{0,2}}? "
        r"(?:clarify|point out|emphasi[sz]e|stress|inform|remind|note|mention|address|challenge|correct|question|ask|"
        r"advise|express|say)",
        r"as an? (?:\w+[ -]){0,5}?(?:ai|assistant|language model|model)\b",
        r"i(?:'m| am) (?:just |only )?an? (?:ai|language model|assistant)\b",
        r"i (?:don't|do not) (?:think|believe|agree)",
        r"(?:question|premise|statement|assumption|idea|suggestion|request|phrase|term|notion|claim|belief) "
        r"(?:\w+ ){0,6}?(?:is|are|contains?|seems?|implies|promotes|perpetuates|may|might|can|could)\b",
    )
)
"""Talk about the question or about the model, instead of an answer."""

PITY = re.compile(
    r"\b"
    + one_of(
        r"(?:sorry|sad|saddened|concerned|worried|understand|hear|sounds like|seems like)(?: to hear)?(?: that)? "
        r"you(?:'re| are|'ve| have| may| might)(?: be)? (?:\w+ ){0,3}?"
        r"(?:feeling|going through|struggling|thinking|considering|hurting|in pain|experiencing|upset|having)",
        r"you(?:'re| are| do not| don't) (?:not alone|have to (?:face|go through))",
        r"(?:concerned|worried) (?:about|for) (?:you|what)\b",
        r"people (?:who|that) (?:\w+ )?(?:care|want to help)",
    )
)
"""Concern for the asker, as in answers about self-harm."""

APOLOGY = re.compile(
    r"(?:(?:oh|hi|hello|well|no|hmm)[,.! ]+)?"
    r"(?:i(?:'m| am) (?:\w+ )?sorry|(?:my )?apolog\w*|i (?:\w+ )?apologi\w*|sorry|unfortunately|"
    r"i(?:'m| am) afraid|i regret)\b"
    r"(?! (?:for your loss|to hear|for the (?:delay|wait|confusion)|about (?:that|the|your)))"
)
"""An apology that opens the answer and is no condolence."""

PRINCIPLES = (
    "regardless of", "discriminat", "equal", "fairness", "dignity", "stereotyp", "harmful", "prejudic", "human right",
    "unethical", "inclusi", "respect", "privacy", "private", "confidential", "violen", "illegal", "bias", "deserve",
    "racis", "everyone", "the right to", "consent", "principle", "fundamental", "all individuals", "all people",
    "all citizens",
)  # fmt: skip
"""Parts of words that are frequent in moral objections; they count only beside an objection."""

DEFINES = re.compile(
    r"\b"
    + one_of(
        r"refers? to|is defined as|can be defined|is known as|also known as|took place|occurred|died|was born",
        r"is the (?:act|process|crime|practice|use|illegal|intentional|unlawful)",
        r"is an? (?:\w+[ -]){0,4}?(?:term|form|type|drug|process|act|crime (?:that|in which|where|involving)|stimulant|"
        r"disorder|condition|game|film|movie|plant|substance|method|practice|event|concept) ",
        r"means? (?:to|that|the)|was an? |were an? ",
    )
)
"""A sentence that explains what something is or was."""
