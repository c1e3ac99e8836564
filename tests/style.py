#!/usr/bin/env python3
"""Measures how the code reads: `make style` prints one row per part of the tree. The figures are not a gate.

A row counts the product's own code: files of tests and `mod tests` blocks count only in the column `tests`, the ratio of
their lines to those of the code. The other columns are explained by `--help`.
"""

import argparse
import re
import statistics
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

COLUMNS = """
files     source files, and the median, 95th percentile and maximum of their lines
//!       files that open by saying what they are for
doc       lines of documentation, relative to lines of code
why       lines with a comment inside a function's body, relative to lines of code
fn        median, 95th percentile and maximum of the lines of a function
tests     lines of tests, relative to lines of code
one-word  types whose name is a single word, of all types
part.     types whose name ends in a participle
types     how many types there are
"""

# Words in -ed and -ing that are nouns, and participles that no ending gives away.
NOUNS = {"Binding", "Bindings", "Building", "Encoding", "Ending", "Heading", "Listing", "Mapping", "Meaning", "Opening",
         "Ping", "Processing", "Ring", "Routing", "Setting", "Settings", "Speed", "Spring", "String", "Thing", "Spelling", "Timing",
         "Warning", "Wording", "Finding", "Standing", "Holding", "Need", "Seed", "Feed", "Embed", "Closing", "Reading"}
IRREGULAR = {"Begun", "Broken", "Chosen", "Done", "Drawn", "Found", "Given", "Gone", "Held", "Kept", "Known", "Left", "Lent",
             "Lost", "Made", "Meant", "Met", "Said", "Seen", "Sent", "Shown", "Spoken", "Spent", "Taken", "Thrown", "Told",
             "Understood", "Won", "Written"}

TYPE = re.compile(r"^\s*(?:pub(?:\([^)]*\))?\s+)?(?:struct|enum|union|trait)\s+([A-Z]\w*)", re.M)
PUBLIC_TYPE = re.compile(r"^pub\s+(?:struct|enum|union|trait|type)\s+([A-Z]\w*)", re.M)
FUNCTION = re.compile(r"\bfn\s+\w+")
# Comments, strings and character literals: what may hold a brace that is not code.
OPAQUE = re.compile(r'//[^\n]*|/\*.*?\*/|b?r(#*)".*?"\1|b?"(?:\\.|[^"\\])*"|\'(?:\\[^\']+|[^\\\'])\'', re.S)
TEST_MODULE = re.compile(r"#\[cfg\(test\)\]\s*(?:#\[[^\]]*\]\s*)*(?:pub\(crate\) )?mod \w+ \{")


class Figures:
    """The figures of one part of the tree."""

    def __init__(self):
        self.sizes, self.functions, self.types = [], [], []
        self.code = self.documentation = self.why = self.tests = self.opened = 0

    def read(self, file):
        text = file.read_text()
        if is_test(file):
            self.tests += code_lines(text)
            return
        for start, end in test_modules(text):
            self.tests += code_lines(text[start:end])
            text = text[:start] + "\n" + text[end:]
        lines = text.splitlines()
        self.sizes.append(len(lines))
        self.opened += text.startswith("//!")
        self.code += code_lines(text)
        self.documentation += sum(line.lstrip().startswith(("///", "//!")) for line in lines)
        bodies = function_bodies(text)
        self.functions += [text.count("\n", start, end) + 1 for start, end in bodies]
        self.why += body_comments(text, bodies)
        self.types += TYPE.findall(plain(text))

    def row(self):
        one_word = [name for name in self.types if len(words(name)) == 1]
        return [
            f"{len(self.sizes)}: {spread(self.sizes)}",
            share(self.opened, len(self.sizes)),
            share(self.documentation, self.code),
            f"{100 * self.why / max(self.code, 1):.1f} %",
            spread(self.functions),
            f"{self.tests / max(self.code, 1):.2f}",
            share(len(one_word), len(self.types)),
            str(sum(is_participle(name) for name in self.types)),
            str(len(self.types)),
        ]


def is_test(file):
    parts = file.relative_to(ROOT).parts
    return "tests" in parts or "benches" in parts or file.stem.endswith("tests")


