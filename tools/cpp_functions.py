"""Finds the functions of a C++ source: enough of the language to measure their length.

The text is read once. Comments and literals are blanked, then every brace is classed by what stands
before it: a namespace, a type, a function's body, or anything else (an initializer, a lambda in a
default argument). What is inside a function counts to that function.
"""

import re
from typing import NamedTuple

LITERAL = re.compile(
    r'//[^\n]*|/\*.*?\*/'
    r'|R"(?P<mark>[^()\\\s]{0,16})\(.*?\)(?P=mark)"'
    r'|"(?:\\.|[^"\\\n])*"'
    r"|(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])*'",
    re.DOTALL)
DIRECTIVE = re.compile(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", re.MULTILINE)
NAMESPACE = re.compile(r'\b(namespace|extern\s*"?"?)\s*[\w:]*(\s*\[\[.*\]\])?\s*$', re.DOTALL)
TYPE = re.compile(r"(template\s*<.*>\s*)?(typedef\s+)?(class|struct|union|enum)\b(?!.*\))",
                  re.DOTALL)
LABEL = re.compile(r"\s*(public|private|protected)\s*:(?!:)")
BEHAVIOUR = re.compile(r"\bbehavior(_type)?\b[^()]*\(|->\s*[\w:]*\bbehavior(_type)?\s*$")


class function(NamedTuple):
    """A function with a body: lines count from 1, both ends included."""
    name: str
    first_line: int
    last_line: int
    is_behaviour: bool

    @property
    def length(self):
        return self.last_line - self.first_line + 1


def blank_literals(text):
    """The text with comments, literals and directives replaced by blanks; lines stay in place."""
    def blank(match):
        return re.sub(r"[^\n]", " ", match[0])
    return DIRECTIVE.sub(blank, LITERAL.sub(blank, text))


def depth_of(head, opening, closing):
    return head.count(opening) - head.count(closing)


def class_of(head):
    """What the brace after `head` opens: "namespace", "type", "function" or "value"."""
    head = LABEL.sub(" ", head).strip()
    if NAMESPACE.search(head):
        return "namespace"
    if TYPE.match(head):
        return "type"
    if "(" not in head or depth_of(head, "(", ")") > 0:
        return "value"
    outside = re.sub(r"operator\s*[^\w\s(]+", "operator", strip_parentheses(head))
    if re.search(r"(?<![<>=!])=(?!=)", re.sub(r"<[^<>]*>", "", outside)):
        return "value"
    # In a constructor's initializer list a name stands before the brace of a member's value.
    if re.search(r"\)[^()]*(?<!:):(?!:)", head) and re.search(r"[\w>]\s*$", head):
        return "value"
    return "function"


def strip_parentheses(head):
    """The head without anything in parentheses."""
    previous = None
    while previous != head:
        previous, head = head, re.sub(r"\([^()]*\)", "", head)
    return head


def name_of(head):
    """The text before the parameter list; for a test case its sentence is gone, so TEST_CASE."""
    match = re.search(r"([\w:~]+|operator\s*[^\w\s(]+)\s*\(", head)
    return match[1].strip() if match else "function"


def matching_brace(text, start):
    """The position of the brace that closes the one at `start`."""
    depth = 0
    for match in re.compile(r"[{}]").finditer(text, start):
        depth += 1 if match[0] == "{" else -1
        if depth == 0:
            return match.start()
    return len(text) - 1


def find_functions(text):
    """All functions of a source, in order."""
    text = blank_literals(text)
    found = []
    head_start = 0
    position = 0
    boundary = re.compile(r"[;{}]")
    while match := boundary.search(text, position):
        position = match.end()
        head = text[head_start:match.start()]
        if match[0] != "{":
            if depth_of(head, "(", ")") <= 0:
                head_start = position
            continue
        kind = class_of(head)
        if kind in ("namespace", "type"):
            head_start = position
            continue
        position = matching_brace(text, match.start()) + 1
        if kind == "function":
            found.append(make_function(text, head_start, head, position))
            head_start = position
    return found


def make_function(text, head_start, head, end):
    head = LABEL.sub(lambda label: " " * len(label[0]), head)
    begin = head_start + len(head) - len(head.lstrip())
    first = text.count("\n", 0, begin) + 1
    last = text.count("\n", 0, end) + 1
    signature = head.strip()
    return function(name_of(signature), first, last, bool(BEHAVIOUR.search(signature)))
