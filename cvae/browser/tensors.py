"""Numbers for the browser: {dtype: "f16" | "f32" | "u8", shape, data: base64 of little-endian numbers}."""

from __future__ import annotations

import base64
from typing import Any, Literal

import numpy as np
import numpy.typing as npt


def tensor(values: npt.NDArray[Any], dtype: Literal["f16", "f32", "u8"]) -> dict[str, Any]:
    """Encode numbers for the browser."""
    kind = {"f16": "<f2", "f32": "<f4", "u8": "u1"}[dtype]
    data = base64.b64encode(np.ascontiguousarray(values, dtype=kind).tobytes()).decode("ascii")
    return {"dtype": dtype, "shape": list(values.shape), "data": data}
