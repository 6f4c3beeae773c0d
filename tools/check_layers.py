#!/usr/bin/env python3
"""Checks who includes whom. Prints file:line and the rule for each violation.

The layers stand in one line, tools > gateway > actors > models > runtime > config: a file includes
its own folder and what is to the right of it. Between the actors' folders only interfaces,
messages and records are shared. Each third-party library has its place.
"""

import argparse
import os
import re
import sys

LAYERS = ["config", "runtime", "models", "actors", "gateway", "tools"]
INCLUDE = re.compile(r'\s*#\s*include\s*(?:"([^"]+)"|<([^>]+)>)')

# What the folders below `actors` and the gateway may know of another of these folders.
SHARED_ACTOR_HEADER = re.compile(r"(interface|messages|event|records|\w+_record|\w+_host)\.hpp$")

# Parents that spawn a child of another folder, and so include its header.
SPAWNS = {
    ("actors/job/job", "actors/engine/engine.hpp"),
    ("actors/node/device", "actors/agent/agent.hpp"),
    ("actors/node/node_tree", "actors/agent/agent_entry.hpp"),
    ("actors/node/node_tree", "actors/agent/agent_process.hpp"),
    ("actors/node/node_tree", "actors/agent/thread_worker.hpp"),
    ("actors/router/router", "actors/router/record_writer.hpp"),
}

# Third-party headers by prefix, and the files (a pattern on the path) that may include them.
# Tests may include anything but what has one file of its own.
THIRD_PARTY = [
    (("caf/",), r"(runtime|actors|gateway|tools)/"),
    (("CLI/",), r"(config|tools)/"),
    (("toml++/",), r"(config|models|tools/scenario)/"),
    (("lmdb.h",), r"runtime/"),
    (("spdlog/", "msgpack", "prometheus/", "boost/crc"), r"runtime/"),
    (("tl/",), r"(runtime|tools)/"),
    (("fmt/",), r"(runtime|gateway|tools)/"),
    (("openssl/",), r"(runtime|gateway|tools)/"),
    (("csv.h", "google/protobuf/"), r"models/"),
    (("torch/", "ATen/", "c10/", "caffe2/"),
     r"tools/(sample_models/|bench/(floor|forward_loop))|{torch_sources}"),
    (("boost/beast", "boost/asio", "boost/system"),
     r"gateway/(\w+/)*\w*(server|session)\w*\.[ch]pp$|tools/"),
    (("simdjson.h",), r"gateway/|tools/bench/floor"),
    (("zlib.h",), r"gateway/"),
    (("nlohmann/",), r"(runtime|gateway|tools)/"),
    (("histedit.h", "editline/"), r"tools/"),
    (("doctest/",), r"tests/"),
]
# These may stand in one file of the project, tests included.
IN_ONE_FILE = ("lmdb.h", "google/protobuf/")
SYSTEM_FOLDERS = ("sys", "arpa", "net", "netinet", "linux", "asm")


def find_sources(root):
    """Paths of all C++ files, relative to `root`, sorted."""
    found = []
    for top in LAYERS + ["tests"]:
        for folder, _, names in os.walk(os.path.join(root, top)):
            found += [os.path.relpath(os.path.join(folder, name), root) for name in names
                      if name.endswith((".hpp", ".cpp", ".h"))]
    return sorted(path.replace(os.sep, "/") for path in found)


def read_includes(root, path):
    """(line, quoted header or None, angle header or None) of each include."""
    with open(os.path.join(root, path), encoding="utf-8") as source:
        for number, text in enumerate(source, 1):
            match = INCLUDE.match(text)
            if match:
                yield number, match[1], match[2]


def torch_sources(root):
    """A pattern of the sources of target dim_models_torch, the only ones that may see LibTorch."""
    path = os.path.join(root, "models", "CMakeLists.txt")
    text = ""
    if os.path.exists(path):
        with open(path, encoding="utf-8") as source:
            text = source.read()
    library = re.search(r"dim_library\(models_torch\s+SOURCES(.*?)LINKS", text, re.DOTALL)
    names = library[1].split() if library else []
    return "|".join(f"models/{re.escape(name)}$" for name in names) or "(?!)"


def actor_folder(path):
    """"job" for "actors/job/job.hpp"; None for files that lie elsewhere."""
    parts = path.split("/")
    return parts[1] if parts[0] == "actors" and len(parts) > 2 else None


def check_project_include(root, path, header):
    """The rule that `path` breaks by including "header", or None."""
    top, target = path.split("/")[0], header.split("/")[0]
    # A header of messages is made from the file that describes them.
    source = header.replace(".pb.h", ".proto")
    if target not in LAYERS + ["tests"] or not os.path.exists(os.path.join(root, source)):
        return f'"{header}" is no path from the root'
    if top == "tests":
        return None
    if target == "tests" or LAYERS.index(target) > LAYERS.index(top):
        return f'{top} may not include "{header}" of {target}'
    return check_actor_include(path, header)


def check_actor_include(path, header):
    """Folders below `actors`, and the gateway, know others by interface and messages only."""
    theirs = actor_folder(header)
    ours = actor_folder(path)
    if theirs is None or theirs == ours or SHARED_ACTOR_HEADER.search(header):
        return None
    if ours is None and not path.startswith("gateway/"):
        return None
    if (path.rsplit(".", 1)[0], header) in SPAWNS:
        return None
    return f'"{header}" is not an interface, message or record, nor a child that this file spawns'


def check_library(path, header, torch):
    """The rule that `path` breaks by including <header>, or None."""
    for prefixes, places in THIRD_PARTY:
        if header.startswith(prefixes):
            allowed = re.match(places.format(torch_sources=torch), path)
            if allowed or path.startswith("tests/") and header not in IN_ONE_FILE:
                return None
            return f"<{header}> does not belong here"
    if "/" in header and header.split("/")[0] not in SYSTEM_FOLDERS:
        return f"<{header}> is of a library that the table in check_layers.py does not hold"
    return None


def check(root):
    """All violations as (path, line, rule)."""
    torch = torch_sources(root)
    first_use = {}
    for path in find_sources(root):
        for line, quoted, angled in read_includes(root, path):
            if quoted:
                rule = check_project_include(root, path, quoted)
            else:
                rule = check_library(path, angled, torch)
                for prefix in IN_ONE_FILE:
                    if angled.startswith(prefix) and first_use.setdefault(prefix, path) != path:
                        rule = f"<{angled}> is included by {first_use[prefix]} already"
            if rule:
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
