/* The target whose processor is QEMU's: a client of QEMU's own stub, in replay mode.
 *
 * A position is the number of instructions before it, doubled: where an instruction faults, or an
 * interrupt comes before one, the guest goes to an exception vector without an instruction being
 * counted, so there are two states with the same count, and the second's position is odd. QEMU's
 * replay-seek ends in either of the two.
 *
 * What QEMU 7.2 does exactly: seek to a count, step, stop at breakpoints, and go back to the last
 * breakpoint that the run passed with a smaller count. What it does not tell is done here: which
 * watchpoint made it stop on the way back, what happened between this state and the one before (it
 * looks for smaller counts than that), and which of two states with one count is meant.
 */
#include "target.h"

#include <string.h>
#include "gdb.h"
#include "replayed.h"
#include "ring.h"

#define SEEK_MS 60000
#define STUCK_S 2

struct inserted {
    enum gdb_break kind;
    uint64_t address;
    size_t size;
};

struct qemu_target {
    struct gdb_target base; /* first: a target is cast back to this */
    const struct gdb_arch *arch;
    struct replayed replayed;
    uint64_t vectors[GDB_VECTORS_MAX]; /* where exceptions go */
    GArray *inserted;                  /* struct inserted */
    bool dirty;                        /* a debugger wrote something since the last seek */
    bool interrupted;
    bool exhausted; /* and that was we, at the end of the recording */
    uint64_t seen;  /* how far it had come when it was looked at, first */
    gint64 seen_at; /* then */
    enum gdb_resume how;
    bool known; /* how it stopped, before QEMU was asked to go anywhere */
    struct gdb_stop stop;
};

static struct qemu_target *of(struct gdb_target *target)
{
    return (struct qemu_target *)target;
}

/* ---- registers, memory ---- */

/* QEMU may have more, and in another order. */
static bool qemu_read_registers(struct gdb_target *target, uint8_t *bytes)
{
    struct qemu_target *qemu = of(target);
    const struct gdb_arch *arch = qemu->arch;
    const char *answer = link_ask(&qemu->replayed.stub, "g");
    const size_t digits = answer != NULL ? strlen(answer) : 0;
    bool told = digits > 0;
    for (size_t i = 0; told && arch->registers[i].size != 0; i++) {
        const size_t size = arch->registers[i].size, at = 2 * gdb_arch_stub_offset(arch, i);
        told = at + 2 * size <= digits && rsp_unhex(answer + at, 2 * size, bytes, size);
        bytes += size;
    }
    return told;
}

/* Only what is changed: of some QEMU thinks when they are written. */
static bool qemu_write_registers(struct gdb_target *target, const uint8_t *bytes)
{
    struct qemu_target *qemu = of(target);
    const struct gdb_arch *arch = qemu->arch;
    uint8_t before[GDB_REGISTERS_BYTES];
    bool written = qemu_read_registers(target, before);
    qemu->dirty = true;
    for (size_t i = 0; written && arch->registers[i].size != 0; i++) {
        const size_t size = arch->registers[i].size, at = gdb_arch_offset(arch, i);
        if (memcmp(before + at, bytes + at, size) == 0)
            continue;
        g_autoptr(GString) request = g_string_new(NULL);
        g_string_printf(request, "P%zx=", gdb_arch_stub_number(arch, i));
        rsp_hex(request, bytes + at, size);
        written = link_order(&qemu->replayed.stub, request->str);
    }
    return written;
}

/* By physical address: whatever the processor's mode and space are just now. */
static bool qemu_write_memory(struct gdb_target *target, uint64_t physical, const uint8_t *bytes,
                              size_t size)
{
    struct qemu_target *qemu = of(target);
    struct link *stub = &qemu->replayed.stub;
    g_autoptr(GString) request = g_string_new(NULL);
    g_string_printf(request, "M%" G_GINT64_MODIFIER "x,%zx:", physical, size);
    rsp_hex(request, bytes, size);
    const bool written = link_order(stub, "Qqemu.PhyMemMode:1") && link_order(stub, request->str);
    qemu->dirty = true;
    return link_order(stub, "Qqemu.PhyMemMode:0") && written;
}