def test_modules(text):
    """The spans of `mod tests { … }`, the last one first, so that cutting one moves no other."""
    bare = plain(text)
    return [(m.start(), block_end(bare, m.end() - 1)) for m in TEST_MODULE.finditer(bare)][::-1]


def plain(text):
    """The text with comments and literals blanked, every other character where it was."""
    return OPAQUE.sub(lambda m: re.sub(r"[^\n]", " ", m[0]), text)


def block_end(bare, brace):
    depth = 0
    for at in range(brace, len(bare)):
        depth += {"{": 1, "}": -1}.get(bare[at], 0)
        if depth == 0:
            return at + 1
    return len(bare)


def function_bodies(text):
    """From `fn` to the closing brace. A function without a body, as in a trait, has none."""
    bare, spans = plain(text), []
    for found in FUNCTION.finditer(bare):
        end = re.compile(r"[{;]").search(bare, found.end())
        # The type `[u8; 4]` holds a semicolon that ends nothing.
        while end and end[0] == ";" and bare.count("[", found.end(), end.start()) > bare.count("]", found.end(), end.start()):
            end = re.compile(r"[{;]").search(bare, end.end())
        if end and end[0] == "{":
            spans.append((found.start(), block_end(bare, end.start())))
    return spans


def body_comments(text, bodies):
    comments = set()
    for found in OPAQUE.finditer(text):
        if found[0].startswith("//") and not found[0].startswith(("///", "//!")):
            if any(start < found.start() < end for start, end in bodies):
                comments.add(text.count("\n", 0, found.start()))
    return len(comments)


def code_lines(text):
    return sum(bool(line.strip()) and not line.lstrip().startswith("//") for line in text.splitlines())


def words(name):
    return re.findall(r"[A-Z][a-z0-9]*", name)


def is_participle(name):
    last = (words(name) or [name])[-1]
    return last in IRREGULAR or (last.endswith(("ed", "ing")) and last not in NOUNS)


def spread(numbers):
    if not numbers:
        return "-"
    ordered = sorted(numbers)
    return f"{statistics.median_low(ordered)}/{ordered[int(0.95 * (len(ordered) - 1))]}/{ordered[-1]}"


def share(part, whole):
    return f"{100 * part / max(whole, 1):.0f} %"


def crates():
    """Every crate of the product, as (directory, its sources)."""
    for manifest in sorted(ROOT.glob("*/**/Cargo.toml")):
        directory = manifest.parent.relative_to(ROOT)
        if directory.parts[0] in ("host", "sdk", "drivers") and (manifest.parent / "src").is_dir():
            yield directory, sorted(file for sub in ("src", "tests") for file in (manifest.parent / sub).rglob("*.rs"))


def main():
    parser = argparse.ArgumentParser(description=__doc__, epilog=COLUMNS, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--names", action="store_true", help="list the single words, the participles and the shared names")
    args = parser.parse_args()
    parts, public, everything = defaultdict(Figures), defaultdict(set), Figures()
    for directory, files in crates():
        part = "drivers" if directory.parts[0] == "drivers" else str(directory)
        for file in files:
            for figures in (parts[part], everything):
                figures.read(file)
            if directory.parts[0] == "host" and not is_test(file):
                for name in PUBLIC_TYPE.findall(plain(file.read_text())):
                    public[name].add(str(directory))
    table = [["", "files", "//!", "doc", "why", "fn", "tests", "one-word", "part.", "types"]]
    table += [[part, *figures.row()] for part, figures in sorted(parts.items())] + [["all", *everything.row()]]
    widths = [max(len(row[column]) for row in table) for column in range(len(table[0]))]
    for row in table:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())
    twice = {name: crates for name, crates in sorted(public.items()) if len(crates) > 1}
    print(f"public types of one name in two host crates: {len(twice)}")
    if args.names:
        for part, figures in sorted(parts.items()):
            single = sorted(name for name in figures.types if len(words(name)) == 1)
            print(f"{part}: single words: {' '.join(single)}")
            print(f"{part}: participles: {' '.join(sorted(filter(is_participle, figures.types))) or '-'}")
        for name, crates_of in twice.items():
            print(f"{name}: {' '.join(sorted(crates_of))}")


if __name__ == "__main__":
    main()
