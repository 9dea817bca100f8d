/* The target whose processor is KVM's, under our own VMM.
 *
 * A position is a pair: how many events the guest has begun to write, and how many steps it has
 * made since. To go back is to make the run again: a new guest, at full speed to the event before,
 * from there by steps. The same plan makes the same run, so the same pair is the same state.
 *
 * Breakpoints and what is watched are found by stepping: where KVM is nested, the processor's own
 * do not fire. What is watched stops the guest when it changes; reads are not seen. */
#include "target.h"

#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include "gdb.h"
#include "ring.h"
#include "vmm.h"

#define MARK     "trace_space" /* every event goes through it */
#define UNTIL    UINT64_MAX
#define WATCHED  8u /* bytes at a time */
#define STEPS_OF 32

struct inserted {
    enum gdb_break kind;
    uint64_t address;
    size_t size;
};

struct kvm_target {
    struct gdb_target base; /* first: a target is cast back to this */
    const struct gdb_arch *arch;
    struct vmm vmm;
    uint64_t mark;
    GArray *inserted; /* struct inserted */
    bool dirty;       /* a debugger wrote something since the guest was made */
    bool known;       /* how it stopped */
    struct gdb_stop stop;
    bool searching;   /* backwards, for the last stop before `from` */
    bool interrupted; /* meanwhile */
    uint64_t from, marks, found;
    int always; /* an eventfd that can always be read: the search goes on when we are asked */
};

static struct kvm_target *of(struct gdb_target *target)
{
    return (struct kvm_target *)target;
}

static uint64_t place(uint64_t marks, uint64_t steps)
{
    return marks << STEPS_OF | steps;
}

static uint64_t marks_of(uint64_t position)
{
    return position >> STEPS_OF;
}

static void locate(struct kvm_target *kvm)
{
    kvm->base.position = place(kvm->vmm.state.marks, kvm->vmm.state.steps);
    kvm->base.fd = kvm->searching ? kvm->always : kvm->vmm.fd;
}

static bool order(struct kvm_target *kvm, const struct debug_order *wanted)
{
    const bool done = vmm_order(&kvm->vmm, wanted);
    if (done)
        locate(kvm);
    return done;
}

/* ---- registers, memory ---- */

/* The VMM's number of gdb's register; those of the FPU lie between. */
static unsigned number_of(const struct gdb_arch *arch, size_t i)
{
    const size_t core = 24, behind = gdb_arch_registers(arch) - (DEBUG_REGISTERS - core);
    if (i < core)
        return (unsigned)i;
    return i >= behind ? (unsigned)(i - behind + core) : DEBUG_REGISTERS;
}

static bool kvm_read_registers(struct gdb_target *target, uint8_t *bytes)
{
    const struct kvm_target *kvm = of(target);
    for (size_t i = 0; kvm->arch->registers[i].size != 0; i++) {
        const size_t size = kvm->arch->registers[i].size;
        const unsigned number = number_of(kvm->arch, i);
        memset(bytes, 0, size);
        if (number < DEBUG_REGISTERS)
            memcpy(bytes, &kvm->vmm.state.registers[number], size);
        bytes += size;
    }
    return true;
}

/* Segments stay what they are. */
static bool kvm_write_registers(struct gdb_target *target, const uint8_t *bytes)
{
    struct kvm_target *kvm = of(target);
    for (size_t i = 0; i <= DEBUG_RFLAGS; i++) {
        struct debug_order set = {.verb = DEBUG_SET, .kind = i};
        memcpy(&set.address, bytes + gdb_arch_offset(kvm->arch, i), kvm->arch->registers[i].size);
        if (set.address != kvm->vmm.state.registers[i] && !order(kvm, &set))
            return false;
    }
    kvm->dirty = true;
    return true;
}

