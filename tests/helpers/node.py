"""The browser's pure modules, run by Node.js."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import Any

import pytest

from cvae.assets import EXPLORER
from helpers.browser import REQUIRED

# Reads the input, gives it to the function with the module's exports, and writes what it returns.
SCRIPT = """
import { readFileSync } from "node:fs";
const modules = await Promise.all(process.argv.slice(1).map((path) => import(path)));
const run = FUNCTION;
console.log(JSON.stringify(run(Object.assign({}, ...modules), JSON.parse(readFileSync(0, "utf8")))));
"""


def node(function: str, given: Any, *modules: str) -> Any:
    """What a JavaScript function of (exports, given) returns; the exports are those of modules of the explorer.

    Skips the test where there is no Node.js, unless it is required.
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
