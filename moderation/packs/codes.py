"""Every diagnostic of the rule files: its stable code, what it says, and the cure.

`codes.md`, beside this file, explains each one, with an example where a pack can show it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib.resources import files

from moderation.errors import Diagnostic, Severity


@dataclass(frozen=True, slots=True)
class Code:
    """A kind of diagnostic. `message` and `hint` are format strings over the values that the finding gives."""

    code: str
    message: str
    hint: str = ""
    severity: Severity = "error"


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a code means. `example` has the fault, `fixed` has not; both empty where no pack can show it."""

    code: str
    severity: Severity
    title: str
    text: str
    example: str = ""
    fixed: str = ""


def _codes(*codes: Code) -> dict[str, Code]:
    return {code.code: code for code in codes}


CODES = _codes(
    # Files and YAML
    Code("M001", "this is not YAML: {problem}", "check indentation, quotes and colons on this line and the one before"),
    Code("M002", "not UTF-8: byte {byte}", "save the file as UTF-8"),
    Code("M003", "the file is empty", "start with `pack: language/name`, or delete the file"),
    Code(
        "M004",
        "anchors and aliases are not allowed",
        "write the value out, or use a list under `lists`; quote `*` and `&`",
    ),
    Code("M005", "tags are not allowed: `{tag}`", "write the plain value"),
    Code("M006", "the file is larger than {limit} bytes", "split the pack, or move terms to a list file"),
    Code("M007", "a second document starts here", "one pack a file: remove the `---`"),
    Code("M008", "a key must be a text", "write a plain word, or quote the text"),
    Code("M009", "`{key}` stands here a second time, after line {first}", "merge the two, or rename one"),
    Code("M010", "cannot be read: {problem}", "check the path and its permissions"),
    Code("M011", "no rules here: no file that ends in .yaml", "name a folder of packs, or one pack file"),
    Code("M012", "a control character, U+{character}", "delete it: a file of rules holds text only"),
    Code("M013", "nested more than {limit} levels deep", "divide the condition into several rules"),
    Code("M014", "more than {limit} values in one file", "split the pack, or move terms to a list file"),
    Code("M015", "merge keys are not allowed", "write the keys out; quote `<<` if it is meant as a text"),
    Code("M016", "a {found} stands here, not a {expected}", "{cure}"),
    Code("M017", "more than {limit} findings in this file: the rest is left out", "mend these first"),
    Code("M018", "a link that leads out of the rules folder", "put the file itself below the folder"),
    # Shape
    Code("M020", "unknown key `{key}`"),
    Code("M021", "`{key}` is missing"),
    Code("M022", "expected {expected}, found {found}"),
    Code("M023", "`{value}` is not one of {choices}"),
    Code("M024", "{problem}, found {value}"),
    Code("M025", "`{value}` is not a valid id", "use lower-case letters, digits and hyphens{slash}"),
    Code("M026", "a condition has exactly one kind, this one has {kinds}", "{cure}"),
    Code("M027", "`{option}` does not go with `{kind}`", "{cure}"),
    Code("M028", "`{value}` is not a date", "write it as 2026-11-23 or 2026-11-23T08:00:00+08:00"),
    Code("M029", "`{name}` is not available in this version", "remove it"),
    # Meaning
    Code("M030", "the id `{id}` is taken, at {other}", "ids are unique {scope}"),
    Code("M031", "no list `{name}` in this pack"),
    Code("M032", "the list file `{name}` cannot be read: {problem}", "the path starts at the pack's own folder"),
    Code("M033", "the list file `{name}` lies outside of the rules folder", "keep lists below the folder of the packs"),
    Code(
        "M034",
        "`{term}` folds to nothing: it can never be found",
        "write what a reader sees",
    ),
    Code("M035", "`{tag}` is not a language code"),
    Code("M036", "`{glob}` matches no pack"),
    Code("M037", "`{field}` is not one of the policy's text fields", "add it to `fields` in policy.yaml: {known}"),
    Code(
        "M038",
        "an allow rule needs `over`: the categories that it overrides",
        "say them here, or in policy.yaml for all",
    ),
    Code("M039", "`over` goes with `verdict: allow` only", "remove it"),
    Code("M040", "`{kind}` needs {least} at least", "add what is missing, or remove it"),
    Code("M041", "only terms, list and regex conditions can stand here, not `{kind}`", "combine them by `all` instead"),
    Code("M042", "`until` is not after `from`: the rule would never hold", "exchange them, or remove one"),
    Code("M043", "no reason in `{language}`", "reasons are given in en and zh"),
    Code("M044", "no example to {kind}", "give at least one post that {does}"),
    Code("M045", "the regex does not compile: {problem}"),
    Code("M046", "the regex matches the empty text", "make some part of it required"),
    Code(
        "M047",
        "a repeat inside a repeat can read the same text in exponentially many ways",
        "repeat once, bound both by little, or keep what was read: `++`, `(?>…)`",
    ),
    Code("M048", "a policy and no pack: nothing could ever be found", "put a pack beside it, as in zh/spam.yaml"),
    Code("M049", "`{tag}` is a language, but detection cannot tell it"),
    Code(
        "M050",
        "the regex is too large: it demands more than {limit} characters, or nests more than {depth} groups",
        "repeat less, as in `[0-9]{{20,}}`",
    ),
    Code("M051", "`{construct}` is not supported in regexes of packs", "write the pattern without it"),
    Code(
        "M052",
        "the parts of `near` look at different views: places in one say nothing about places in the other",
        "use one `view` for all of them",
    ),
    Code(
        "M053",
        "the parts of `near` look in different fields, and `near` holds within one",
        "give them a field in common",
    ),
    Code("M054", "`{key}` compares numbers and dates, not `{value}`", "write 7 or 2026-11-23, or use `eq` or `in`"),
    Code("M055", "no value passes all these tests", "remove one of them"),
    Code("M056", "the policy lets detection name other languages than `{tag}`: this can never hold"),
    Code("M057", "the model `{name}` cannot be used: {problem}", "train it again, or restore the file"),
    Code("M058", "the model has no head for `{category}`"),
    Code(
        "M059",
        "a term of {characters} characters, as it is folded: {limit} are possible",
        "a post has to hold all of it: look for a telling part, or for parts by `all`",
    ),
    # Warnings
    Code("M060", r"`\b` finds no boundary between Han and Latin letters", "use `edges: script`", "warning"),
    Code("M061", "the folded text never holds `{found}`", "write `{folded}`, or use `view: original`", "warning"),
    Code("M062", "the list `{name}` is not used", "remove it, or name it in a condition", "warning"),
    Code("M063", "no route reaches the live pack `{pack}`", "", "warning"),
    Code("M064", "`{term}` repeats `{other}` of line {first}: they fold alike", "remove one of them", "warning"),
    Code(
        "M065",
        "`{phrase}` can take no hit back: it overlaps none of the terms",
        "an exception holds one of the terms, as 微信支付 holds 微信",
        "warning",
    ),
    Code("M066", "no rule has the category `{category}`", "", "warning"),
    Code(
        "M067",
        "`{term}` has no letter of a script that {languages} is written in: it never hits",
        "move it to another pack",
        "warning",
    ),
    Code("M068", "`resist` is about terms, and there are none here", "remove it: regexes see what they say", "warning"),
    Code(
        "M069",
        "too short for tricks of evasion: `{terms}`{more}",
        "nothing is wrong: they are found as they are written, and by what is always seen through",
        "warning",
    ),
    Code(
        "M070",
        "`{term}` is one term, with the `{mark}` in it",
        "if these are several: `[a, b]` has an ASCII comma between terms, a list file a line for each",
        "warning",
    ),
    Code(
        "M071",
        "`{term}` is looked for with its quotation marks",
        "leave them off: YAML's own are ' and \", and a list file needs none",
        "warning",
    ),
    Code(
        "M075",
        "the policy names no `classifier`: this condition stays unknown",
        "add `classifier: models/feed.npz` to policy.yaml",
        "warning",
    ),
    Code(
        "M076",
        "the classifier alone blocks here, and no linear model is that precise",
        "flag, or ask for terms beside it",
        "warning",
    ),
    # Examples
    Code("M080", "the example should {kind}, but {saw}"),
)


def diagnostic(
    code: str,
    path: str,
    line: int = 1,
    column: int = 1,
    length: int = 1,
    source_line: str = "",
    hint: str = "",
    **values: object,
) -> Diagnostic:
    """A finding of the given code; `hint` replaces or stands in for the code's own."""
    kind = CODES[code]
    message = kind.message.format(**values)
    return Diagnostic(
        path, line, column, code, message, length, hint or kind.hint.format(**values), kind.severity, source_line
    )


def explain(code: str) -> Explanation:
    """What a code means, in a paragraph. Raises KeyError for a code that there is not."""
    kind = CODES[code]
    handbook = files("moderation.packs").joinpath("codes.md").read_text("utf-8")
    found = re.search(rf"^## {code} (.+)\n\n((?:(?!##).*\n?)*)", handbook, re.MULTILINE)
    title, body = found.groups() if found else ("", "")
    blocks = re.findall(r"```yaml\n(.*?)```", body, re.DOTALL)
    text = re.sub(r"```yaml\n.*?```", "", body, flags=re.DOTALL)
    return Explanation(code, kind.severity, title, " ".join(text.split()), *blocks[:2])
