#!/usr/bin/env python3
"""Makes sample models, starts a local cluster, runs one job of each pattern and prints the answers.

Then the cluster stays up until it is interrupted; with --once it is stopped, and the exit status
is 0 only if every answer was right and every process ended as it should.
"""

import argparse
import datetime
import json
import os
import signal
import subprocess
import sys
import time

import answers
import samples
from command import Command
from processes import Cluster, ClusterError

NODES = ["node-1", "node-2", "node-3"]
ONLINE_SECONDS_MAX = 60
PAUSE_SECONDS = 0.1


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--programs", required=True, help="folder of dimd, dim and sample-models")
    parser.add_argument("--data", default="dim-data", help="folder for all that is kept")
    parser.add_argument("--once", action="store_true", help="stop the cluster after the jobs")
    return parser.parse_args()


def await_nodes(dim):
    """Waits until every node is online; returns id -> name."""
    end = time.monotonic() + ONLINE_SECONDS_MAX
    while True:
        nodes = dim.call("nodes")["nodes"]
        online = {node["id"]: node["name"] for node in nodes if node["status"] == "online"}
        if sorted(online.values()) == NODES:
            return online
        if time.monotonic() > end:
            raise ClusterError(f"of {NODES}, only {sorted(online.values())} came online")
        time.sleep(PAUSE_SECONDS)


def push_models(dim, models):
    """Uploads each model whose file the catalogue does not hold yet."""
    held = {(model["name"], model["digest"]) for model in dim.call("models")["models"]}
    for model in models:
        if (model.name, model.digest) in held:
            print(f"{model.name}: already in the catalogue", flush=True)
        else:
            pushed = dim.call("push", model.name, model.file, "--config", model.config)
            print(f"{pushed['name']}:{pushed['version']} pushed", flush=True)


def milliseconds_between(start, end):
    parse = datetime.datetime.fromisoformat
    return round((parse(end.replace("Z", "+00:00")) - parse(start.replace("Z", "+00:00")))
                 / datetime.timedelta(milliseconds=1))


def nodes_of(dim, job, names):
    """The names of the nodes that ran a part of the job."""
    executions = dim.call("get", job["id"], "--executions")["executions"]["executions"]
    return sorted({names.get(one["node_id"], one["node_id"]) for one in executions})


def run_case(dim, case, names):
    """Submits a job and waits for its end; returns a row of the table and whether it is right."""
    pattern = case.job["pattern"]
    done = dim.call("submit", "-", "--wait", text=json.dumps(case.job), may_fail=True)
    if done.get("status") != "completed":
        error = done.get("error") or done
        return [pattern, "-", json.dumps(error), "-", "-", "-"], False
    verdict = case.judge(done)
    took = milliseconds_between(done["submitted_at"], done["completed_at"])
    nodes = " ".join(name.removeprefix("node-") for name in nodes_of(dim, done, names))
    answer = verdict.answer if verdict.is_right else f"{verdict.answer} WRONG"
    return [pattern, nodes, answer, verdict.expected, verdict.verification, str(took)], \
        verdict.is_right


def print_table(rows):
    rows = [["pattern", "nodes", "answer", "expected", "verification", "ms"]] + rows
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())
    sys.stdout.flush()


def demonstrate(dim, made):
    """Whether every pattern gave the right answer."""
    names = await_nodes(dim)
    print("all nodes are online", flush=True)
    push_models(dim, made.models)
    print("submitting one job of each pattern", flush=True)
    results = [run_case(dim, case, names) for case in answers.cases(made)]
    print()
    print_table([row for row, _ in results])
    return all(is_right for _, is_right in results)


def stay_up(cluster):
    """Until the user interrupts, or a daemon ends."""
    print(f"\nThe cluster is up at {cluster.url}; Ctrl-C stops it.\n"
          f"Try: export DIM_URL={cluster.url}; build/dev/bin/dim nodes", flush=True)
    while not (ended := cluster.ended_daemons()):
        time.sleep(1)
    raise ClusterError(f"{ended[0].name} ended; its log ends with:\n{ended[0].log_tail()}")


def run(options):
    made = samples.make(options.programs, os.path.join(options.data, "samples"))
    complaints = []
    with Cluster(options.programs, options.data, made.cabinets, NODES) as cluster:
        are_right = demonstrate(Command(options.programs, cluster.url), made)
        try:
            if not options.once:
                stay_up(cluster)
        except KeyboardInterrupt:
            print()
        print("stopping the cluster", flush=True)
        complaints = cluster.stop()
    for complaint in complaints:
        print(complaint, file=sys.stderr)
    print("every answer was right" if are_right else "NOT every answer was right", flush=True)
    return 0 if are_right and not complaints else 1


def main():
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return run(parse_arguments())
    except (ClusterError, subprocess.TimeoutExpired) as error:
        print(f"failed: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
