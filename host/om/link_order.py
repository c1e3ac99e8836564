#!/usr/bin/env python3
"""Finds the functions that short commands call, for the linker to put side by side: `link_order.py OM ORDER`.

A command calls one in thirty of the program's functions. Where the linker leaves them they are on nearly every page of it, and
to find and map these pages takes a fifth of the time that a status takes. `make release` links the program, lets this script
watch it, and links it again in the order that it writes: one symbol a line.

With a linker other than LLD, which alone takes such a list, or on another machine than x86-64, ORDER is empty and says nothing.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from called_functions import Untraceable, called

# A service of two flags: all that a command does happens, and nothing outside of its directories.
OBJECT = "[DEFAULT]\nnodes = n1\n[fs#1]\ntype = flag\n[fs#2]\ntype = flag\n"

# The commands, those first that are run most often: what only a later one calls stands behind what the earlier ones call.
COMMANDS = ["web print status --refresh", "web print status", "web instance start", "web instance stop", "* ls", "--version"]


def is_linked_by_lld(program):
    """LLD leaves its name in the section .comment, as other linkers do."""
    return b"Linker: LLD" in program.read_bytes()


def order(program):
    """The symbols of all commands."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        (directory / "etc").mkdir()
        (directory / "etc/web.conf").write_text(OBJECT)
        env = dict(os.environ, HOSTLER_ROOT=name, HOSTLER_NODENAME="n1", HOSTLER_CACHE=str(directory / "cache"))
        # A driver is compiled once in the life of a node, and not by these commands.
        subprocess.run([program, "web", "print", "status", "--refresh"], env=env, check=True, stdout=subprocess.DEVNULL)
        symbols = {}
        for command in COMMANDS:
            symbols.update(dict.fromkeys(sorted(called(program, command.split(), env))))
        return symbols


class NoOrder(Exception):
    """Why there can be no list."""


def order_if_any(program):
    """The same, or the reason why there is no list."""
    if not is_linked_by_lld(program):
        raise NoOrder(f"{program} was linked by another linker than LLD")
    try:
        return order(program)
    except (OSError, Untraceable, subprocess.CalledProcessError) as error:
        raise NoOrder(f"a command cannot be watched: {error}") from error


def main():
    program, target = Path(sys.argv[1]).resolve(), Path(sys.argv[2])
    try:
        symbols = order_if_any(program)
    except NoOrder as reason:
        # A release that starts more slowly is better than none.
        print(f"link_order: {reason}: the functions of om stay where the linker put them", file=sys.stderr)
        symbols = []
    if not is_known(symbols, target):
        target.write_text("".join(f"{symbol}\n" for symbol in symbols))


def is_known(symbols, target):
    """Whether a list from the last time will do, so that nothing is linked again: some functions are called by chance."""
    if not target.exists():
        return False
    known = set(target.read_text().split())
    missing = [symbol for symbol in symbols if symbol not in known]
    return len(missing) * 100 <= len(symbols)


main()
