"""The embedded Prefect API as a program: `python -m flows.prefect_server PORT`. Started by `flows.engine.embedded_api`, which sets it up.

The garbage collector rests while the server's 2,300 modules are imported, and what they made is never looked at again: a quarter of
the CPU of a start. `create_app` is asked for no `final` application: with FastAPI 0.137 and later that only collects garbage.
"""

from __future__ import annotations

import gc
import sys


def main(port: int) -> None:
    """Serve the API on 127.0.0.1 until SIGTERM."""
    gc.disable()
    import uvicorn
    from prefect.server.api.server import create_app

    app = create_app(ephemeral=True)
    gc.freeze()
    gc.enable()
    uvicorn.run(app, host="127.0.0.1", port=port, lifespan="on", log_level="error")


if __name__ == "__main__":
    main(int(sys.argv[1]))
