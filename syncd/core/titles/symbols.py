"""Names of functions as people say them, out of the spellings of compilers: mangled names, return types, template arguments, words of a
language, hashes. Pure; each name is passed over a fixed number of times."""

import re

_ITANIUM = re.compile(r"_{1,3}ZN?[VKrLRO]*(?=\d|S|T)")
_SWIFT = re.compile(r"(?:_?\$[sS]|_D)(?=\d)")
_MSVC = re.compile(r"\?{1,2}([01]?)(\w*)@((?:\w+@)*)@")
_STANDARD = {"St": "std", "Sa": "std::allocator", "Ss": "std::string", "So": "std::ostream"}
# What compilers of Swift and Mono, and writers of JavaScript's stacks, put in front of a function's own name.
_FRONT = re.compile(
    r"(?:(?:@objc|@nonobjc|specialized|static|merged|inlined|override|async|new|dispatch thunk of|vtable thunk for|override|outlined|implicit|partial apply(?: forwarder)? for"
    r"|curry thunk of|protocol witness for|(?:non-virtual|virtual) thunk to|thread-local wrapper routine for|\$defer #\d+(?: (?:<[^<>]{1,40}>)+)?(?: \(\))? in"
    r"|(?:generic |function signature )?specialization(?: <[^<>]{0,300}>)? of|\(\d+\) (?:suspend|await) resume partial function for|default argument \d+ of"
    r"|(?:implicit )?closure #\d+ in(?= (?:implicit )?closure #)|created by|unsafe|\(wrapper [\w -]{1,40}\)|\(\w+\) (?=[-+]\[)) )+"
)
_CONFORMANCE = re.compile(r" in conformance .*\Z", re.DOTALL)
_BUILD = re.compile(
    r"_m[0-9A-F]{40}(?:_\w+)?|_(?:gshared|AdjustorThunk|inline)\b|\$VARIANT\$\w+|\[abi:\w+\]|(?<=\w)@@?\d{1,4}\Z|(?<=lambda)_[0-9a-f]{16,}|\$\$forInline\Z"
    r"|\.cold(?:\.\d+)?\Z|\s<<.{0,300}\Z|::h[0-9a-f]{16}\Z|\s(?:const|volatile|noexcept|&&?)\Z|\s\+\s?\d+\Z|\+0x[0-9a-fA-F]+\Z|-impl\Z"
)
_LAMBDA = re.compile(
    r"\{lambda\([^{}]*\)(#\d+)?\}|'lambda(\d*)'\([^()]*\)|<lambda\([^()]*\)>|\(lambda at [^()]{0,300}\)"
)
_GENERIC = re.compile(r"`\d+(?:\[(?:[^\[\]]|\[[^\[\]]*\])*\])?")
_GO = re.compile(r"\[(?:\.\.\.|[^\]\[]{1,500}|(?:[^\]\[]|\[[^\]\[]*\]){1,500})\]")
_TRAIT = re.compile(r"<(.{1,1500}?) as (.{1,1500})>::")
_SHORT_TYPE = re.compile(
    r"[&*\s]*(?:mut |const |dyn )*(?:[A-Z]\w?|[iu](?:8|16|32|64|128|size)|f32|f64|str|bool|char|\[.*|\(.*|dyn .*|fn.*|impl .*)",
    re.DOTALL,
)
_OPERATOR = re.compile(
    r"(?<![\w$])operator\s?(?:\(\)|\[\]|->\*?|<=>|<<=?|>>=?|[<>]=?|[^\w\s(]{1,3}|\s?(?:new|delete)(?:\[\])?)?"
)
_UNDERSCORES = re.compile(r"\A(?:[_*]+|GI_+|imp_+|interceptor_+|(?:a|m|t|hwa|ub)san_(?=mem|str|unaligned))+")


def plain(name: str) -> str:
    """The name without what a compiler, a build or a language adds in front of it and behind it."""
    text = demangled(name.strip())
    text = _CONFORMANCE.sub("", _BUILD.sub("", _BUILD.sub("", text)))
    if front := _FRONT.match(text):
        text = text[front.end() :] or text
    return _without_return_type(text.strip()) or text


