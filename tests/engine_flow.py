"""A run as the command line does it, for test_engine.py: a flow in an embedded API, a second one begun, then waits to be killed."""

import os
import sys
import threading
import time
from pathlib import Path

from flows.engine import WorkPool, _post, _sweep, embedded_api
from tests.engine_jobs import linger


def children(of=None):
    of = of or os.getpid()
    return [int(pid) for pid in Path(f"/proc/{of}/task/{of}/children").read_text(encoding="ascii").split()]


def run_flow():
    from prefect import flow, task
    from prefect.task_runners import ThreadPoolTaskRunner

    @task
    def double(number):
        return 2 * number

    @flow(task_runner=ThreadPoolTaskRunner(max_workers=3))
    def doubles():
        return sum(future.result() for future in [double.submit(number) for number in range(20)])

    return doubles()


def leave_unfinished(url):
    """A flow run and a task run such as a killed process leaves."""
    running = {"type": "RUNNING", "name": "Running"}
    flow = _post(f"{url}/flows/", {"name": "killed"})
    flow_run = _post(f"{url}/flow_runs/", {"flow_id": flow["id"], "state": running})
    _post(f"{url}/task_runs/", {"flow_run_id": flow_run["id"], "task_key": "killed", "dynamic_key": "0", "state": running})


def tell(home):
    """Prints the children as soon as there are a busy worker and a server."""
    while not any(b"flows.prefect_server" in Path(f"/proc/{pid}/cmdline").read_bytes() for pid in children()):
        time.sleep(0.02)
    while not (home / "worker").exists():
        time.sleep(0.02)
    print("children", *children(), *(worker for child in children() for worker in children(child)), flush=True)


def main(home):
    with embedded_api(home) as url:
        (server,) = children()
        leave_unfinished(url)
        _sweep(url)
        print("sum", run_flow(), flush=True)
    print("stopped", not Path(f"/proc/{server}").exists(), "PREFECT_API_URL" not in os.environ, flush=True)
    with WorkPool(1) as pool:
        results = pool.map(linger, [str(home / "worker")], timeout=60)
        threading.Thread(target=tell, args=(home,), daemon=True).start()
        with embedded_api(home):
            next(results)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
