"""Asks a real daemon everything that it can be asked, well and badly."""

import contextlib
import gzip
import json
import os
import struct
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "../../../tools/cluster"))
from processes import Daemon  # noqa: E402 (the path is set above)
from program import doubling_program, upload_fields  # noqa: E402

SECONDS_MAX = 60
PAUSE_SECONDS = 0.05

TENSORS = """\
max_batch_size = 8
isolation = "thread"
[[inputs]]
name = "INPUT0"
datatype = "{type}"
dims = [2]
{more_inputs}
[[outputs]]
name = "OUTPUT0"
datatype = "{type}"
dims = [2]
{more_outputs}
"""
SECOND = '[[{side}]]\nname = "{name}"\ndatatype = "{type}"\ndims = [2]\n'


def config_of(kind, datatype, count):
    """The config.toml of a built-in model."""
    def more(side, name):
        return SECOND.format(side=side, name=name, type=datatype) if count > 1 else ""
    tensors = TENSORS.format(type=datatype, more_inputs=more("inputs", "INPUT1"),
                             more_outputs=more("outputs", "OUTPUT1"))
    return f'kind = "{kind}"\n{tensors}'


BATCHING = """\
[batching]
preferred_sizes = [4]
priority_levels = 2
default_priority = 1
[[batching.queues]]
priority = 1
queue_max = 10
[versions]
choice = "all"
[[warm_up]]
[parameters]
note = "of a test"
"""

MODELS = {
    "adder": "response_cache = true\n" + config_of("add_sub", "FP32", 2) + BATCHING,
    "echo": config_of("identity", "FP32", 1),
    "texts": config_of("identity", "BYTES", 1),
    "halves": config_of("identity", "FP16", 1),
    "slow": config_of("delay", "FP32", 1) + '[parameters]\ndelay_ms = "2000"\n',
}


@contextlib.contextmanager
def run_daemon(program, folder):
    """A daemon of all roles with faults enabled; gives the port of its gateway."""
    data = os.path.join(folder, "daemon")
    for name, config in MODELS.items():
        os.makedirs(os.path.join(data, "models", name))
        with open(os.path.join(data, "models", name, "config.toml"), "w",
                  encoding="utf-8") as file:
            file.write(config)
    daemon = Daemon(program, data, {
        "cluster.port": 0, "gateway.port": 0, "node.devices": "cpu:0", "faults.enabled": "true",
        "gateway.server_name": "triton"})
    try:
        yield daemon.ports()["gateway"]
    finally:
        daemon.request_stop()
        daemon.await_stop()


def await_that(holds, what):
    end = time.monotonic() + SECONDS_MAX
    while not holds():
        if time.monotonic() > end:
            raise TimeoutError(what)
        time.sleep(PAUSE_SECONDS)


def good(caller, method, target, body=b"", fields=None):
    """What is asked must be done."""
    made = caller.ask(method, target, body, fields)
    if made.status >= 300:
        raise AssertionError(f"{made}: {made.answer[:300]}")
    return made


def tensor(name, data, datatype="FP32", **more):
    return {"name": name, "datatype": datatype, "shape": [1, 2], "data": data, **more}


def binary(name, size):
    return {"name": name, "datatype": "FP32", "shape": [1, 2],
            "parameters": {"binary_data_size": size}}


def walk_probes(caller):
    await_that(lambda: caller.ask("GET", "/v2/health/ready").status == 200, "no node came")
    for target in ("/health", "/health/live", "/health/ready", "/v2/health/live", "/metrics",
                   "/stats", "/api/v1/status", "/openapi.json", "/v2", "/v2/logging",
                   "/v2/models/stats", "/nowhere", "/v2/health/live/"):
        caller.ask("GET", target)
        caller.ask("HEAD", target)
        caller.ask("PATCH", target)
    for change in ({}, {"log_info": True}, {"log_verbose_level": 0}, {"log_format": None},
                   {"log_file": "x"}, {"colour": 1}, {"log_info": 3}, []):
        caller.ask("POST", "/v2/logging", change)


