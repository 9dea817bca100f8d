"""What Faultline adds to gdb: the commands `fl ...`, and printers for the guest kernel's structures.

`faultline gdb` loads it. The questions are answered by Faultline's server behind `target remote`
(`monitor help`), which knows the recorded run; here is what gdb itself has to do for them.
"""

import re

import gdb

AHEAD, BEHIND = "ahead", "behind"
VIEWS = {
    "threads": "who exists, and what each does or waits for",
    "slots": "stack slots: what the allocator's table says, and who holds them by their marks",
    "maps": "pages mapped, and vm areas",
    "faults": "page faults, those in flight first",
    "ipc": "messages on their way, and who waits for one",
    "chain": "vm areas, the chains of objects behind them, and their pages",
    "point": "where the guest stands",
    "events": "the last events; `fl events N`: so many",
    "why": "which entry of the plan made the last switch",
    "hash": "hashes of the events so far and of guest memory",
}
MOVES = {
    "goto": "to right after event N, forwards or backwards: `fl goto N`",
    "next-ipc": "to the next message",
    "next-fault": "to the next page fault",
    "back": "to the stop before this one",
}


def ask(question):
    try:
        return gdb.execute("monitor " + question, to_string=True)
    except gdb.error as error:
        raise gdb.GdbError(f"faultline: {error}; is this a guest of `faultline gdb`?")


class Faultline(gdb.Command):
    """Faultline: the recorded run around this stop. `help fl` lists the commands."""

    def __init__(self):
        super().__init__("fl", gdb.COMMAND_STATUS, prefix=True)


class View(gdb.Command):
    def __init__(self, name, summary):
        self.__doc__ = summary
        self.name = name
        super().__init__("fl " + name, gdb.COMMAND_STATUS)

    def invoke(self, argument, from_tty):
        gdb.write(ask(f"{self.name} {argument}".rstrip()))


class Move(gdb.Command):
    """The server is told where to, and goes there at the next continue, past all breakpoints."""

    def __init__(self, name, summary):
        self.__doc__ = summary
        self.name = name
        super().__init__("fl " + name, gdb.COMMAND_RUNNING)

    def invoke(self, argument, from_tty):
        answer = ask(f"{self.name} {argument}".rstrip())
        gdb.write(answer)
        if answer.startswith(AHEAD):
            gdb.execute("continue")
        elif answer.startswith(BEHIND):
            gdb.execute("reverse-continue")


# ---- the allocator's own table of stack slots, as it lies in guest memory ----

USER_END = 0x80000000
SLOT_SIZE = 0x100000
CONTEXT_BASE = 0x40000000
SLOT_LINE = re.compile(r"^(\w+) +slot +\d+ +(0x[0-9a-f]+)  ", re.ASCII)
TABLE_WIDTH = len("table taken   held ")


def user_blocks():
    """Of the files of the program that the selected thread runs, as far as they call each other."""
    frame, blocks = gdb.newest_frame(), []
    while frame is not None:
        symtab = frame.find_sal().symtab
        if frame.pc() < USER_END and symtab is not None:
            blocks += [symtab.static_block(), symtab.global_block()]
        frame = frame.older()
    return blocks


def program_value(name, blocks):
    """gdb.lookup_symbol may find the variable of another program: they use the same names."""
    for block in blocks:
        for symbol in block:
            if symbol.name == name and symbol.is_variable:
                return symbol.value()
    return None


def slots_of_list(entry):
    """An allocator that asks the threads in its list for their contexts."""
    taken = set()
    while int(entry) != 0 and len(taken) < 64:
        taken.add(int(entry["thread"]["context"]) & ~(SLOT_SIZE - 1))
        entry = entry["next"]
    return taken


def slots_of_bits(words):
    bits = [(i, int(words[i])) for i in range(words.type.range()[1] + 1)]
    return {
        CONTEXT_BASE + (i * 32 + bit) * SLOT_SIZE
        for i, word in bits
        for bit in range(32)
        if word >> bit & 1
    }


def slots_taken(domain):
    """Addresses of the slots that the domain's allocator says are taken; None: it cannot be read."""
    selected = gdb.selected_thread()
    try:
        thread = next(t for t in gdb.selected_inferior().threads() if t.name == domain)
        thread.switch()
        blocks = user_blocks()
        allocator = program_value("stack_allocator", blocks)
        bits = program_value("slots_taken", blocks)
        library = int(allocator) == 0 or "<stack_bit_allocator>" in str(allocator)
        return slots_of_bits(bits) if library else slots_of_list(program_value("list", blocks))
    except (gdb.error, StopIteration, AttributeError, TypeError, RuntimeError):
        return None
    finally:
        selected.switch()


