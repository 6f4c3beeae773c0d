"""The daemons of a local cluster: started, watched and stopped."""

import ctypes
import glob
import json
import os
import signal
import subprocess
import time

READY_SECONDS_MAX = 60
STOP_SECONDS_MAX = 60
PAUSE_SECONDS = 0.02
LOG_TAIL_BYTES = 3000
PR_SET_PDEATHSIG = 1


class ClusterError(Exception):
    """Something did not start, or ended too early; the text is for people."""


def die_with_parent():
    """Runs in the child: a daemon must not outlive the script, however that ends."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


class Daemon:
    """One `dimd` with a data folder of its own; its log is `dimd.log` in there."""

    def __init__(self, program, folder, options):
        self.name = os.path.basename(folder)
        self.folder = folder
        self.log = os.path.join(folder, "dimd.log")
        self._program = program
        self._port_file = os.path.join(folder, "ports.json")
        self._options = {"cluster.data_dir": folder, "cluster.port_file": self._port_file,
                         **options}
        os.makedirs(folder, exist_ok=True)
        self.start()

    def start(self, options=None):
        """Starts the program, again if it ran before; `options` stand for those given earlier."""
        if os.path.exists(self._port_file):
            os.remove(self._port_file)
        self._options.update(options or {})
        # A session of its own: Ctrl-C at the terminal reaches the script alone, which then stops
        # the daemons in order.
        with open(self.log, "ab") as log:
            self._process = subprocess.Popen(
                [self._program] + [f"--{name}={value}" for name, value in self._options.items()],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                preexec_fn=die_with_parent)

    @property
    def pid(self):
        return self._process.pid

    def send(self, number):
        """Sends a signal, for instance signal.SIGSTOP."""
        self._process.send_signal(number)

    def kill(self):
        """Ends the process at once, with whatever it has in hand."""
        self._process.kill()
        self._process.wait()

    def children(self):
        """The pids of the processes that it has started: a node's agents."""
        found = set()
        for tasks in glob.glob(f"/proc/{self.pid}/task/*/children"):
            try:
                with open(tasks, encoding="ascii") as file:
                    found.update(file.read().split())
            except OSError:
                # The thread has ended meanwhile.
                continue
        return sorted(int(pid) for pid in found)

    def exit_status(self):
        """None while it runs."""
        return self._process.poll()

    def ports(self):
        """The ports in use, by name, once the daemon listens."""
        end = time.monotonic() + READY_SECONDS_MAX
        while time.monotonic() < end:
            if self.exit_status() is not None:
                raise ClusterError(f"{self.name} ended with status {self.exit_status()}; "
                                   f"its log ends with:\n{self.log_tail()}")
            try:
                with open(self._port_file, encoding="utf-8") as file:
                    return json.load(file)
            except (FileNotFoundError, ValueError):
                time.sleep(PAUSE_SECONDS)
        raise ClusterError(f"{self.name} does not listen after {READY_SECONDS_MAX} s; "
                           f"its log ends with:\n{self.log_tail()}")

    def request_stop(self):
        if self.exit_status() is None:
            self._process.terminate()

    def await_stop(self):
        """The exit status; one that does not end in time is killed (then the status is -9)."""
        try:
            return self._process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()

    def log_tail(self):
        with open(self.log, "rb") as log:
            log.seek(max(0, os.path.getsize(self.log) - LOG_TAIL_BYTES))
            return log.read().decode("utf-8", "replace")


class Cluster:
    """One orchestrator with the gateway, and nodes, each a process. Use as a context manager."""

    def __init__(self, programs, folder, cabinets, nodes, options=None):
        """`options` are given to every daemon, by name."""
        self._program = os.path.join(programs, "dimd")
        self._folder = folder
        self._cabinets = cabinets
        self._node_names = nodes
        self._options = options or {}
        self._ports = {}
        self.daemons = []
        self.url = None

    def __enter__(self):
        try:
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()

    def _start(self):
        orchestrator = self._add("orchestrator", {
            "cluster.roles": "orchestrator,gateway", "cluster.port": 0, "gateway.port": 0})
        self._ports = ports = orchestrator.ports()
        self.url = f"http://127.0.0.1:{ports['gateway']}"
        print(f"orchestrator and gateway: pid {orchestrator.pid}, {self.url}", flush=True)
        for name in self._node_names:
            node = self._add(name, {
                "cluster.roles": "node",
                "cluster.orchestrators": f"127.0.0.1:{ports['cluster']}",
                "node.name": name,
                "node.owner": f"owner-of-{name}",
                "node.cabinets_dir": os.path.join(self._cabinets, name)})
            print(f"{name}: pid {node.pid}", flush=True)

    def _add(self, name, options):
        options = {**options, **self._options}
        daemon = Daemon(self._program, os.path.join(self._folder, name), options)
        self.daemons.append(daemon)
        return daemon

    @property
    def orchestrator(self):
        return self.daemons[0]

    @property
    def nodes(self):
        return self.daemons[1:]

    def start_orchestrator(self):
        """Starts it again, where its nodes and clients look for it; does not wait."""
        self.orchestrator.start({"cluster.port": self._ports["cluster"],
                                 "gateway.port": self._ports["gateway"]})

    def ended_daemons(self):
        """Those that are no longer running."""
        return [daemon for daemon in self.daemons if daemon.exit_status() is not None]

    def stop(self):
        """Stops nodes, then the orchestrator; returns a sentence for each that ended badly."""
        complaints = []
        for group in (self.daemons[1:], self.daemons[:1]):
            for daemon in group:
                daemon.request_stop()
            for daemon in group:
                status = daemon.await_stop()
                if status != 0:
                    complaints.append(f"{daemon.name} ended with status {status}; "
                                      f"its log ends with:\n{daemon.log_tail()}")
        self.daemons = []
        return complaints
