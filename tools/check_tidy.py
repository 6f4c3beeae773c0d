#!/usr/bin/env python3
"""Checks the form of all hand-written code. Prints file:line and the rule for each violation.

Files, functions and lines have a largest size, headers are guarded, a source includes its own
header first, names say something. Data (.toml, .json), Markdown and generated files are exempt;
nothing else is.
"""

import argparse
import ast
import os
import re
import sys

from cpp_functions import find_functions

FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 70
BEHAVIOUR_LINES_MAX = 40
COLUMNS_MAX = 100

TOP = ["actors", "runtime", "models", "gateway", "config", "tests", "tools", ".ci"]
EXEMPT = (".toml", ".json", ".md", ".npy", ".csv", ".pem", ".pt", ".svg", ".ico", ".png")
VAGUE_NAME = re.compile(r"(^|_)(utils?|commons?|details?|helpers?)(_|\.|$)")
# Written apart, so that this file passes its own rule.
UNFINISHED = re.compile(r"\b(TO" "DO|FIX" "ME|X" "XX)\\b")
SHELL_FUNCTION = re.compile(r"(?:function\s+)?([\w-]+)\s*\(\)\s*\{\s*$")


def find_files(root):
    """Paths of all hand-written files, relative to `root`, sorted."""
    found = [name for name in os.listdir(root) if name == "CMakeLists.txt"]
    for top in TOP:
        for folder, _, names in os.walk(os.path.join(root, top)):
            if "__pycache__" not in folder:
                found += [os.path.relpath(os.path.join(folder, name), root) for name in names]
    return sorted(path for path in found if not path.endswith(EXEMPT))


def check_lines(lines):
    """Length of the file and of its lines, blanks at their ends, marks of unfinished work."""
    if len(lines) > FILE_LINES_MAX:
        yield len(lines), f"file has {len(lines)} lines, {FILE_LINES_MAX} are allowed"
    for number, line in enumerate(lines, 1):
        if len(line) > COLUMNS_MAX:
            yield number, f"line has {len(line)} columns, {COLUMNS_MAX} are allowed"
        if line != line.rstrip():
            yield number, "blanks at the end of the line"
        if "\t" in line:
            yield number, "a tab: indent with spaces"
        if UNFINISHED.search(line):
            yield number, "a mark of unfinished work: finish it, or write an issue"
    if lines and not lines[-1]:
        yield len(lines), "an empty line at the end of the file"


def check_path(path):
    """Names of files and folders that say nothing about what is in them."""
    for part in path.split("/"):
        if VAGUE_NAME.search(part):
            yield 1, f"'{part}' names no responsibility"


def check_size(name, first_line, length, limit=FUNCTION_LINES_MAX):
    if length > limit:
        yield first_line, f"{name} has {length} lines, {limit} are allowed"


def check_cpp(root, path, text, lines):
    for found in find_functions(text):
        limit = BEHAVIOUR_LINES_MAX if found.is_behaviour else FUNCTION_LINES_MAX
        yield from check_size(found.name, found.first_line, found.length, limit)
    if path.endswith((".hpp", ".h")):
        if "#pragma once" not in lines:
            yield 1, "header without #pragma once"
    yield from check_include_order(root, path, lines)


def check_include_order(root, path, lines):
    """Own header (a test's is the one it tests), then libraries, then the project."""
    includes = [(number, line.split()[1]) for number, line in enumerate(lines, 1)
                if re.match(r"#include [<\"]", line)]
    stem, suffix = os.path.splitext(path)
    own = f'"{stem}.hpp"'
    if suffix == ".cpp" and os.path.exists(os.path.join(root, stem + ".hpp")):
        if not includes or includes[0][1] != own:
            yield includes[0][0] if includes else 1, f"{own} is not the first include"
    has_own_first = path.startswith("tests/") or includes and includes[0][1] == own
    project = False
    for number, name in includes[1 if has_own_first else 0:]:
        if name.startswith("<") and project:
            yield number, f"{name} stands after the project's own headers"
        project = project or name.startswith('"')


def check_python(text):
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield from check_size(node.name, node.lineno, node.end_lineno - node.lineno + 1)


def check_shell(lines):
    name, first = None, 0
    for number, line in enumerate(lines, 1):
        match = SHELL_FUNCTION.match(line)
        if match:
            name, first = match[1], number
        elif name and line.startswith("}"):
            yield from check_size(name, first, number - first + 1)
            name = None


def check_file(root, path):
    """(line, rule) of each violation in one file."""
    with open(os.path.join(root, path), encoding="utf-8", newline="") as source:
        text = source.read()
    lines = text.split("\n")
    if lines[-1] == "":
        lines.pop()
    yield from check_path(path)
    yield from check_lines(lines)
    interpreter = lines[0] if lines and lines[0].startswith("#!") else ""
    if path.endswith((".cpp", ".hpp", ".h")):
        yield from check_cpp(root, path, text, lines)
    elif path.endswith(".py") or "python" in interpreter:
        yield from check_python(text)
    elif path.endswith(".sh") or interpreter.endswith("sh"):
        yield from check_shell(lines)


def check(root):
    """All violations as (path, line, rule)."""
    for path in find_files(root):
        for line, rule in check_file(root, path):
            yield path, line, rule


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", default=os.path.join(os.path.dirname(__file__), ".."))
    violations = list(check(parser.parse_args().root))
    for path, line, rule in violations:
        print(f"{path}:{line}: {rule}")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