static uint64_t pc_of(struct qemu_target *qemu)
{
    uint8_t registers[GDB_REGISTERS_BYTES];
    uint64_t pc = 0;
    if (qemu_read_registers(&qemu->base, registers))
        memcpy(&pc, registers + gdb_arch_offset(qemu->arch, qemu->arch->pc),
               qemu->arch->registers[qemu->arch->pc].size);
    return pc;
}

/* ---- where it stands ---- */

/* Whether this is the state after an exception that no instruction was counted for. */
static bool at_vector(struct qemu_target *qemu)
{
    const uint64_t pc = pc_of(qemu);
    for (size_t i = 0; i < qemu->arch->vectors_count; i++)
        if (pc == qemu->vectors[i] && i != qemu->arch->vector_counted)
            return true;
    return false;
}

static bool locate(struct qemu_target *qemu)
{
    uint64_t count;
    if (!qmp_position(qemu->replayed.qmp, &count))
        return false;
    qemu->base.position = 2 * count + at_vector(qemu);
    return true;
}

static bool order_break(struct qemu_target *qemu, const struct inserted *inserted, char verb)
{
    char request[64];
    g_snprintf(request, sizeof request, "%c%u,%" G_GINT64_MODIFIER "x,%zx", verb,
               (unsigned)inserted->kind, inserted->address, inserted->size);
    return link_order(&qemu->replayed.stub, request);
}

/* Also what is no breakpoint stops a replay that is on its way: they are taken out meanwhile. */
static bool order_breaks(struct qemu_target *qemu, char verb, bool watches_only)
{
    bool done = true;
    for (guint i = 0; i < qemu->inserted->len; i++) {
        const struct inserted *inserted = &g_array_index(qemu->inserted, struct inserted, i);
        if (!watches_only || inserted->kind >= GDB_WATCH_WRITE)
            done = order_break(qemu, inserted, verb) && done;
    }
    return done;
}

/* One instruction, or the exception that comes first. NULL: the guest is gone. */
static const char *step(struct qemu_target *qemu)
{
    const char *stopped = link_ask(&qemu->replayed.stub, "s");
    return stopped != NULL && stopped[0] == 'T' ? stopped : NULL;
}

/* To one of the states with this count. Nothing is inserted. */
static bool seek_count(struct qemu_target *qemu, uint64_t count)
{
    uint64_t now;
    if (!qmp_position(qemu->replayed.qmp, &now))
        return false;
    if (now == count)
        return locate(qemu);
    return qmp_seek(qemu->replayed.qmp, count) &&
           link_receive(&qemu->replayed.stub, SEEK_MS) != NULL && locate(qemu) &&
           qemu->base.position / 2 == count;
}

/* A step that touched what is watched has ended as a step: where a watchpoint stops after the
 * access, QEMU keeps that stop for when the guest goes on, which then goes nowhere
 * (cpu_check_watchpoint). */
static bool settle(struct qemu_target *qemu)
{
    uint64_t before, after;
    if (qemu->arch->watch_stops_before)
        return true;
    return qmp_position(qemu->replayed.qmp, &before) && step(qemu) != NULL &&
           qmp_position(qemu->replayed.qmp, &after) &&
           (after == before || seek_count(qemu, before));
}

/* To a state, which there is. Nothing is inserted. */
static bool seek_state(struct qemu_target *qemu, uint64_t position)
{
    if (!seek_count(qemu, position / 2))
        return false;
    if (qemu->base.position > position && !seek_count(qemu, position / 2 - 1))
        return false;
    while (qemu->base.position < position)
        if (step(qemu) == NULL || !locate(qemu))
            return false;
    return qemu->base.position == position;
}

/* A write is undone by going back to the recording's snapshot, its begin. */
static bool qemu_seek(struct gdb_target *target, uint64_t position)
{
    struct qemu_target *qemu = of(target);
    const bool clean = !qemu->dirty || seek_count(qemu, 0);
    qemu->dirty = qemu->dirty && !clean;
    return clean && seek_state(qemu, position);
}

/* ---- breakpoints ---- */

