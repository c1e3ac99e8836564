"""Finds out which functions of a program a command calls.

Each function gets a breakpoint at its first instruction, which is removed when it is met: so the command runs at nearly its usual
speed, and may make any system call. See ptrace(2). For x86-64.
"""

import ctypes
import functools
import os
import platform
import re
import signal
import struct
import subprocess

TRACE_ME, CONTINUE, GET_REGISTERS, SET_REGISTERS, DETACH, SET_OPTIONS = 0, 7, 12, 13, 17, 0x4200
# Threads and children are followed, until a child executes another program. All of them end with this process.
FOLLOW = 0x2 | 0x4 | 0x8 | 0x10 | 0x100000
EVENT_EXEC = 4

# struct user_regs_struct of sys/user.h: 27 registers, of which this one is the instruction pointer.
REGISTERS, INSTRUCTION_POINTER = struct.Struct("27Q"), 16

BREAKPOINT = b"\xcc"

ALL_THREADS = 0x40000000

libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p]
libc.ptrace.restype = ctypes.c_long


class Untraceable(Exception):
    """Why a program cannot be watched."""


def ptrace(request, task, data=0):
    if libc.ptrace(request, task, None, data) < 0:
        raise OSError(ctypes.get_errno(), "ptrace")


@functools.cache
def functions(program):
    """The functions of a program: their names, by their addresses in the file's own space."""
    listing = subprocess.run(["readelf", "--wide", "--syms", program], check=True, capture_output=True, text=True).stdout
    line = re.compile(r"^\s*\d+: ([0-9a-f]{16})\s+[1-9]\d*\s+FUNC\s+\S+\s+\S+\s+\d+ (\S+)$", re.MULTILINE)
    names = {}
    for address, name in line.findall(listing):
        names.setdefault(int(address, 16), []).append(name)
    return names


# The type of a program that the kernel maps where it pleases, in the header of the file. See elf(5).
POSITION_INDEPENDENT = 3


def text_of(task, program):
    """The distance between the addresses in the file and those in the memory of a process that has just executed it, where the
    executable part begins there, and its bytes."""
    with open(f"/proc/{task}/maps") as maps:
        ranges = [line.split() for line in maps]
    own = [(fields[0].split("-"), fields[1], int(fields[2], 16)) for fields in ranges if fields[-1] == str(program)]
    with open(program, "rb") as file:
        (kind,) = struct.unpack_from("<H", file.read(18), 16)
    base = int(own[0][0][0], 16) if kind == POSITION_INDEPENDENT else 0
    for (start, end), permissions, _ in own:
        if "x" in permissions:
            start, end = int(start, 16), int(end, 16)
            with open(f"/proc/{task}/mem", "rb") as memory:
                memory.seek(start)
                return base, start, bytearray(memory.read(end - start))
    raise Untraceable(f"{program} is not in the memory of its process")


def write(task, address, data):
    with open(f"/proc/{task}/mem", "r+b", buffering=0) as memory:
        memory.seek(address)
        memory.write(data)


class Watch:
    """A command whose functions are watched."""

    def __init__(self, program, task):
        self.called = set()
        base, start, text = text_of(task, program)
        self.names = {base + address: names for address, names in functions(program).items()}
        self.original = {}
        for address in self.names:
            if start <= address < start + len(text):
                self.original[address] = bytes([text[address - start]])
                text[address - start : address - start + 1] = BREAKPOINT
        write(task, start, text)

    def meet(self, task):
        """Whether the task has met a breakpoint. It is removed, and the task goes on with the instruction that stood there."""
        registers = ctypes.create_string_buffer(REGISTERS.size)
        ptrace(GET_REGISTERS, task, ctypes.addressof(registers))
        values = list(REGISTERS.unpack(registers.raw))
        address = values[INSTRUCTION_POINTER] - 1
        if address not in self.original:
            return False
        self.called.update(self.names[address])
        # Another thread may have removed it meanwhile. A child that was forked has one of its own.
        write(task, address, self.original[address])
        values[INSTRUCTION_POINTER] = address
        registers.raw = REGISTERS.pack(*values)
        ptrace(SET_REGISTERS, task, ctypes.addressof(registers))
        return True

    def follow(self, first):
        """Lets the command run to its end. Returns the exit code."""
        ptrace(CONTINUE, first)
        while True:
            task, status = os.waitpid(-1, ALL_THREADS)
            if not os.WIFSTOPPED(status):
                if task == first:
                    return os.waitstatus_to_exitcode(status)
                continue
            stop, event = os.WSTOPSIG(status), status >> 16
            try:
                if event == EVENT_EXEC:
                    ptrace(DETACH, task)
                    continue
                # The stop of a thread that was just made, or of an event, is not the program's business.
                quiet = event or stop == signal.SIGSTOP or (stop == signal.SIGTRAP and self.meet(task))
                ptrace(CONTINUE, task, 0 if quiet else stop)
            except ProcessLookupError:
                # It was killed meanwhile. Its end is reported next.
                continue


def called(program, words, env):
    """The symbols of the functions that a command calls."""
    if platform.machine() != "x86_64":
        raise Untraceable(f"breakpoints of {platform.machine()} are not known here")
    first = os.fork()
    if first == 0:
        try:
            nothing = os.open(os.devnull, os.O_RDWR)
            for descriptor in range(3):
                os.dup2(nothing, descriptor)
            ptrace(TRACE_ME, 0)
            os.execve(program, [str(program), *words], env)
        finally:
            os._exit(127)
    _, status = os.waitpid(first, 0)
    if not os.WIFSTOPPED(status):
        raise Untraceable(f"{program} cannot be traced")
    ptrace(SET_OPTIONS, first, FOLLOW)
    watch = Watch(program, first)
    code = watch.follow(first)
    if code != 0:
        raise Untraceable(f"{program} {' '.join(words)} ended with {code}")
    return watch.called