static bool kvm_write_memory(struct gdb_target *target, uint64_t physical, const uint8_t *bytes,
                             size_t size)
{
    struct kvm_target *kvm = of(target);
    kvm->dirty = true;
    for (size_t i = 0; i < size; i++) {
        const struct debug_order byte = {
            .verb = DEBUG_WRITE, .address = physical + i, .kind = bytes[i]};
        if (!order(kvm, &byte))
            return false;
    }
    return true;
}

/* ---- places ---- */

static bool clear_breaks(struct kvm_target *kvm)
{
    return order(kvm, &(struct debug_order){.verb = DEBUG_CLEAR});
}

static bool send_breaks(struct kvm_target *kvm)
{
    bool done = clear_breaks(kvm);
    for (guint i = 0; done && i < kvm->inserted->len; i++) {
        const struct inserted *inserted = &g_array_index(kvm->inserted, struct inserted, i);
        const bool watched = inserted->kind == GDB_WATCH_WRITE;
        for (size_t at = 0; done && at < (watched ? inserted->size : 1); at += WATCHED) {
            const struct debug_order add = {.verb = DEBUG_BREAK,
                                            .address = inserted->address + at,
                                            .count = MIN(WATCHED, inserted->size - at),
                                            .kind = watched};
            done = order(kvm, &add);
        }
    }
    return done;
}

static bool run_until(struct kvm_target *kvm, uint64_t position)
{
    return order(kvm, &(struct debug_order){.verb = DEBUG_RUN,
                                            .count = UNTIL,
                                            .marks = marks_of(position),
                                            .steps = (uint32_t)position});
}

static bool run_to_mark(struct kvm_target *kvm, uint64_t marks)
{
    const uint64_t here = marks_of(kvm->base.position);
    return marks <= here ||
           order(kvm, &(struct debug_order){
                          .verb = DEBUG_MARK, .address = kvm->mark, .count = marks - here});
}

static bool again(struct kvm_target *kvm)
{
    kvm->dirty = false;
    if (!vmm_restart(&kvm->vmm, NULL))
        return false;
    locate(kvm);
    return true;
}

static bool kvm_seek(struct gdb_target *target, uint64_t position)
{
    struct kvm_target *kvm = of(target);
    if ((kvm->dirty || target->position > position) && !again(kvm))
        return false;
    return clear_breaks(kvm) && run_to_mark(kvm, marks_of(position)) && run_until(kvm, position) &&
           target->position == position;
}

static uint64_t kvm_before_event(struct gdb_target *target, size_t event)
{
    (void)target;
    return place(event + 1, 0);
}

/* ---- breakpoints ---- */

static bool kvm_set_break(struct gdb_target *target, enum gdb_break kind, uint64_t address,
                          size_t size, bool insert)
{
    struct kvm_target *kvm = of(target);
    const struct inserted inserted = {kind, address, size};
    if (insert) {
        g_array_append_val(kvm->inserted, inserted);
        return true;
    }
    for (guint i = 0; i < kvm->inserted->len; i++) {
        const struct inserted *other = &g_array_index(kvm->inserted, struct inserted, i);
        if (other->kind == kind && other->address == address && other->size == size) {
            g_array_remove_index_fast(kvm->inserted, i);
            break;
        }
    }
    return true;
}

/* ---- backwards ---- */

static void say_gone(struct kvm_target *kvm, struct gdb_stop *stop)
{
    *stop = (struct gdb_stop){.kind = GDB_STOP_GONE};
    if (!vmm_is_gone(&kvm->vmm, stop->reason, sizeof stop->reason))
        g_strlcpy(stop->reason, "the VMM does not answer", sizeof stop->reason);
}

static void watch_stop(const struct kvm_target *kvm, struct gdb_stop *stop)
{
    for (guint i = 0; i < kvm->inserted->len; i++) {
        const struct inserted *inserted = &g_array_index(kvm->inserted, struct inserted, i);
        if (inserted->kind == GDB_WATCH_WRITE &&
            kvm->vmm.state.address - inserted->address < inserted->size)
            *stop = (struct gdb_stop){GDB_STOP_WATCH, GDB_WATCH_WRITE, inserted->address, ""};
    }
}