def with_tables(text):
    """What the marks say is held, and what the allocator's table says: a race is where they differ."""
    tables, lines = {}, []
    for line in text.splitlines(keepends=True):
        found = SLOT_LINE.match(line)
        if found is None:
            lines.append(" " * TABLE_WIDTH + line if line.startswith(" ") else line)
            continue
        domain, address = found[1], int(found[2], 16)
        if domain not in tables:
            tables[domain] = slots_taken(domain)
        says = "?" if tables[domain] is None else "taken" if address in tables[domain] else "free"
        lines.append(f"{line[:found.end()]}table {says:<7} held {line[found.end():]}")
    return "".join(lines)


class Slots(View):
    def invoke(self, argument, from_tty):
        gdb.write(with_tables(ask(self.name)))


# ---- a write makes the run another one: said at once, and by the server from then on ----

diverged = False


def warn(event):
    global diverged
    if not diverged:
        gdb.write("faultline: this run has diverged from the recorded one; `fl goto N` returns\n")
    diverged = True


def forget(event):
    global diverged
    diverged = "diverged" in gdb.execute("monitor point", to_string=True) if diverged else False


# ---- printers ----


def path_text(path):
    """A thread's creation path: a byte a level, from the top."""
    levels = [path >> shift & 0xFF for shift in (24, 16, 8, 0)]
    levels = levels[: levels.index(0)] if 0 in levels else levels
    if not levels:
        return "kernel"
    head = "core" if levels[0] == 1 else f"d{levels[0] - 1}"
    return ".".join([head] + [str(level) for level in levels[1:]])


def thread_text(pointer):
    return path_text(int(pointer["path"])) if int(pointer) != 0 else "nobody"


def queue_members(queue):
    thread, members = queue["head"], []
    while int(thread) != 0 and len(members) < 64:
        members.append(path_text(int(thread["path"])))
        thread = thread["next"]
    return members


class ThreadPrinter:
    """A struct thread of the kernel, in one line."""

    def __init__(self, value):
        self.value = value

    def to_string(self):
        value = self.value
        state = str(value["state"]).replace("THREAD_", "").lower()
        text = f"{path_text(int(value['path']))}: {state}, n {int(value['n'])} k {int(value['k'])}"
        if int(value["partner"]) != 0:
            text += f", partner {thread_text(value['partner'])}"
        senders = queue_members(value["senders"])
        if senders:
            text += f", senders {' '.join(senders)}"
        return text + f", space {int(value['space'])}"


class QueuePrinter:
    """A struct queue: who is in it, in order."""

    def __init__(self, value):
        self.value = value

    def to_string(self):
        return "[" + " ".join(queue_members(self.value)) + "]"


class FramePrinter:
    """A struct arch_frame: a thread's user registers."""

    def __init__(self, value):
        self.value = value

    def to_string(self):
        fields = [field.name for field in self.value.type.fields()]
        pc = int(self.value["pc" if "pc" in fields else "rip"])
        try:
            symbol = gdb.execute(f"info symbol {pc}", to_string=True).split(" in section")[0]
        except gdb.error:
            symbol = "?"
        return f"pc {pc:#x} <{symbol.strip()}>"

    def children(self):
        for field in self.value.type.fields():
            yield field.name, self.value[field.name]


class EventPrinter:
    """A struct fl_event of the trace ring."""

    def __init__(self, value):
        self.value = value

    def to_string(self):
        time, number = int(self.value["id_time"]) >> 16, int(self.value["id_time"]) & 0xFFFF
        fields = " ".join(f"{name} {int(self.value[name]):#x}" for name in ("addr", "arg", "aux"))
        return f"{time} ns, event {number} of {path_text(int(self.value['thread']))}: {fields}"


PRINTERS = {
    "thread": ThreadPrinter,
    "queue": QueuePrinter,
    "arch_frame": FramePrinter,
    "fl_event": EventPrinter,
}


def is_of_kernel(type_):
    """User code has a struct thread, too: another one."""
    return type_.tag != "thread" or any(field.name == "senders" for field in type_.fields())


def find_printer(value):
    type_ = value.type.strip_typedefs()
    if type_.code != gdb.TYPE_CODE_STRUCT or type_.tag not in PRINTERS or not is_of_kernel(type_):
        return None
    return PRINTERS[type_.tag](value)


Faultline()
for name, summary in VIEWS.items():
    (Slots if name == "slots" else View)(name, summary)
for name, summary in MOVES.items():
    Move(name, summary)
gdb.pretty_printers.append(find_printer)
gdb.events.memory_changed.connect(warn)
gdb.events.register_changed.connect(warn)
gdb.events.stop.connect(forget)
