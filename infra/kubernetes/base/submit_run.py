"""Start a run on Kubernetes, wait for it, and end with its exit code.

    submit_run.py TEMPLATE -- COMMAND…

Copies the suspended RayJob TEMPLATE under the name of the Job that this pod belongs to, with COMMAND as its
entry point. Started again, it finds the copy and waits for that. The run's own exit code is kept by Ray's job
API alone; a RayJob, as `ray job submit`, makes 1 of every other than 0.

In the environment: JOB_NAME and JOB_UID, the Job, which owns the copy; RAY_AUTH_TOKEN, for Ray's job API.
Needs nothing but Python.
"""

import json
import os
import shlex
import ssl
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
POLL_S = 10.0
MAX_SILENT_POLLS = 60  # in a row
LAST_LOOKS = 5  # for the exit code, once the RayJob is over
OVER = ("Complete", "Failed")
CODES_WITHOUT_ONE = {"SUCCEEDED": 0, "STOPPED": 130}  # Ray keeps no code of a job that it was told to stop
FAILED = 1
FOLLOWED_CHARACTERS = 1_000_000
TAIL_CHARACTERS = 20_000

Record = dict[str, Any]


@dataclass(frozen=True)
class Cluster:
    """The API of Kubernetes, as seen from a pod, and the way to Ray's."""

    url: str
    account: Path
    ray_token: str

    def call(self, path: str, body: Record | None = None) -> Record:
        """GET, or POST of `body`. Raises `OSError`, of which `HTTPError` is one."""
        token = (self.account / "token").read_text().strip()  # renewed while the pod lives
        certificates = self.account / "ca.crt"
        trust = ssl.create_default_context(cafile=str(certificates)) if self.url.startswith("https") else None
        return asked(self.url + path, token, trust, body)

    def rayjobs(self) -> str:
        """The path of the RayJobs of this pod's namespace."""
        return f"/apis/ray.io/v1/namespaces/{(self.account / 'namespace').read_text().strip()}/rayjobs"


def asked(url: str, token: str, trust: ssl.SSLContext | None = None, body: Record | None = None) -> Record:
    """Return the JSON that a server answers."""
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, headers)
    with urllib.request.urlopen(request, timeout=30, context=trust) as answer:
        return dict(json.load(answer))


def copy_of(template: Record, owner: Mapping[str, str], command: list[str]) -> Record:
    """The RayJob to make: not suspended, and gone when its Job is."""
    of = {"apiVersion": "batch/v1", "kind": "Job", "name": owner["JOB_NAME"], "uid": owner["JOB_UID"]}
    metadata = {"name": owner["JOB_NAME"], "ownerReferences": [of]}
    spec = {**template["spec"], "suspend": False, "entrypoint": shlex.join(command)}
    return {"apiVersion": template["apiVersion"], "kind": "RayJob", "metadata": metadata, "spec": spec}


def start(cluster: Cluster, template: str, owner: Mapping[str, str], command: list[str]) -> None:
    """Make the copy, where there is none yet."""
    body = copy_of(cluster.call(f"{cluster.rayjobs()}/{template}"), owner, command)
    try:
        cluster.call(cluster.rayjobs(), body)
        say("submitted", rayjob=owner["JOB_NAME"], entrypoint=body["spec"]["entrypoint"])
    except urllib.error.HTTPError as error:
        if error.code != 409:
            raise
        say("found", rayjob=owner["JOB_NAME"])


def ray_job(cluster: Cluster, status: Record, what: str = "") -> Record:
    """Ask Ray's job API about the run; return nothing where it cannot be asked."""
    if not status.get("dashboardURL") or not status.get("jobId"):
        return {}
    try:
        return asked(f"http://{status['dashboardURL']}/api/jobs/{status['jobId']}{what}", cluster.ray_token)
    except (OSError, ValueError):
        return {}


def exit_code(job: Record) -> int | None:
    """The run's own exit code, once it has ended."""
    if job.get("status") not in ("SUCCEEDED", "FAILED", "STOPPED"):
        return None
    code = job.get("driver_exit_code")
    return CODES_WITHOUT_ONE.get(job["status"]) if code is None else int(code)


@dataclass
class Follower:
    """Writes what the run says as it comes; of a long log the end, when the run is over."""

    cluster: Cluster
    shown: int = 0

    def show(self, status: Record, last: bool = False) -> None:
        """Write what is new."""
        if self.shown > FOLLOWED_CHARACTERS and not last:
            return  # Ray hands out a log as a whole
        log = str(ray_job(self.cluster, status, "/logs").get("logs", ""))
        sys.stdout.write(log[self.shown :][-TAIL_CHARACTERS if last else 0 :])
        sys.stdout.flush()
        self.shown = max(self.shown, len(log))


def read_status(cluster: Cluster, name: str) -> Record:
    """The RayJob's status, empty before it has one. Raises `OSError`."""
    return dict(cluster.call(f"{cluster.rayjobs()}/{name}").get("status") or {})


def wait(cluster: Cluster, name: str, sleep: Callable[[float], None] = time.sleep) -> int:
    """Wait for the run to end, telling each state, and return its exit code."""
    follower, state, silent, looks = Follower(cluster), "", 0, 0
    while looks < LAST_LOOKS:
        try:
            status, silent = read_status(cluster, name), 0
        except OSError as error:
            status, silent = {}, silent + 1
            if silent >= MAX_SILENT_POLLS or getattr(error, "code", 0) == 404:
                say("lost", rayjob=name, message=str(error))
                return FAILED
        if status.get("jobDeploymentStatus", state) != state:
            state = status["jobDeploymentStatus"]
            say("state", rayjob=name, state=state, cluster=status.get("rayClusterName"))
        code = exit_code(ray_job(cluster, status))
        follower.show(status, last=code is not None)
        if code is not None:
            say("ended", rayjob=name, exit_code=code)
            return code
        looks += state in OVER
        sleep(POLL_S)
    said = {what: status.get(what) for what in ("reason", "message")}
    say("ended", rayjob=name, exit_code=FAILED, **said)
    return FAILED


def say(event: str, **fields: object) -> None:
    """Write a JSON line to stderr."""
    print(json.dumps({"event": event, **fields}), file=sys.stderr, flush=True)


def main() -> int:
    """Do what the command line says."""
    template, dashes, *command = sys.argv[1:]
    if dashes != "--" or not command:
        raise SystemExit("usage: submit_run.py TEMPLATE -- COMMAND…")
    host, port = os.environ["KUBERNETES_SERVICE_HOST"], os.environ["KUBERNETES_SERVICE_PORT_HTTPS"]
    cluster = Cluster(f"https://{host}:{port}", ACCOUNT, os.environ.get("RAY_AUTH_TOKEN", ""))
    start(cluster, template, os.environ, command)
    return wait(cluster, os.environ["JOB_NAME"])


if __name__ == "__main__":
    sys.exit(main())
