"""Reading a picture asks no host for anything: onnxruntime reports its use to its maker unless told not to."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading

READ = """
import time
import extract
from rapidocr import RapidOCR
import numpy as np
RapidOCR(params={"Global.log_level": "critical"})(np.full((60, 200, 3), 255, np.uint8))
time.sleep(%d)
"""


def test_the_engine_that_reads_pictures_sends_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as proxy:
        asked: list[bytes] = []
        threading.Thread(target=listen, args=(proxy, asked), daemon=True).start()
        address = f"http://127.0.0.1:{proxy.getsockname()[1]}"
        env = {key: value for key, value in os.environ.items() if key != "ORT_DISABLE_TELEMETRY"}
        env |= dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), address)
        subprocess.run([sys.executable, "-c", READ % 8], env=env, check=True, timeout=120)
        assert asked == []


def listen(proxy: socket.socket, asked: list[bytes]) -> None:
    while True:
        try:
            connection, _ = proxy.accept()
        except OSError:
            return
        with connection:
            asked.append(connection.recv(200))
