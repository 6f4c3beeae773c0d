"""What the benches share: a local cluster with models on it, and a client of its gateway."""

import datetime
import http.client
import json
import os
import subprocess
import time

from processes import Cluster, ClusterError
import samples

NODES = ["node-1", "node-2", "node-3"]
TERMINAL = ("completed", "failed", "cancelled")
PAUSE_SECONDS = 0.01


class Gateway:
    """One kept connection; an answer is (status, JSON), status 0 when there is none."""

    def __init__(self, url, timeout=30):
        self._address = url.removeprefix("http://")
        self._timeout = timeout
        self._connection = None

    def ask(self, method, path, body=None):
        text = None if body is None else json.dumps(body)
        try:
            if self._connection is None:
                self._connection = http.client.HTTPConnection(self._address, timeout=self._timeout)
            self._connection.request(method, path, text, {"Content-Type": "application/json"})
            answer = self._connection.getresponse()
            return answer.status, json.loads(answer.read())
        except (OSError, http.client.HTTPException, ValueError):
            self.close()
            return 0, None

    def close(self):
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def get(self, path):
        return self.ask("GET", path)

    def submit(self, job):
        """The id of the new job."""
        status, answer = self.ask("POST", "/api/v1/jobs", job)
        if status != 202:
            raise ClusterError(f"a job was refused: {status} {answer}")
        return answer["id"]

    def state_of(self, job_id, wait_ms=0):
        """None while there is no answer."""
        status, job = self.get(f"/api/v1/jobs/{job_id}?wait_ms={wait_ms}")
        return job["status"] if status == 200 else None

    def finish(self, job_id, seconds=120):
        """The terminal state of a job."""
        await_that(f"job {job_id} ends", lambda: self.state_of(job_id, 1000) in TERMINAL, seconds)
        return self.state_of(job_id)

    def executions(self, job_id):
        status, answer = self.get(f"/api/v1/jobs/{job_id}/executions")
        return answer["executions"] if status == 200 else []

    def nodes_online(self):
        status, answer = self.get("/api/v1/nodes")
        if status != 200:
            return 0
        return sum(node["state"] in ("online", "busy") for node in answer["nodes"])


def await_that(what, is_so, seconds=60):
    """Asks again and again; returns the seconds that it took."""
    begin = time.monotonic()
    while not is_so():
        if time.monotonic() - begin > seconds:
            raise ClusterError(f"waited {seconds} s in vain until {what}")
        time.sleep(PAUSE_SECONDS)
    return time.monotonic() - begin


def at_ms(text):
    """Milliseconds since 1970 of a time in the interface's form."""
    moment = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    return moment.timestamp() * 1000


def small_job(**more):
    """One forward over one row."""
    pixels = [(index * 37 % 101) / 100 for index in range(64)]
    return {"pattern": "single", "model": "digits-mlp", "inputs": [
        {"name": "x", "datatype": "FP32", "shape": [1, 64], "data": pixels}], **more}


def start(programs, folder, options):
    """A cluster of three nodes with the sample models, each node with an agent that has run."""
    made = samples.make(programs, os.path.join(os.path.dirname(programs), "samples"))
    cluster = Cluster(programs, folder, made.cabinets, NODES, options)
    try:
        cluster.__enter__()
        dim = os.path.join(programs, "dim")
        for model in made.models:
            subprocess.run([dim, "--url", cluster.url, "push", model.name, model.file, "--config",
                            model.config], check=True, stdout=subprocess.DEVNULL)
        gateway = Gateway(cluster.url)
        await_that("all nodes are online", lambda: gateway.nodes_online() == len(NODES))
        warm_up(gateway)
    except BaseException:
        cluster.stop()
        raise
    return cluster, gateway


def warm_up(gateway):
    """Runs one job on every node, so that no start of an agent is measured."""
    job = gateway.submit(small_job(pattern="replicated", redundancy=len(NODES), consensus=2))
    if gateway.finish(job) != "completed":
        raise ClusterError("the first job was not completed")
    await_that("every node has answered", lambda: sum(
        each["status"] == "completed" for each in gateway.executions(job)) == len(NODES))
