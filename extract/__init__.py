"""Bytes from the web, and raw grids from bytes."""

import os

# onnxruntime (the engine of RapidOCR) reports its use to mobile.events.data.microsoft.com unless this is set before it is imported.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
