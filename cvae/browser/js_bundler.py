"""This module joins the modules of a folder into one script: Streamlit's inline components cannot import one another.

Every module keeps its own scope. To be joined correctly, a module may use only imports of names by relative path;
`export function` (also `async`, or with `*`), `export class` and `export const`; `export default name` in the entry.
Node and browsers import the same files one by one.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

_IMPORT = re.compile(r'^import \{ ([\w$]+(?:, [\w$]+)*) \} from "((?:\./|(?:\.\./)+)(?:[\w-]+/)*[\w-]+\.js)";$')
_WRAPPED = re.compile(r"^import \{\n((?:  [\w$]+,\n)+)\} from ", re.MULTILINE)  # prettier wraps many names so
_EXPORT = re.compile(r"^export (?=(?:async function|function\*?|class|const) ([\w$]+))")
_DEFAULT = re.compile(r"^export default ([\w$]+);$")
_COMMENT = re.compile(r"/\*.*?\*/|//.*|^\s*/?\*.*")  # JSDoc types contain import("./x.js") too
_MODULE_SYNTAX = re.compile(r"^\s*(?:import|export)\b|\bimport\s*[(.]")


def bundle(folder: Path, entry: str = "main") -> str:
    """Return `entry`.js of the folder and all its imports as one module with the entry's default export.

    Raise `ValueError` for other module syntax, for names that a file does not export, and for circular imports.
    """
    start = (folder / f"{entry}.js").resolve()
    joined: dict[Path, str] = {}
    exports: dict[Path, set[str]] = {}

    def variable(file: Path) -> str:
        """Return a module's variable name, from its path relative to the folder."""
        place = Path(os.path.relpath(file, start.parent)).with_suffix("").as_posix()
        return "module_" + re.sub(r"\W", "_", place)

    def add(file: Path, path: tuple[Path, ...]) -> None:
        if file in path:
            raise ValueError(f"modules import one another in a circle: {' → '.join(f.name for f in (*path, file))}")
        if file in joined:
            return
        lines: list[str] = []
        exports[file] = set()
        default = None
        for number, line in enumerate(_unwrapped(file.read_text(encoding="utf-8")).splitlines(), 1):
            if match := _IMPORT.match(line):
                source = (file.parent / match[2]).resolve()
                add(source, (*path, file))
                wanted = match[1].split(", ")
                if missing := set(wanted) - exports[source]:
                    raise ValueError(
                        f"{file.name}:{number}: {source.name} does not export {', '.join(sorted(missing))}"
                    )
                line = f"const {{ {match[1]} }} = {variable(source)};"
            elif match := _EXPORT.match(line):
                exports[file].add(match[1])
                line = line[match.end() :]
            elif (match := _DEFAULT.match(line)) and file == start:
                default = match[1]
                line = ""
            elif _MODULE_SYNTAX.search(_COMMENT.sub("", line)):
                raise ValueError(f"{file.name}:{number}: the bundler does not handle this line: {line.strip()}")
            lines.append(line)
        names = sorted(exports[file]) + ([f"default: {default}"] if default else [])
        body = "\n".join(lines)
        joined[file] = (
            f"// {file.name}\nconst {variable(file)} = (() => {{\n{body}\nreturn {{ {', '.join(names)} }};\n}})();\n"
        )
        if file == start and not default:
            raise ValueError(f"{file.name} has no default export")

    add(start, ())
    return '"use strict";\n' + "\n".join(joined.values()) + f"\nexport default {variable(start)}.default;\n"


def _unwrapped(text: str) -> str:
    """Return the text with every import on one line."""

    def one_line(match: re.Match[str]) -> str:
        names = match[1].replace(",", "").split()
        return f"import {{ {', '.join(names)} }} from "

    return _WRAPPED.sub(one_line, text)
