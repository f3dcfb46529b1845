"""The explorer's files: joined into one script without surprises, and worded in every language."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cvae.assets import EXPLORER, LIVE, SHARED
from cvae.browser.js_bundler import bundle
from cvae.ui.components.explorer import STYLES, texts
from cvae.ui.frame.text import LANGUAGES, keys, table

FOLDERS = (EXPLORER, LIVE, SHARED)
SOURCES = {path: path.read_text(encoding="utf-8") for folder in FOLDERS for path in sorted(folder.rglob("*.js"))}


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / f"{name}.js").write_text(text)
    return folder


def test_modules_are_joined_in_order_each_in_its_own_scope(tmp_path: Path) -> None:
    folder = write(
        tmp_path,
        main='import { two } from "./a.js";\nconst local = two();\nfunction main() {}\nexport default main;\n',
        a='import { one } from "./b.js";\nconst local = one;\nexport function two() { return local + one; }\n',
        b="/** @type {import('./x.js').X} */\nexport const one = 1;\n",
    )
    joined = bundle(folder)
    assert joined.index("// b.js") < joined.index("// a.js") < joined.index("// main.js")
    assert joined.count("export") == 1
    assert joined.count("const local") == 2
    assert joined.rstrip().endswith("_main.default;")


def test_an_import_of_many_names_may_take_many_lines(tmp_path: Path) -> None:
    folder = write(
        tmp_path,
        main='import {\n  one,\n  two,\n} from "./a.js";\nfunction main() {}\nexport default main;\n',
        a="export const one = 1;\nexport const two = 2;\n",
    )
    assert "const { one, two } = module_a;" in bundle(folder)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('import "./a.js";', "does not handle"),
        ('import a from "./a.js";', "does not handle"),
        ('import * as a from "./a.js";', "does not handle"),
        ('import { one as two } from "./a.js";', "does not handle"),
        ('import { one } from "elsewhere";', "does not handle"),
        ("import {", "does not handle"),
        ('const a = await import("./a.js");', "does not handle"),
        ("export { one };", "does not handle"),
        ("export let one = 1;", "does not handle"),
        ("export default function () {}", "does not handle"),
        ('import { none } from "./a.js";', "does not export none"),
        ('import { main } from "./main.js";', "in a circle"),
    ],
)
def test_what_the_bundler_does_not_handle_is_refused(line: str, message: str, tmp_path: Path) -> None:
    folder = write(tmp_path, main=f"{line}\nfunction main() {{}}\nexport default main;\n", a="export const one = 1;\n")
    with pytest.raises(ValueError, match=message):
        bundle(folder)


@pytest.mark.parametrize("folder", [EXPLORER, LIVE])
def test_a_component_is_joined_whole_and_asks_for_nothing_outside(folder: Path) -> None:
    joined = bundle(folder)
    for path, source in SOURCES.items():
        assert path.parent == SHARED or folder not in path.parents or f"// {path.name}\n" in joined
        assert "innerHTML" not in source
        assert not re.search(r"\b(fetch|XMLHttpRequest|WebSocket|eval|insertAdjacentHTML)\b", source)
    outside = {"http://www.w3.org/2000/svg"}  # the name of a namespace
    assert set(re.findall(r"https?://[\w./-]+", joined)) == outside


def test_what_the_components_share_is_in_both_and_their_styles_are_all_used() -> None:
    for path in SHARED.glob("*.js"):
        assert all(f"// {path.name}\n" in bundle(folder) for folder in (EXPLORER, LIVE)), path.name
    assert {path.name for path in EXPLORER.glob("*.css")} == set(STYLES)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_says_everything(language: str) -> None:
    words, english = table(f"explorer.{language}"), table("explorer.en")
    assert keys(words) == keys(english)

    def gaps(text: str) -> set[str]:
        return set(re.findall(r"\{(\w+)\}", text))

    for key in keys(english):
        assert gaps(_word(words, key)) == gaps(_word(english, key)), key
    assert texts(language) == words


def _word(words: object, key: str) -> str:
    for part in key.split("."):
        words = words[part]  # type: ignore[index]
    assert isinstance(words, str)
    return words


def test_the_words_that_the_code_asks_for_exist() -> None:
    known = keys(table("explorer.en"))
    joined = "\n".join(source for path, source in SOURCES.items() if LIVE not in path.parents)
    asked = set(
        re.findall(
            r'"((?:map|picture|hover|labels|conditions|sliders|path|options|caption|error|pad)\.[\w-]+)"', joined
        )
    )
    asked |= {f"error.{code}" for code in re.findall(r'PayloadError\("(\w+)"', joined)}
    assert len(asked) > 50
    assert asked <= known
    assert texts("xx") == texts("../en") == table("explorer.en")
