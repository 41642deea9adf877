"""A page of a report as a tree, to read what it shows."""

import xml.etree.ElementTree as ET
from html.parser import HTMLParser

_VOID = {"meta"}


class _Builder(HTMLParser):
    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.builder = ET.TreeBuilder()

    def handle_starttag(self, tag, attrs):
        self.builder.start(tag, {name: value or "" for name, value in attrs})
        if tag in _VOID:
            self.builder.end(tag)

    def handle_startendtag(self, tag, attrs):
        self.builder.start(tag, dict(attrs))
        self.builder.end(tag)

    def handle_endtag(self, tag):
        self.builder.end(tag)

    def handle_data(self, data):
        self.builder.data(data)


def parse_page(page):
    """Return the root element of a page."""
    parser = _Builder()
    parser.feed(page.partition("<!DOCTYPE html>")[2].strip())
    return parser.builder.close()


def read(element):
    """Return the text of an element and all in it, with single spaces."""
    return " ".join("".join(element.itertext()).split())


def find_section(root, heading):
    """Return the section or block with a heading."""
    for name in ("section", "div"):
        for each in root.iter(name):
            headings = [*each.findall("h2"), *each.findall("h3"), *each.findall("*/h2")]
            if any(read(found) == heading for found in headings):
                return each
    raise AssertionError(f"no section {heading!r}")


def read_pairs(element):
    """Return terms and definitions as a list of pairs."""
    terms, texts = element.iter("dt"), element.iter("dd")
    return [(read(a), read(b)) for a, b in zip(terms, texts, strict=True)]


def read_rows(element):
    """Return the cells of the rows of tables, by row, heads first."""
    return [[read(cell) for cell in row] for row in element.iter("tr")]
