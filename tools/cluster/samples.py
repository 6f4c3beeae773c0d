"""The sample models, inputs and cabinets, made by `sample-models`."""

import hashlib
import json
import os
import subprocess
from typing import NamedTuple

from processes import ClusterError

NAMES = ["digits-linear", "digits-mlp", "digits-cnn", "standardize", "risk"]


class Model(NamedTuple):
    name: str
    file: str
    config: str
    digest: str


class Samples(NamedTuple):
    models: list
    # Held-out digits: {"raw": 64 pixels from 0 to 255, "x": from 0 to 1, "label": 0 to 9}.
    digits: list
    # A folder a node, with the node's cabinets.
    cabinets: str
    # What `sample-models` knows of its own answers.
    expected: dict


def make(programs, folder):
    """Makes the samples, unless those in `folder` are as new as the program."""
    program = os.path.join(programs, "sample-models")
    stamp = os.path.join(folder, "samples", "expected.json")
    if not os.path.exists(stamp) or os.path.getmtime(stamp) < os.path.getmtime(program):
        if subprocess.run([program, "--out", folder], stdin=subprocess.DEVNULL,
                          check=False).returncode != 0:
            raise ClusterError("sample-models did not make the models")
    else:
        print("the sample models are already there", flush=True)
    return Samples([read_model(folder, name) for name in NAMES],
                   read_json(folder, "digits.json")["digits"],
                   os.path.join(folder, "cabinets"), read_json(folder, "expected.json"))


def read_json(folder, name):
    with open(os.path.join(folder, "samples", name), encoding="utf-8") as file:
        return json.load(file)


def read_model(folder, name):
    base = os.path.join(folder, "models", name)
    file = os.path.join(base, "1", "model.pt")
    with open(file, "rb") as content:
        digest = hashlib.sha256(content.read()).hexdigest()
    return Model(name, file, os.path.join(base, "config.toml"), digest)