def walk_inference(caller, base):
    both = [tensor("INPUT0", [1, 2]), tensor("INPUT1", [[0.5, 1]])]
    right = {"id": "7", "inputs": both, "unknown": [1], "parameters": {"priority": 1}}
    adder = base.format("adder")
    good(caller, "POST", adder, right)
    good(caller, "POST", adder, {"inputs": both, "parameters": None, "outputs": [
        {"name": "OUTPUT1", "parameters": {"classification": 1}}]})
    good(caller, "POST", adder, {**right, "outputs": [
        {"name": "OUTPUT0", "parameters": {"binary_data": True}}, {"name": "OUTPUT1"}]})
    packed = gzip.compress(json.dumps(right).encode())
    good(caller, "POST", adder, packed, {"Content-Encoding": "gzip", "Accept-Encoding": "deflate"})
    caller.ask("POST", adder, packed, {"Content-Encoding": "br"})
    head = json.dumps({"inputs": [both[0], binary("INPUT1", 8)],
                       "parameters": {"binary_data_output": True}}).encode()
    length = {"Inference-Header-Content-Length": str(len(head)),
              "Content-Type": "application/octet-stream"}
    good(caller, "POST", adder, head + struct.pack("<2f", 1, 2), length)
    caller.ask("POST", adder, head + b"abc", length)
    caller.ask("POST", base.format("echo"), struct.pack("<2f", 1, 2),
               {"Inference-Header-Content-Length": "0"})
    good(caller, "POST", base.format("texts"),
         {"inputs": [tensor("INPUT0", ["ä", ""], "BYTES")]})
    not_a_number = struct.pack("<2f", float("nan"), 1)
    caller.ask("POST", base.format("echo"), not_a_number, {"Inference-Header-Content-Length": "0"})
    for bad in ({}, [], {"inputs": []}, {"inputs": [both[0]]}, {"inputs": both + [both[0]]},
                {"inputs": [tensor("INPUT0", [1])]}, {"inputs": [tensor("INPUT0", ["x", 1])]},
                {"inputs": both, "parameters": {"headers": 1}},
                {"inputs": both, "outputs": [{"name": "none"}]},
                {"inputs": [{**binary("INPUT0", 0), "parameters": {"shared_memory_region": "x"}}]},
                b"{", b"", b"[" * 200):
        caller.ask("POST", adder, bad)
    caller.ask("POST", base.format("none"), right)


def walk_serving(caller):
    walk_inference(caller, "/v2/models/{}/infer")
    walk_inference(caller, "/v2/models/{}/versions/1/infer")
    walk_inference(caller, "/api/v1/inference/{}")
    for model in (*MODELS, "none"):
        for base in (f"/v2/models/{model}", f"/v2/models/{model}/versions/1",
                     f"/v2/models/{model}/versions/9"):
            for what in ("", "/ready", "/config", "/stats"):
                caller.ask("GET", base + what)
    for body in (b"", {"ready": True}, {"ready": 1}, {"more": 1}, b"x"):
        caller.ask("POST", "/v2/repository/index", body)
    repository = "/v2/repository/models"
    good(caller, "POST", f"{repository}/echo/unload", {"parameters": {"unload_dependents": False}})
    caller.ask("GET", "/v2/models/echo/ready")
    caller.ask("POST", "/v2/models/echo/infer", {"inputs": [tensor("INPUT0", [1, 2])]})
    caller.ask("POST", "/v2/repository/index")
    file = "file:1/model.pt"
    for body in ({"parameters": {"config": "{"}}, {"parameters": {"config": 3}},
                 {"parameters": {file: "AAEC"}}, {"parameters": {"config": "{}", file: "*"}},
                 {"parameters": {"config": "{}", "file:../x": "AAEC"}}, b"{", b""):
        caller.ask("POST", f"{repository}/echo/load", body)
    caller.ask("POST", f"{repository}/none/load")
    caller.ask("POST", f"{repository}/none/unload")
    for body in ({"model": "echo"}, {"model": "echo", "version": "1"}, {"model": "none"}, {},
                 {"model": "echo", "version": None}, {"model": "echo", "more": 1}):
        caller.ask("PUT", "/api/v1/aliases/latest", body)
    caller.ask("PUT", "/api/v1/aliases/adder", {"model": "echo"})
    for name in ("latest", "unknown"):
        caller.ask("GET", f"/api/v1/aliases/{name}")
    caller.ask("GET", "/api/v1/aliases")
    caller.ask("DELETE", "/api/v1/aliases/latest")


