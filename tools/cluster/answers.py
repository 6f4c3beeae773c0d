"""One job of each pattern, and what its answer must be."""

import math
from typing import NamedTuple

TOLERANCE = 1e-5


class Verdict(NamedTuple):
    """What a finished job answered, in words, beside what it should have."""
    answer: str
    expected: str
    verification: str
    is_right: bool


class Case(NamedTuple):
    """A job to submit, and the function that judges it once it is done."""
    job: dict
    judge: object


def digit_input(pixels):
    return [{"name": "x", "datatype": "FP32", "shape": [1, len(pixels)], "data": pixels}]


def label_of(job):
    """The digit with the highest score in the job's first output."""
    scores = job["result"]["outputs"][0]["data"]
    return str(max(range(len(scores)), key=scores.__getitem__))


def label_verdict(job, digit, verification, is_verified=True):
    expected = str(digit["label"])
    answer = label_of(job)
    return Verdict(answer, expected, verification, answer == expected and is_verified)


def single(digit):
    job = {"name": "one digit", "pattern": "single", "model": "digits-mlp",
           "inputs": digit_input(digit["x"])}
    return Case(job, lambda done: label_verdict(done, digit, "-"))


def replicated(digit):
    job = {"name": "agreed digit", "pattern": "replicated", "model": "digits-cnn",
           "redundancy": 3, "consensus": 2, "inputs": digit_input(digit["x"])}

    def judge(done):
        verified = done["result"]["verification"]
        agreeing = len(set(verified["agreeing_nodes"]))
        is_verified = (verified["reached"] and agreeing >= 2 and not verified["disagreeing_nodes"])
        return label_verdict(done, digit, f"{agreeing} of {verified['votes']} agree", is_verified)
    return Case(job, judge)


def comparative(digit):
    models = ["digits-linear", "digits-mlp", "digits-cnn"]
    job = {"name": "voted digit", "pattern": "comparative", "models": models,
           "vote": {"method": "majority"}, "inputs": digit_input(digit["x"])}

    def judge(done):
        result = done["result"]
        expected = str(digit["label"])
        voters = len(result["participants"])
        is_right = result["label"] == expected and voters == len(models)
        return Verdict(result["label"], expected,
                       f"{result['agreement_ratio']:.0%} of {voters} votes", is_right)
    return Case(job, judge)


def chained(digit):
    # The first step takes brightness from 0 to 255, as a camera would give it.
    job = {"name": "standardized digit", "pattern": "chained", "inputs": digit_input(digit["raw"]),
           "steps": [{"model": "standardize"}, {"model": "digits-mlp"}]}
    return Case(job, lambda done: label_verdict(done, digit, "-"))


def collaborative(expected):
    """`expected` holds the model's mean over every node's records, computed without a cluster."""
    rows_of = {node["name"]: node["rows"] for node in expected["nodes"]}
    job = {"name": "mean risk", "pattern": "collaborative", "model": "risk",
           "cabinet": "patients", "nodes": {"min": len(rows_of)}}

    def judge(done):
        result = done["result"]
        mean, rows = expected["mean_risk"], expected["rows"]
        answer = result["outputs"][0]["data"][0]
        found_rows = sorted(one["rows"] for one in result["participants"])
        is_right = (math.isclose(answer, mean, rel_tol=TOLERANCE) and result["rows"] == rows
                    and found_rows == sorted(rows_of.values()) and not result["partial"])
        return Verdict(f"{answer:.7f}", f"{mean:.7f}", f"{result['rows']} of {rows} rows",
                       is_right)
    return Case(job, judge)


def cases(made):
    """One case of each pattern, most with a digit of their own."""
    digits = {digit["label"]: digit for digit in made.digits}
    return [single(digits[3]), replicated(digits[7]), collaborative(made.expected),
            comparative(digits[5]), chained(digits[8])]
