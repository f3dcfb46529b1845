"""Run the browser's pure modules in Node.js."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import Any

import pytest

from cvae.assets import EXPLORER
from helpers.browser import REQUIRED

# Calls the function with the modules' exports and the JSON from standard input, and writes the result as JSON.
SCRIPT = """
import { readFileSync } from "node:fs";
const modules = await Promise.all(process.argv.slice(1).map((path) => import(path)));
const run = FUNCTION;
console.log(JSON.stringify(run(Object.assign({}, ...modules), JSON.parse(readFileSync(0, "utf8")))));
"""


def node(function: str, given: Any, *modules: str) -> Any:
    """Return the result of a JavaScript function of (exports, given); `exports` are those of the explorer's `modules`.

    Without Node.js, skip the test, or fail it if a browser is required.
    """
    if shutil.which("node") is None and not REQUIRED:
        pytest.skip("Node.js is not installed")
    done = subprocess.run(
        ["node", "--input-type=module", "-e", SCRIPT.replace("FUNCTION", function)]
        + [(EXPLORER / module).as_uri() for module in modules],
        input=json.dumps(given),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)