static bool qemu_set_break(struct gdb_target *target, enum gdb_break kind, uint64_t address,
                           size_t size, bool insert)
{
    struct qemu_target *qemu = of(target);
    const struct inserted inserted = {kind, address, size};
    if (!order_break(qemu, &inserted, insert ? 'Z' : 'z'))
        return false;
    if (insert) {
        g_array_append_val(qemu->inserted, inserted);
        return true;
    }
    for (guint i = 0; i < qemu->inserted->len; i++) {
        const struct inserted *other = &g_array_index(qemu->inserted, struct inserted, i);
        if (other->kind == kind && other->address == address && other->size == size) {
            g_array_remove_index_fast(qemu->inserted, i);
            break;
        }
    }
    return true;
}

static bool any_watch(const struct qemu_target *qemu)
{
    for (guint i = 0; i < qemu->inserted->len; i++)
        if (g_array_index(qemu->inserted, struct inserted, i).kind >= GDB_WATCH_WRITE)
            return true;
    return false;
}

static bool at_breakpoint(struct qemu_target *qemu)
{
    const uint64_t pc = pc_of(qemu);
    for (guint i = 0; i < qemu->inserted->len; i++) {
        const struct inserted *inserted = &g_array_index(qemu->inserted, struct inserted, i);
        if (inserted->kind <= GDB_BREAK_HARDWARE && inserted->address == pc)
            return true;
    }
    return false;
}

/* "T05thread:01;watch:80c43040;" */
static bool read_watch(const char *stopped, struct gdb_stop *stop)
{
    static const struct {
        const char *text;
        enum gdb_break kind;
    } watches[] = {
        {";rwatch:", GDB_WATCH_READ}, {";awatch:", GDB_WATCH_ACCESS}, {";watch:", GDB_WATCH_WRITE}};
    for (size_t i = 0; i < G_N_ELEMENTS(watches); i++) {
        const char *found = strstr(stopped, watches[i].text);
        if (found == NULL)
            continue;
        found += strlen(watches[i].text);
        stop->kind = GDB_STOP_WATCH;
        stop->watch = watches[i].kind;
        return rsp_number(&found, &stop->address);
    }
    return false;
}

/* ---- backwards ---- */

static void say_gone(struct qemu_target *qemu, struct gdb_stop *stop)
{
    stop->kind = GDB_STOP_GONE;
    replayed_end(&qemu->replayed, stop->reason, sizeof stop->reason);
}

/* To the last state with this count: after the exception that comes there, if one does. Nothing is
 * inserted. */
static bool seek_last(struct qemu_target *qemu, uint64_t count)
{
    if (!seek_count(qemu, count))
        return false;
    if (qemu->base.position % 2 != 0)
        return true;
    if (step(qemu) == NULL || !locate(qemu))
        return false;
    return qemu->base.position / 2 == count || seek_state(qemu, 2 * count);
}

/* The state before this one. Nothing is inserted. */
static bool step_back(struct qemu_target *qemu)
{
    const uint64_t here = qemu->base.position;
    uint8_t registers[GDB_REGISTERS_BYTES];
    if (here < 2)
        return true;
    if (here % 2 != 0)
        return seek_state(qemu, here - 1);
    if (!qemu_read_registers(&qemu->base, registers))
        return false;
    return qemu->arch->near_exception(registers) ? seek_last(qemu, here / 2 - 1)
                                                 : seek_state(qemu, here - 2);
}

/* Whether what leads here from the state before touches what is watched; `stop` says what then.
 * Ends here, or before that. All breakpoints are inserted. */
static bool watched_before(struct qemu_target *qemu, struct gdb_stop *stop)
{
    const uint64_t here = qemu->base.position;
    uint64_t end = here;
    if (here < 2 || !any_watch(qemu))
        return false;
    const char *stopped = NULL;
    bool watched = false;
    if (order_breaks(qemu, 'z', false) && step_back(qemu)) {
        const uint64_t before = qemu->base.position;
        if (order_breaks(qemu, 'Z', true) && (stopped = step(qemu)) != NULL)
            watched = read_watch(stopped, stop);
        if (watched && !settle(qemu))
            stopped = NULL;
        if (watched && !qemu->arch->watch_stops_before)
            end = before;
    }
    order_breaks(qemu, 'z', true);
    const bool back = stopped != NULL && locate(qemu) && seek_state(qemu, end);
    if (!back || !order_breaks(qemu, 'Z', false))
        say_gone(qemu, stop);
    return watched || !back;
}

