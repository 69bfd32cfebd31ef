"""The embedded Prefect API as a program: `python -m flows.prefect_server PORT`. Started by `flows.engine.embedded_api`, which sets it up.

The garbage collector rests while the server's 2,300 modules are imported, and what they made is never looked at again: a quarter of
the CPU of a start. `create_app` is asked for no `final` application: with FastAPI 0.137 and later that only collects garbage.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from importlib import import_module
from typing import Any

#: What a run asks for. FastAPI tries one router after the other, and makes all routes of each it tries when it first does.
USED = ("/flows", "/flow_runs", "/task_runs", "/artifacts", "/events", "/logs", "/admin", "/concurrency_limits")
#: Seconds between two writings of task runs. Prefect's own setting is cut to whole seconds, and 0 of them are a busy loop.
FLUSH = 0.2


@asynccontextmanager
async def nothing_in_the_background(*_: object, **__: object) -> AsyncIterator[None]:
    """In place of Prefect's background worker, which looks for work many times a second: deletions, vacuum, deployments, work queues."""
    yield


def adapt() -> None:
    """Leave out of Prefect's server what no run uses, and have what it uses come first."""
    server: Any = import_module("prefect.server.api.server")
    task_run_recorder: Any = import_module("prefect.server.services.task_run_recorder")
    consumer = task_run_recorder.consumer

    def often(**given: Any) -> AbstractAsyncContextManager[Any]:
        made: AbstractAsyncContextManager[Any] = consumer(**{**given, "flush_every": FLUSH})
        return made

    task_run_recorder.consumer = often
    server.API_ROUTERS = tuple(sorted(server.API_ROUTERS, key=lambda router: router.prefix not in USED))
    server.background_worker = nothing_in_the_background


def main(port: int) -> None:
    """Serve the API on 127.0.0.1 until SIGTERM."""
    gc.disable()
    import uvicorn
    from prefect.server.api.server import create_app

    adapt()
    app = create_app(ephemeral=True)
    gc.freeze()
    gc.enable()
    uvicorn.run(app, host="127.0.0.1", port=port, lifespan="on", log_level="error")
    sys.stderr.flush()
    os._exit(0)  # all is written; taking 2,300 modules apart has no use


if __name__ == "__main__":
    main(int(sys.argv[1]))