/* The state before this one. */
static bool step_back(struct kvm_target *kvm)
{
    const uint64_t here = kvm->base.position;
    if ((uint32_t)here != 0)
        return kvm_seek(&kvm->base, here - 1);
    if (marks_of(here) <= 1)
        return true;
    return kvm_seek(&kvm->base, place(marks_of(here) - 1, 0)) && run_until(kvm, here) &&
           kvm_seek(&kvm->base, place(kvm->vmm.state.marks_before, kvm->vmm.state.steps_before));
}

/* Looks through the states from that mark to the next, or to `here`, for the last stop. */
static bool scan(struct kvm_target *kvm, uint64_t marks, uint64_t here, uint64_t *found)
{
    const uint64_t end = MIN(place(marks + 1, 0), here);
    bool done = kvm_seek(&kvm->base, place(marks, 0)) && send_breaks(kvm);
    while (done && kvm->base.position < end && (done = run_until(kvm, end))) {
        const struct debug_state *state = &kvm->vmm.state;
        if (state->reason == DEBUG_AT_BREAK && kvm->base.position < here) {
            *found = kvm->base.position;
            kvm->stop = (struct gdb_stop){.kind = GDB_STOPPED};
        } else if (state->reason == DEBUG_CHANGED) {
            *found = place(state->marks_before, state->steps_before);
            watch_stop(kvm, &kvm->stop);
        }
    }
    return done;
}

/* One more part of the search: from one mark to the next. Whoever interrupts it finds the guest
 * where nothing was found yet. false: the guest is gone. */
static bool search(struct kvm_target *kvm)
{
    bool done = scan(kvm, kvm->marks, kvm->from, &kvm->found);
    const bool over = kvm->found != 0 || kvm->marks <= 1 || kvm->interrupted;
    if (done && over) {
        kvm->searching = false;
        if (kvm->found == 0 && kvm->interrupted)
            kvm->stop = (struct gdb_stop){.kind = GDB_STOP_INTERRUPTED};
        kvm->known = true;
        done = kvm_seek(&kvm->base, kvm->found != 0 ? kvm->found : place(kvm->marks, 0));
    }
    kvm->marks--;
    return done;
}

static void begin_search(struct kvm_target *kvm)
{
    kvm->searching = true;
    kvm->interrupted = false;
    kvm->from = kvm->base.position;
    kvm->marks = marks_of(kvm->from);
    kvm->found = 0;
    locate(kvm);
}

/* ---- going ---- */

/* Nothing but the end of the run, which comes after its last event. */
static bool only_end(const struct kvm_target *kvm)
{
    const struct inserted *first = &g_array_index(kvm->inserted, struct inserted, 0);
    return !kvm->dirty && kvm->inserted->len == 1 && first->kind == GDB_WATCH_WRITE &&
           first->address == kvm->arch->kernel + ring_end_offset();
}

static void kvm_resume(struct gdb_target *target, enum gdb_resume how)
{
    struct kvm_target *kvm = of(target);
    bool done = true;
    kvm->stop = (struct gdb_stop){.kind = GDB_STOPPED};
    kvm->known = how == GDB_REVERSE_STEP;
    if (kvm->known) {
        done = step_back(kvm);
    } else if (how == GDB_REVERSE_CONTINUE) {
        begin_search(kvm);
    } else {
        const struct debug_order run = {.verb = DEBUG_RUN,
                                        .count = how == GDB_STEP ? 1 : UNTIL,
                                        .marks = UNTIL,
                                        .steps = UNTIL};
        done = (how == GDB_STEP || !only_end(kvm) || run_to_mark(kvm, target->events->len)) &&
               send_breaks(kvm) && vmm_send(&kvm->vmm, &run);
    }
    if (!done) {
        kvm->known = true;
        say_gone(kvm, &kvm->stop);
    }
}

