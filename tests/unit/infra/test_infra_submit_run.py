"""submit_run.py against servers of its own: a run's exit code is what the Job ends with."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import submit_run
from kustomized import documents
from manifests import faults
from places import ROOT

OWNER = {"JOB_NAME": "media-index-nightly-1", "JOB_UID": "c0ffee"}
COMMAND = ["media-index", "run", "--where", "uri like '%news%'"]
TEMPLATE = documents(ROOT / "infra/kubernetes/base/rayjob.yaml")[0]
RAYJOBS = "/apis/ray.io/v1/namespaces/films/rayjobs"


class Servers(ThreadingHTTPServer):
    """The API of Kubernetes and Ray's in one. `states`: what becomes of a RayJob, the last one for good."""

    def __init__(self, states, ray_jobs):
        super().__init__(("127.0.0.1", 0), Answers)
        self.states, self.ray_jobs = states, ray_jobs
        self.made, self.tokens = {}, set()

    @property
    def address(self):
        return f"127.0.0.1:{self.server_port}"


class Answers(BaseHTTPRequestHandler):
    server: Servers

    def do_GET(self):
        self.server.tokens.add((self.path.split("/")[1], self.headers["Authorization"]))
        if self.path == f"{RAYJOBS}/media-index":
            return self.answer(200, TEMPLATE)
        if self.path.startswith(RAYJOBS):
            states = self.server.states
            status = states.pop(0) if len(states) > 1 else states[0]
            known = self.path.rsplit("/", 1)[1] in self.server.made
            return self.answer(
                200 if known else 404, {"status": {**status, "dashboardURL": self.server.address}}
            )
        found = self.server.ray_jobs.get(self.path)
        if isinstance(found, list):
            found = found.pop(0) if len(found) > 1 else found[0]
        return self.answer(200 if found else 404, found or {})

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        name = body["metadata"]["name"]
        taken = name in self.server.made
        self.server.made.setdefault(name, body)
        return self.answer(409 if taken else 201, body)

    def answer(self, code, body):
        self.send_response(code)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, *arguments):
        pass


@pytest.fixture
def run(tmp_path):
    """Submit and wait, as main does. Returns the exit code and the servers."""
    (tmp_path / "token").write_text("of the account\n")
    (tmp_path / "namespace").write_text("films")
    started = []

    def submit(states, ray_jobs, times=1, sleep=lambda seconds: None):
        servers = Servers(states, ray_jobs)
        threading.Thread(target=servers.serve_forever, args=(0.01,), daemon=True).start()
        started.append(servers)
        cluster = submit_run.Cluster(f"http://{servers.address}", tmp_path, "of Ray")
        for _ in range(times):
            submit_run.start(cluster, "media-index", OWNER, COMMAND)
        return submit_run.wait(cluster, OWNER["JOB_NAME"], sleep=sleep), servers

    yield submit
    for servers in started:
        servers.shutdown()
        servers.server_close()


def running(job_id="raysubmit_1", state="Running"):
    return {"jobDeploymentStatus": state, "jobId": job_id, "rayClusterName": "media-index-1"}


@pytest.mark.parametrize(
    ("ray", "code"),
    [
        ({"status": "SUCCEEDED", "driver_exit_code": 0}, 0),
        ({"status": "FAILED", "driver_exit_code": 3}, 3),
        ({"status": "FAILED", "driver_exit_code": 6}, 6),
        ({"status": "STOPPED", "driver_exit_code": None}, 130),
    ],
)
def test_the_runs_own_exit_code_comes_through(run, ray, code, capfd):
    """Of a RayJob that says no more than Failed; with the end of what the run said."""
    jobs = {"/api/jobs/raysubmit_1": ray, "/api/jobs/raysubmit_1/logs": {"logs": "what the run said\n"}}
    ended, servers = run([{}, running(state="Initializing"), running(), running(state="Failed")], jobs)
    assert ended == code
    said = capfd.readouterr()
    assert said.out == "what the run said\n"
    assert json.loads(said.err.splitlines()[-1]) == {
        "event": "ended",
        "rayjob": OWNER["JOB_NAME"],
        "exit_code": code,
    }
    assert servers.tokens == {("apis", "Bearer of the account"), ("api", "Bearer of Ray")}


def test_what_the_run_says_is_told_as_it_comes(run, capfd):
    """Each line once, whatever is still to come."""
    going, over = {"status": "RUNNING"}, {"status": "SUCCEEDED", "driver_exit_code": 0}
    logs = [{"logs": "one\n"}, {"logs": "one\ntwo\n"}, {}, {"logs": "one\ntwo\nthree\n"}]
    seen = []
    jobs = {"/api/jobs/raysubmit_1": [going, going, going, over], "/api/jobs/raysubmit_1/logs": logs}
    ended, _ = run([running()], jobs, sleep=lambda seconds: seen.append(capfd.readouterr().out))
    assert ended == 0
    assert [*seen, capfd.readouterr().out] == ["one\n", "two\n", "", "three\n"]


def test_the_copy_is_a_rayjob_that_starts(run):
    """It has the template's cluster, the command as it was typed, and an owner that it goes with."""
    _, servers = run([running()], {"/api/jobs/raysubmit_1": {"status": "SUCCEEDED", "driver_exit_code": 0}})
    (made,) = servers.made.values()
    spec = made["spec"]
    assert spec["suspend"] is False
    assert spec["entrypoint"] == """media-index run --where 'uri like '"'"'%news%'"'"''"""
    assert spec["rayClusterSpec"] == TEMPLATE["spec"]["rayClusterSpec"]
    (owner,) = made["metadata"].pop("ownerReferences")
    assert (owner["kind"], owner["name"], owner["uid"]) == ("Job", OWNER["JOB_NAME"], "c0ffee")
    assert faults(made) == []


def test_started_again_it_waits_for_the_run_that_is_there(run):
    """A pod that lost its machine starts no second run."""
    jobs = {"/api/jobs/raysubmit_1": {"status": "FAILED", "driver_exit_code": 4}}
    ended, servers = run([running()], jobs, times=2)
    assert ended == 4
    assert len(servers.made) == 1


def test_a_cluster_that_never_ran_it_is_a_failure(run, capfd):
    """With the operator's own words, and after a few looks for an exit code."""
    state = {"jobDeploymentStatus": "Failed", "reason": "DeadlineExceeded", "message": "no nodes came"}
    assert run([state], {})[0] == 1
    last = json.loads(capfd.readouterr().err.splitlines()[-1])
    assert (last["reason"], last["message"]) == ("DeadlineExceeded", "no nodes came")


def test_a_rayjob_that_was_deleted_is_a_failure(tmp_path, run):
    """Nobody is waited for."""
    _, servers = run([running()], {"/api/jobs/raysubmit_1": {"status": "SUCCEEDED", "driver_exit_code": 0}})
    servers.made.clear()
    cluster = submit_run.Cluster(f"http://{servers.address}", tmp_path, "")
    assert submit_run.wait(cluster, OWNER["JOB_NAME"]) == 1