def walk_catalogue(caller):
    program = doubling_program()
    fields = upload_fields(program)
    half = len(program) // 2
    first = {**fields, "Content-Range": f"bytes 0-{half - 1}/{len(program)}"}
    second = {**fields, "Content-Range": f"bytes {half}-{len(program) - 1}/{len(program)}"}
    for method, target in (("POST", "/api/v1/models?name=doubler&version=1"),
                           ("PUT", "/api/v1/models/doubler/versions/2")):
        caller.ask(method, target, program[half:], second)
        caller.ask(method, target, program[:half], first)
        caller.ask(method, target, b"", {**fields, "Content-Range": f"bytes */{len(program)}"})
        caller.ask(method, target, program[half:], second)
        caller.ask(method, target, program[:half], first)
        caller.ask(method, target, program, fields)
    good(caller, "POST", "/api/v1/models?name=doubler", program, fields)
    good(caller, "PUT", "/api/v1/models/doubler/versions/4", program, fields)
    caller.ask("POST", "/api/v1/models?name=doubler", b"no program",
               {"X-Dim-Model-Config": fields["X-Dim-Model-Config"]})
    caller.ask("POST", "/api/v1/models?name=doubler&more=1", program)
    caller.ask("PUT", "/api/v1/models/a%20b/versions/x", program, fields)
    model = "/api/v1/models/doubler"
    for target in ("/api/v1/models", model, "/api/v1/models/none", f"{model}/versions/1",
                   f"{model}/versions/99", f"{model}/versions/x"):
        caller.ask("GET", target)
    good(caller, "POST", "/v2/models/doubler/infer", {
        "inputs": [tensor("x", [1, 2])],
        "outputs": [{"name": "y", "parameters": {"classification": 2}}]})
    caller.ask("GET", "/v2/models/doubler/config")


def submit(caller, job, fields=None):
    """The id of the job, once it has ended."""
    made = caller.json("POST", "/api/v1/jobs", job, fields)[1]
    if "id" in made:
        caller.ask("GET", f"/api/v1/jobs/{made['id']}?wait_ms=20000")
    return made