/* One state back, with all breakpoints inserted; stops there if there is one. */
static bool breakpoint_before(struct qemu_target *qemu)
{
    const bool moved =
        order_breaks(qemu, 'z', false) && step_back(qemu) && order_breaks(qemu, 'Z', false);
    return moved && at_breakpoint(qemu);
}

/* QEMU looks for a smaller count than here: what has the same, and what lies between, is looked at
 * first. Whether that was all. */
static bool reverse_begins(struct qemu_target *qemu)
{
    if (watched_before(qemu, &qemu->stop))
        return true;
    if (qemu->how == GDB_REVERSE_STEP) {
        if (!order_breaks(qemu, 'z', false) || !step_back(qemu) || !order_breaks(qemu, 'Z', false))
            say_gone(qemu, &qemu->stop);
        return true;
    }
    const bool odd = qemu->base.position % 2 != 0;
    return odd && (breakpoint_before(qemu) || watched_before(qemu, &qemu->stop));
}

/* QEMU has gone back to a count at which there is a breakpoint, or what is watched was just
 * touched, or to the begin of all. Of two states with that count the later one comes first. */
static void reverse_ends(struct qemu_target *qemu, struct gdb_stop *stop)
{
    const uint64_t count = qemu->base.position / 2;
    if (!order_breaks(qemu, 'z', false) || !seek_last(qemu, count) ||
        !order_breaks(qemu, 'Z', false)) {
        say_gone(qemu, stop);
        return;
    }
    if (!at_breakpoint(qemu) && qemu->base.position % 2 != 0)
        breakpoint_before(qemu);
    if (!at_breakpoint(qemu))
        watched_before(qemu, stop);
}

/* ---- going ---- */

/* A run that was led astray has the recording's instructions and no more: at its end, and where it
 * does not fit any more, QEMU neither goes on nor stops. */
static bool is_exhausted(const struct qemu_target *qemu, uint64_t count)
{
    return qemu->dirty && count + 1 >= qemu->replayed.length;
}

static void look_for_end(struct qemu_target *qemu)
{
    uint64_t count;
    if (!qemu->dirty || qemu->how != GDB_CONTINUE || qemu->exhausted ||
        !qmp_position(qemu->replayed.qmp, &count))
        return;
    if (count != qemu->seen)
        qemu->seen_at = g_get_monotonic_time();
    qemu->seen = count;
    qemu->exhausted = is_exhausted(qemu, count) ||
                      g_get_monotonic_time() - qemu->seen_at > STUCK_S * G_USEC_PER_SEC;
    if (qemu->exhausted)
        link_interrupt(&qemu->replayed.stub);
}

static void qemu_resume(struct gdb_target *target, enum gdb_resume how)
{
    static const char *const verbs[] = {
        [GDB_STEP] = "s", [GDB_CONTINUE] = "c", [GDB_REVERSE_CONTINUE] = "bc"};
    struct qemu_target *qemu = of(target);
    qemu->how = how;
    qemu->interrupted = qemu->exhausted = false;
    qemu->seen = 0;
    qemu->stop = (struct gdb_stop){.kind = GDB_STOPPED};
    if (how < GDB_REVERSE_STEP && is_exhausted(qemu, qemu->base.position / 2)) {
        qemu->stop.kind = GDB_STOP_END;
        qemu->known = true;
        return;
    }
    qemu->known = how >= GDB_REVERSE_STEP && reverse_begins(qemu);
    if (!qemu->known)
        link_send(&qemu->replayed.stub, verbs[how]);
}

static void qemu_interrupt(struct gdb_target *target)
{
    struct qemu_target *qemu = of(target);
    qemu->interrupted = qemu->how == GDB_CONTINUE; /* the others end soon by themselves */
    if (qemu->interrupted)
        link_interrupt(&qemu->replayed.stub);
}

/* T05 with or without a watchpoint; T02 interrupted, or where a seek or a search backwards ends;
 * others when the recording is at its end. */
