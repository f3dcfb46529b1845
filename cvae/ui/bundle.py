"""Joins the modules of a folder into one script: Streamlit's inline components cannot import one another.

Every module keeps its own scope. What may stand in a module is little, so that nothing is joined wrongly: imports of names
from sibling files, a line each; `export function`, `export class` and `export const`; `export default name` in the entry.
Node and browsers import the very same files one by one.
"""

from __future__ import annotations

import re
from pathlib import Path

_IMPORT = re.compile(r'^import \{ ([\w$]+(?:, [\w$]+)*) \} from "\./([\w-]+)\.js";$')
_EXPORT = re.compile(r"^export (?=(?:async function|function|class|const) ([\w$]+))")
_DEFAULT = re.compile(r"^export default ([\w$]+);$")
_COMMENT = re.compile(r"/\*.*?\*/|//.*|^\s*/?\*.*")  # JSDoc types say import("./x.js") too
_MODULE_SYNTAX = re.compile(r"^\s*(?:import|export)\b|\bimport\s*[(.]")


def bundle(folder: Path, entry: str = "main") -> str:
    """`entry`.js of the folder, and all that it imports, as one module with the entry's default export.

    Raises ValueError for module syntax beyond the above, for names that a file does not export, and for circles.
    """
    joined: dict[str, str] = {}
    exports: dict[str, set[str]] = {}

    def add(name: str, path: tuple[str, ...]) -> None:
        if name in path:
            raise ValueError(f"modules import one another in a circle: {' → '.join((*path, name))}")
        if name in joined:
            return
        lines: list[str] = []
        exports[name] = set()
        default = None
        for number, line in enumerate((folder / f"{name}.js").read_text(encoding="utf-8").splitlines(), 1):
            if match := _IMPORT.match(line):
                add(match[2], (*path, name))
                wanted = match[1].split(", ")
                if missing := set(wanted) - exports[match[2]]:
                    raise ValueError(f"{name}.js:{number}: {match[2]}.js does not export {', '.join(sorted(missing))}")
                line = f"const {{ {match[1]} }} = {_variable(match[2])};"
            elif match := _EXPORT.match(line):
                exports[name].add(match[1])
                line = line[match.end() :]
            elif (match := _DEFAULT.match(line)) and name == entry:
                default = match[1]
                line = ""
            elif _MODULE_SYNTAX.search(_COMMENT.sub("", line)):
                raise ValueError(f"{name}.js:{number}: the bundler does not handle this line: {line.strip()}")
            lines.append(line)
        names = sorted(exports[name]) + ([f"default: {default}"] if default else [])
        body = "\n".join(lines)
        joined[name] = (
            f"// {name}.js\nconst {_variable(name)} = (() => {{\n{body}\nreturn {{ {', '.join(names)} }};\n}})();\n"
        )
        if name == entry and not default:
            raise ValueError(f"{entry}.js has no default export")

    add(entry, ())
    return '"use strict";\n' + "\n".join(joined.values()) + f"\nexport default {_variable(entry)}.default;\n"


def _variable(name: str) -> str:
    return "module_" + re.sub(r"\W", "_", name)