static void kvm_interrupt(struct gdb_target *target)
{
    struct kvm_target *kvm = of(target);
    kvm->interrupted = true;
    if (!kvm->known && !kvm->searching)
        vmm_send(&kvm->vmm, &(struct debug_order){.verb = DEBUG_STOP});
}

static bool kvm_stopped(struct gdb_target *target, struct gdb_stop *stop)
{
    struct kvm_target *kvm = of(target);
    if (kvm->searching && !search(kvm)) {
        kvm->searching = false;
        kvm->known = true;
        say_gone(kvm, &kvm->stop);
    } else if (kvm->searching) {
        return false;
    }
    *stop = kvm->stop;
    if (kvm->known)
        return true;
    if (!vmm_receive(&kvm->vmm)) {
        char reason[sizeof stop->reason];
        if (vmm_is_gone(&kvm->vmm, reason, sizeof reason))
            say_gone(kvm, stop);
        return stop->kind == GDB_STOP_GONE;
    }
    locate(kvm);
    kvm->known = true;
    if (kvm->vmm.state.reason == DEBUG_CHANGED)
        watch_stop(kvm, stop);
    else if (kvm->vmm.state.reason == DEBUG_STOPPED)
        stop->kind = GDB_STOP_INTERRUPTED;
    return true;
}

/* ---- life ---- */

static void kvm_close(struct gdb_target *target)
{
    struct kvm_target *kvm = of(target);
    vmm_close(&kvm->vmm);
    close(kvm->always);
    if (target->events != NULL)
        g_array_free(target->events, TRUE);
    g_array_free(kvm->inserted, TRUE);
    g_free(kvm);
}

static struct gdb_target *open_with(const struct gdb_target_ops *ops,
                                    const struct gdb_target_config *config, GError **error)
{
    struct kvm_target *kvm = g_new0(struct kvm_target, 1);
    kvm->base.ops = ops;
    kvm->arch = config->arch;
    kvm->inserted = g_array_new(FALSE, FALSE, sizeof(struct inserted));
    kvm->always = eventfd(1, EFD_CLOEXEC);
    g_assert(kvm->always >= 0);
    bool opened = vmm_open(&kvm->vmm, config, error);
    if (opened) {
        kvm->base.memory = kvm->vmm.memory;
        kvm->base.events = ring_events(kvm->base.memory);
        ring_result(kvm->base.memory, &kvm->base.result);
        opened = vmm_restart(&kvm->vmm, error);
    }
    if (opened && !image_symbol(config->image, MARK, &kvm->mark)) {
        g_set_error(error, GDB_ERROR, GDB_ERROR_UNABLE, "%s has no symbol " MARK,
                    config->image->path);
        opened = false;
    }
    if (!opened) {
        kvm_close(&kvm->base);
        return NULL;
    }
    locate(kvm);
    return &kvm->base;
}

static struct gdb_target *kvm_open(const struct gdb_target_config *config, GError **error)
{
    return open_with(&gdb_target_kvm, config, error);
}

static struct gdb_target *nested_open(const struct gdb_target_config *config, GError **error)
{
    return open_with(&gdb_target_kvm_nested, config, error);
}

#define KVM_TARGET                                                                                 \
    .reads_unwatched = true, .read_registers = kvm_read_registers,                                 \
    .write_registers = kvm_write_registers, .write_memory = kvm_write_memory,                      \
    .set_break = kvm_set_break, .resume = kvm_resume, .interrupt = kvm_interrupt,                  \
    .stopped = kvm_stopped, .seek = kvm_seek, .before_event = kvm_before_event, .close = kvm_close

const struct gdb_target_ops gdb_target_kvm = {.backend = "kvm", .open = kvm_open, KVM_TARGET};
const struct gdb_target_ops gdb_target_kvm_nested = {
    .backend = "kvm-nested", .open = nested_open, KVM_TARGET};