def demangled(name: str) -> str:
    """The nested name in a mangled symbol of C++ or Swift, without its types; any other name unchanged."""
    if (itanium := _ITANIUM.match(name)) and len(name) > itanium.end():
        return "::".join(_parts(name, itanium.end())) or name
    if swift := _SWIFT.match(name):
        return ".".join(_parts(name, swift.end(), "CVOFyE")) or name
    if msvc := _MSVC.match(name):
        scopes = [*(scope for scope in reversed(msvc[3].split("@")) if scope), msvc[2]]
        special = {"0": [msvc[2]], "1": [f"~{msvc[2]}"]}.get(msvc[1], [])
        return "::".join([*scopes, *special])
    return name


def _parts(name: str, place: int, kinds: str = "") -> list[str]:
    """The identifiers, each with its length in front, that begin at a place."""
    parts, depth = list[str](), 0
    while place < len(name) and len(parts) < 40:
        if name[place].isdigit():
            digits = re.compile(r"\d{1,4}").match(name, place)
            length = int(digits[0]) if digits else 0
            place = (digits.end() if digits else place + 1) + length
            if not depth and length:
                parts.append(name[place - length : place].replace("_GLOBAL__N_1", "(anonymous namespace)"))
        elif name[place : place + 2] in _STANDARD and not kinds:
            parts += [] if depth else [_STANDARD[name[place : place + 2]]]
            place += 2
        elif name[place] == "I" and not kinds:
            depth, place = depth + 1, place + 1
        elif name[place] == "E" and depth:
            depth, place = depth - 1, place + 1
        elif name[place : place + 2] in ("C1", "C2", "C3", "D0", "D1", "D2") and parts and not kinds and not depth:
            return [*parts, ("~" if name[place] == "D" else "") + parts[-1]]
        elif depth or name[place] in kinds:
            place += 1
        else:
            break
    return parts


def _without_return_type(name: str) -> str:
    """The name behind the last blank outside brackets, unless the blank belongs to it: operators, methods of Objective-C, closures."""
    if name.startswith(("-[", "+[", "_", "<")) or " in " in name or " at " in name or "'" in name.split("`")[0]:
        return name
    operator = _OPERATOR.search(name)
    end, depth, place = len(name) if operator is None else operator.start(), 0, 0
    for place in range(end - 1, -1, -1):
        sign = name[place]
        if sign in ">)]}" and not (sign == ">" and name[place - 1 : place] in ("-", "=")):
            depth += 1
        elif sign in "<([{" and depth:
            depth -= 1
        elif sign == " " and not depth:
            return name[place + 1 :].lstrip("*& ")
    return name


def _of_trait(name: str) -> str:
    """The method of a Rust trait under the name of its type; under that of the trait where the type has none."""
    trait = _TRAIT.match(name)
    if trait is None:
        return name
    of_type = _SHORT_TYPE.fullmatch(trait[1]) is None
    return f"{(trait[1] if of_type else trait[2]).lstrip('&* ').removeprefix('mut ')}::{name[trait.end() :]}"


def _arguments_cut(name: str, sign: str) -> str:
    """The name with `sign` for each list of template arguments."""
    pieces, depth, begin, place = list[str](), 0, 0, 0
    while place < len(name):
        if operator := _OPERATOR.match(name, place):
            place = operator.end()
            continue
        character = name[place]
        if character == "<" and (
            depth
            or (place and (name[place - 1].isalnum() or name[place - 1] in "_$" or name.startswith("::<", place - 2)))
        ):
            if not depth:
                pieces.append(name[begin:place].removesuffix("::"))
                begin = place
            depth += 1
        elif character == ">" and depth and name[place - 1] not in "-=":
            depth -= 1
            if not depth:
                pieces.append(sign)
                begin = place + 1
        place += 1
    return "".join([*pieces, sign if depth else name[begin:]])


def display(name: str) -> str:
    """The name for people: template arguments are `<…>`, and lambdas have no arguments."""
    text = _LAMBDA.sub(lambda match: f"{{lambda{match[1] or match[2] or ''}}}", _of_trait(name))
    text = _GENERIC.sub("", _arguments_cut(text, "<…>"))
    return " ".join((_GO.sub("[…]", text) if ".(" in text or "[go." in text or "[...]" in text else text).split())


def key(name: str) -> str:
    """The name for patterns: without template arguments, and without the underscores and marks in front that each platform adds."""
    text = _arguments_cut(_LAMBDA.sub("{lambda}", _of_trait(name)), "")
    return _UNDERSCORES.sub("", _GENERIC.sub("", text)) or text
