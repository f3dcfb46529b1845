"""A payload of the explorer in parts: each model as bytes of its own, which are the same wherever it is shown.

What a browser has received once is then not sent again, neither to another page nor at another point, and the server
keeps one copy of a model for all visitors. A part is a line with its hash, a line of JSON, and the bytes of all
tensors: in the JSON a tensor has `at`, its first byte and its number of bytes, in place of base64, which takes a third
more.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import json
from collections.abc import Mapping
from typing import Any

Json = dict[str, Any]
HEAVY = ("networks", "codes", "thumbnails", "posterior")  # keys of a model that only the browser reads


def parted(payload: Mapping[str, Any]) -> Json:
    """Return a payload of `cvae.browser.explorer.export` whose models are `parts`: bytes by their hash.

    The models keep what Python reads of them; `part` names the rest, and so do those of thumbnails and judges.
    """
    parts: dict[str, bytes] = {}

    def put(content: Any) -> str:
        tensors = bytearray()
        text = json.dumps(_without_tensors(content, tensors), allow_nan=False).encode()
        body = text + b"\n" + bytes(tensors)
        name = hashlib.blake2b(body, digest_size=12).hexdigest()
        parts[name] = _shared(name + "\n", body)
        return name

    models = []
    for model in payload["models"]:
        pictures = model["thumbnails"]
        found = payload["models"][pictures]["thumbnails"] if isinstance(pictures, int) else pictures
        content = {name: value for name, value in model.items() if name not in ("title", "thumbnails")}
        light = {name: value for name, value in model.items() if name not in HEAVY}
        thumbnails = None if found is None else {"part": put(found)}
        models.append({**light, "part": put(content), "thumbnails": thumbnails})
    judges = [{"part": put(judge)} for judge in payload["judges"]]
    return {**payload, "models": models, "judges": judges, "parts": parts}


def _without_tensors(content: Any, tensors: bytearray) -> Any:
    """Return JSON whose tensors say where their bytes are in `tensors`, to which these bytes are appended."""
    if isinstance(content, list):
        return [_without_tensors(one, tensors) for one in content]
    if not isinstance(content, dict):
        return content
    if {"dtype", "data"} <= content.keys():
        data = base64.b64decode(content["data"])
        place = [len(tensors), len(data)]
        tensors += data
        return {"dtype": content["dtype"], "shape": content["shape"], "at": place}
    return {name: _without_tensors(value, tensors) for name, value in content.items()}


@functools.lru_cache(maxsize=64)
def _shared(name: str, content: bytes) -> bytes:
    """Return one and the same object for equal parts, however many payloads hold them."""
    return name.encode() + content
