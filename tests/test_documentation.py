"""The pages: each is found from the README, and each link in them leads somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = sorted(
    path.relative_to(ROOT)
    for pattern in ("*.md", "docs/**/*.md", "examples/**/*.md", "firmware/**/*.md")
    for path in ROOT.glob(pattern)
)
LINK = re.compile(r"\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)")


def links(page: Path) -> list[tuple[Path, str]]:
    """Files, from the root, and the heading in them."""
    found = LINK.findall((ROOT / page).read_text())
    return [
        (((ROOT / page).parent / name).resolve().relative_to(ROOT) if name else page, heading)
        for name, heading in found
    ]


def headings(page: Path) -> set[str]:
    """As they are written behind `#`."""
    titles = re.findall(r"^#+ (.*)$", (ROOT / page).read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_links(page: Path) -> None:
    for target, heading in links(page):
        assert (ROOT / target).exists(), target
        assert not heading or heading in headings(target), f"{target}#{heading}"


def test_every_page_is_found_from_the_readme() -> None:
    found, new = set(), {Path("README.md")}
    while new:
        page = new.pop()
        found.add(page)
        new |= {target for target, _ in links(page) if target.suffix == ".md"} - found
    assert {page for page in PAGES if page.parts[0] == "docs"} <= found


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) < 110
