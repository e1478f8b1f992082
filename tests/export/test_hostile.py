"""Hostile files that are imported and exported: nothing in them is obeyed, breaks a site, or costs a text."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from lxml import html

from pipelines.export.flavours import FLAVOURS
from tests.support.commands import here
from tests.support.exports import export, files
from tests.support.generators import GENERATORS, build

END = "The end of the text."
FRONT_MATTER = {
    "dashes": 'title: "a\\n---\\nlayout: evil\\n---\\nb"',
    "dots": 'title: "...\\n..."\nauthor: |\n  a\n  ---\n  layout: evil',
    "control-keys": '"a\\u0001b": x\n"c\\nd: e": y\n"\\u2028": z\n"": w',
    "control-characters": 'title: "a\\0b\\a\\e[31md\\u0085e\\u2028f"',
    "anchors": "title: &a x\nauthor: *a\nb: &b {x: *a}\nc: {<<: *b}",
    "directives": "layout: ../../../etc/passwd\npermalink: ../../x\naliases: [../../x, /]\nslug: ../../x\n"
    "type: ../x\noutputs: [evil]\npublished: false\ndraft: true\nredirect_from: [../../x]\n"
    "build: {render: never}\nheadless: true",
    "keys-of-programs": "__proto__: {layout: evil}\nconstructor: {prototype: {x: 1}}\n_content: evil\nraw: x\n"
    "path: ../../x\nsource: ../x\nmarkup: evil\nresources: [{src: ../../x}]\nrender_with_liquid: true",
    "templates": 'title: "{{ site }} {% raw %} <% x %> {{< figure >}}"\nauthor: "{% include x %}"\n'
    'tags: ["{{ x }}", "{% y %}"]\ncategories: ["<% z %>"]\nkeywords: "{{ a }}"\nthumbnail: "{{ x }}"',
    "tags-of-yaml": 'title: "!!python/object:os.system x"\nauthor: "!ruby/object:Gem::Requirement {}"\n'
    'description: "&a *b"',
    "lists": 'tags: ["../../x", "..", "/", "a/b", "<b>", "a:b", "#x", "\\0", "a\\nb", "CON"]\n'
    'categories: [[../x], ".."]',
    "images": 'images: [{url: "javascript:alert(1)", alt: "]](x"}, "../../x"]\nthumbnail: ../../../etc/passwd\n'
    'also_read: [{url: "https://one.techidaily.com/dots/", text: "]] {{ x }} | ^ #"}]',
    "first-day": "date: 0001-01-01",
    "short-year": "date: 0500-02-03",
    "last-day": "updated: 9999-12-31T23:59:59Z",
    "future": "date: 2999-01-01",
    "types": "title: true\nauthor: 2024-01-01\ndescription: 12:30\nlang: no\nkeywords: [1, 2.5, x]",
    "numbers": f"a: .inf\nb: .nan\nc: {'9' * 4000}\nd: !!binary aGVsbG8=\ne: !!set {{a, b}}",
    "long": f"title: {'a b ' * 250_000}z",
    "twice": "title: a\ntitle: b\nlayout: x\nlayout: y",
    "carriage-returns": "title: a\r\nauthor: b\r",
}
"""Front matter by the name of a file."""
BODIES = {
    "marks": "{{ site.title }} {% include x %} {% raw %} <%= 1 %>\n\n{% endraw %}{{< figure src=x >}}"
    " {{% note %}}\n\n`{{ a }}` {{ '{{' }} {{{{ }}}} {%- x -%} {# note #}\n\n    {{ code }} {% x %}\n\n<!-- more -->",
    "options-of-kramdown": '{::options template="string://x" /}\n\n{: .x}\n\n* TOC\n{:toc}\n\n{::nomarkdown}',
    "front-matter": "---\nlayout: evil\n---\n\n...\n\n+++\n\n---",
    "control": "a \0 b \x1b[31m\ufeff",
    "links": "[a](https://one.techidaily.com/dots/#'}}{%include_relative%20x%}) "
    "[b](https://one.techidaily.com/%7B%7B%20x%20%7D%7D/%7B%25%20y%20%25%7D/_z/) "
    '[c](<https://one.techidaily.com/dots/#">}}{{<x>}}>) [d](https://one.techidaily.com/..%2F..%2Fetc/)',
}
"""Texts by the name of a file."""
ADDRESSES = ("{{ x }}/{% y %}/_z", "..%2F..%2Fetc", "' | x: '", "a%2525b%23c", "_index", "index.html/x")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of hostile files."""
    folder = tmp_path_factory.mktemp("files")
    rows = [(name, front_matter, "") for name, front_matter in FRONT_MATTER.items()]
    rows += [(name, "", body) for name, body in BODIES.items()]
    rows += [(slug, "", "") for slug in ADDRESSES]
    for number, (slug, front_matter, body) in enumerate(rows):
        url = f'url: "https://one.techidaily.com/{slug}/"'
        (folder / f"{number}.md").write_bytes(f"---\n{url}\n{front_matter}\n---\n{body}\n\n{END}\n".encode())
    data = tmp_path_factory.mktemp("data")
    done = here("import", folder, "--data", data)
    assert (done.exit_code, done.stderr) == (0, "")
    return data


@pytest.mark.long
@pytest.mark.parametrize("flavour", FLAVOURS)
def test_each_file_is_inside_the_folder_and_whole(data: Path, tmp_path: Path, flavour: str) -> None:
    export(data, tmp_path / "a" / "b" / "out", "--for", flavour)
    assert [path.name for path in tmp_path.rglob("*") if path.suffix == ".md"] == [
        path.name for path in (tmp_path / "a" / "b" / "out").rglob("*.md")
    ]
    made = files(tmp_path / "a" / "b" / "out")
    assert len(made) == len(FRONT_MATTER) + len(BODIES) + len(ADDRESSES)
    for path, content in made.items():
        _, block, text = re.split(r"(?m)^---\n", content.decode(), maxsplit=2)
        assert isinstance(yaml.safe_load(block), dict), path
        assert text.endswith(f"{END}\n"), path


@pytest.mark.long
@pytest.mark.parametrize("generator", GENERATORS)
def test_a_site_has_every_text(data: Path, tmp_path: Path, generator: str) -> None:
    site = tmp_path / "a" / "b" / "site"
    export(data, site, "--for", generator)
    pages = list(build(site, generator).rglob("index.html"))
    assert len(pages) == len(FRONT_MATTER) + len(BODIES) + len(ADDRESSES)
    for page in pages:
        parsed: Any = html.fromstring(page.read_text(encoding="utf-8"))
        [text] = parsed.xpath("//main")
        assert text.text_content().rstrip().endswith(END), page
    assert list(tmp_path.iterdir()) == [tmp_path / "a"]
