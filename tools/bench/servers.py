"""Servers that are measured, and their load: for tools/bench/compare and tools/bench/cases."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tools", "cluster"))

from processes import Daemon, die_with_parent  # noqa: E402

PROGRAMS = os.path.join(ROOT, "build", "dev", "bin")
READY_SECONDS_MAX = 60


class Server:
    """Something that answers on a port until it is stopped."""

    def __init__(self, name, port, stop):
        self.name = name
        self.port = port
        self.stop = stop


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start_program(name, command, environment=None):
    port = free_port()
    process = subprocess.Popen([part.replace("PORT", str(port)) for part in command],
                               stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               env=environment, preexec_fn=die_with_parent)

    def stop():
        process.terminate()
        process.wait()

    return Server(name, port, stop)


def start_dim(name, programs, folder, isolation, repository, options=None):
    """A `dimd` with all roles and the models in `repository`, which it may change."""
    data = os.path.join(folder, name)
    os.makedirs(data, exist_ok=True)
    os.rename(repository, os.path.join(data, "models"))
    daemon = Daemon(os.path.join(programs, "dimd"), data,
                    {"cluster.port": 0, "gateway.port": 0, "agent.isolation": isolation,
                     **(options or {})})

    def stop():
        daemon.request_stop()
        daemon.await_stop()

    return Server(name, daemon.ports()["gateway"], stop)


def make_samples(programs, folder):
    """Trains the sample models, those for measuring too; their repository."""
    subprocess.run([os.path.join(programs, "sample-models"), "--bench", "--out",
                    os.path.join(folder, "samples")],
                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True)
    return os.path.join(folder, "samples", "models")


def make_repository(samples, folder, name, models):
    """A repository of its own with some of the sample models."""
    repository = os.path.join(folder, "models-of-" + name)
    for model in models:
        shutil.copytree(os.path.join(samples, model), os.path.join(repository, model))
    return repository


def infer_target(model):
    return f"/v2/models/{model}/infer"


def await_answer(server, model, body, headers=None):
    end = time.monotonic() + READY_SECONDS_MAX
    address = f"http://127.0.0.1:{server.port}{infer_target(model)}"
    while True:
        request = urllib.request.Request(address, body,
                                         headers or {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.read()
        except OSError as problem:
            if time.monotonic() > end:
                words = problem.read().decode() if hasattr(problem, "read") else problem
                sys.exit(f"{server.name} does not answer: {words}")
            time.sleep(0.2)


def load(programs, server, model, body_file, connections, seconds, header=None):
    run = subprocess.run([os.path.join(programs, "dim-load"), "--port", str(server.port),
                          "--target", infer_target(model), "--body", body_file,
                          "--connections", str(connections), "--seconds", str(seconds),
                          *(["--header", header] if header else [])],
                         capture_output=True, text=True, check=False)
    if not run.stdout:
        sys.exit(f"dim-load failed: {run.stderr}")
    return json.loads(run.stdout)