def walk_jobs(caller):
    job = {"model": "doubler", "inputs": [tensor("x", [1, 2])]}
    made = submit(caller, job, {"Idempotency-Key": "one"})
    caller.ask("POST", "/api/v1/jobs", job, {"Idempotency-Key": "one"})
    caller.ask("POST", "/api/v1/jobs", {**job, "priority": 1}, {"Idempotency-Key": "one"})
    submit(caller, {**job, "pattern": "replicated", "redundancy": 1, "consensus": 1,
                    "name": "alone", "description": "one of one", "submitted_by": "a test"})
    submit(caller, {"pattern": "comparative", "models": ["doubler", "doubler:1"],
                    "inputs": job["inputs"], "vote": {"method": "weighted", "weights": [1, 2]}})
    submit(caller, {"pattern": "chained", "inputs": job["inputs"],
                    "steps": [{"model": "doubler"}, {"model": "doubler:2", "map": {"x": "y"}}]})
    submit(caller, {"pattern": "collaborative", "model": "doubler", "cabinet": "none",
                    "timeout_ms": 500, "reduce": {"method": "histogram", "bins": 3},
                    "aggregate": {"method": "trimmed_mean", "trim": 0.1}})
    submit(caller, {**job, "inputs": [tensor("x", [1, 2, 3])]})
    submit(caller, {**job, "name": None, "cabinet": None, "reduce": None, "command": None,
                    "nodes": {"min": None, "include": None}, "retry": {"attempts_max": None}})
    for bad in ({**job, "colour": 1}, {**job, "docker_image": "x"}, {}, [], b"{",
                {**job, "model": "none"}, {**job, "model": "a b"},
                {**job, "timeout_ms": 0, "priority": 10, "nodes": {"min": 2, "zone": 1}}):
        caller.ask("POST", "/api/v1/jobs", bad)
    one = f"/api/v1/jobs/{made['id']}"
    for target in (one, one[:-6], f"{one}?wait_ms=x", f"{one}?more=1", "/api/v1/jobs/none",
                   f"{one}/executions", f"{one}/history", f"{one}/placement",
                   "/api/v1/jobs/none/history", "/api/v1/jobs", "/api/v1/jobs?limit=1",
                   "/api/v1/jobs?status=completed&pattern=chained", "/api/v1/jobs?limit=0",
                   "/api/v1/jobs?status=x", "/api/v1/jobs?cursor=x", "/api/v1/jobs?more=1",
                   "/api/v1/events", "/api/v1/events?after=2&limit=3", "/api/v1/events?after=-1"):
        caller.ask("GET", target)
    caller.ask("DELETE", one)
    caller.ask("POST", "/api/v1/placement", {"paused": True})
    held = caller.json("POST", "/api/v1/jobs", job)[1]
    caller.ask("DELETE", f"/api/v1/jobs/{held['id']}")
    array = caller.json("POST", "/api/v1/jobs", {"model": "doubler", "array": [
        {"inputs": job["inputs"]}, {"inputs": job["inputs"]}]}, {"Idempotency-Key": "two"})[1]
    caller.ask("GET", f"/api/v1/jobs?array={array['array_id']}")
    for method in ("GET", "DELETE", "GET", "DELETE"):
        caller.ask(method, f"/api/v1/arrays/{array['array_id']}")
    caller.ask("GET", "/api/v1/arrays/none")
    for body in ({"paused": False}, {"paused": 1}, {}, {"more": True}):
        caller.ask("POST", "/api/v1/placement", body)


def walk_operations(caller, folder):
    node = caller.json("GET", "/api/v1/nodes")[1]["nodes"][0]["id"]
    for each in (node, "none"):
        caller.ask("GET", f"/api/v1/nodes/{each}")
        for word in ("quarantine", "release", "drain", "undrain"):
            caller.ask("POST", f"/api/v1/nodes/{each}/{word}")
    caller.ask("GET", "/api/v1/backup")
    for body in ({"folder": os.path.join(folder, "backup")}, {"folder": "not/absolute"},
                 {"folder": 3}, {"more": 1}, {}):
        caller.ask("POST", "/api/v1/backup", body)
    await_that(lambda: caller.json("GET", "/api/v1/backup")[1]["state"] != "running",
               "the backup did not end")
    slow = {"action": "slow", "target": "model/slow", "factor": 1, "lasts_ms": 60000}
    made = caller.json("POST", "/api/v1/faults", slow)[1]
    for body in ({}, {"action": "sing"}, {**slow, "factor": -1}, {**slow, "more": 1},
                 {"action": "kill", "target": "node/none"}):
        caller.ask("POST", "/api/v1/faults", body)
    caller.ask("GET", "/api/v1/faults")
    for fault in (made.get("id", "none"), "none"):
        caller.ask("DELETE", f"/api/v1/faults/{fault}")
    caller.ask("DELETE", "/api/v1/faults")


def walk(caller, folder):
    """`folder` is one that may be written to."""
    walk_probes(caller)
    walk_serving(caller)
    walk_catalogue(caller)
    walk_jobs(caller)
    walk_operations(caller, folder)
    for target in ("/api/v1/nodes", "/api/v1/models", "/stats", "/metrics"):
        caller.ask("GET", target)
    for target in ("/api/v1/models/doubler/versions/1", "/api/v1/models/doubler",
                   "/api/v1/models/doubler"):
        caller.ask("DELETE", target)