static void understand(struct qemu_target *qemu, const char *stopped, struct gdb_stop *stop)
{
    const bool trapped = g_str_has_prefix(stopped, "T05"),
               paused = g_str_has_prefix(stopped, "T02");
    *stop = (struct gdb_stop){.kind = GDB_STOPPED};
    const bool watched = trapped && read_watch(stopped, stop);
    const bool settled = !watched || qemu->how != GDB_STEP || settle(qemu);
    if (!settled || !locate(qemu))
        say_gone(qemu, stop);
    else if ((!trapped && !paused) || (qemu->exhausted && paused))
        stop->kind = GDB_STOP_END;
    else if (qemu->interrupted && paused)
        stop->kind = GDB_STOP_INTERRUPTED;
    else if (qemu->how == GDB_REVERSE_CONTINUE && !watched)
        reverse_ends(qemu, stop);
}

static bool qemu_stopped(struct gdb_target *target, struct gdb_stop *stop)
{
    struct qemu_target *qemu = of(target);
    if (qemu->known) {
        qemu->known = false;
        *stop = qemu->stop;
        return true;
    }
    const char *stopped = link_receive(&qemu->replayed.stub, 0);
    if (qemu->replayed.stub.gone) {
        *stop = (struct gdb_stop){.kind = GDB_STOP_GONE};
        say_gone(qemu, stop);
        return true;
    }
    if (stopped == NULL)
        look_for_end(qemu);
    if (stopped == NULL || stopped[0] != 'T')
        return false;
    understand(qemu, stopped, stop);
    return true;
}

/* ---- life ---- */

static void qemu_close(struct gdb_target *target)
{
    struct qemu_target *qemu = of(target);
    replayed_close(&qemu->replayed);
    if (qemu->base.events != NULL)
        g_array_free(qemu->base.events, TRUE);
    g_array_free(qemu->inserted, TRUE);
    g_free(qemu);
}

/* The run has left the guest's tables in RAM. */
static bool find_vectors(struct qemu_target *qemu, const struct image *image, GError **error)
{
    const struct gdb_arch *arch = qemu->arch;
    uint64_t address;
    if (!image_symbol(image, arch->vectors, &address)) {
        g_set_error(error, GDB_ERROR, GDB_ERROR_UNABLE, "%s has no symbol %s", image->path,
                    arch->vectors);
        return false;
    }
    for (size_t i = 0; i < arch->vectors_count; i++, address += arch->vector_size) {
        const void *at =
            guestmem_at(qemu->base.memory, address - arch->kernel, arch->vector_size, 1);
        qemu->vectors[i] = address;
        if (arch->vectors_are_table && at != NULL)
            memcpy(&qemu->vectors[i], at, arch->vector_size);
    }
    return true;
}

static struct gdb_target *open_with(const struct gdb_target_ops *ops,
                                    const struct gdb_target_config *config, GError **error)
{
    struct qemu_target *qemu = g_new0(struct qemu_target, 1);
    qemu->base.ops = ops;
    qemu->arch = config->arch;
    qemu->inserted = g_array_new(FALSE, FALSE, sizeof(struct inserted));
    bool opened = replayed_record(&qemu->replayed, config, error);
    if (opened) {
        qemu->base.memory = qemu->replayed.memory;
        qemu->base.events = ring_events(qemu->base.memory);
        ring_result(qemu->base.memory, &qemu->base.result);
        opened = find_vectors(qemu, config->image, error) &&
                 replayed_begin(&qemu->replayed, config->plan, error);
    }
    if (!opened) {
        qemu_close(&qemu->base);
        return NULL;
    }
    qemu->base.fd = qemu->replayed.stub.fd;
    return &qemu->base;
}

static struct gdb_target *armv7_open(const struct gdb_target_config *config, GError **error)
{
    return open_with(&gdb_target_qemu, config, error);
}

static struct gdb_target *x86_64_open(const struct gdb_target_config *config, GError **error)
{
    return open_with(&gdb_target_qemu_x86_64, config, error);
}

#define QEMU_TARGET                                                                                \
    .read_registers = qemu_read_registers, .write_registers = qemu_write_registers,                \
    .write_memory = qemu_write_memory, .set_break = qemu_set_break, .resume = qemu_resume,         \
    .interrupt = qemu_interrupt, .stopped = qemu_stopped, .seek = qemu_seek, .close = qemu_close

const struct gdb_target_ops gdb_target_qemu = {.backend = "qemu", .open = armv7_open, QEMU_TARGET};
const struct gdb_target_ops gdb_target_qemu_x86_64 = {
    .backend = "qemu-x86_64", .open = x86_64_open, QEMU_TARGET};
