/* A debugger's target without a guest: a machine whose i-th instruction writes the i-th event of
 * its run, and whose last one ends it. It says of itself where it is by pc, and may spin. */
#ifndef FAULTLINE_TESTS_FAKE_TARGET_H
#define FAULTLINE_TESTS_FAKE_TARGET_H

#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include "gdb/ring.h"
#include "gdb/target.h"
#include "workdir.h"

enum { FAKE_EVENTS = 300, FAKE_BREAKS = 16 };
#define FAKE_PC 0x80010000u

struct fake_target {
    struct gdb_target base;
    const struct gdb_arch *arch;
    struct workdir *workdir;
    struct {
        enum gdb_break kind;
        uint64_t address, size;
    } breaks[FAKE_BREAKS];
    unsigned n_breaks;
    uint8_t registers[GDB_REGISTERS_BYTES];
    enum gdb_resume how;
    bool spins; /* a continue that has nowhere to stop ends when it is interrupted */
    bool interrupted;
    unsigned writes;
};

static inline struct fake_target *fake_of(struct gdb_target *target)
{
    return (struct fake_target *)target;
}

static inline struct fl_event fake_event(size_t i)
{
    struct fl_event event = {
        .id_time = (uint64_t)(i + 1) << 16 | FL_EVENT_YIELD,
        .thread = FL_PATH_CORE,
        .space = FL_SPACE_CORE,
    };
    if (i == 0)
        event.id_time = 1 << 16 | FL_EVENT_RUN_BEGIN;
    return event;
}

/* Where the i-th instruction writes. */
static inline uint64_t fake_offset(uint64_t i)
{
    return i < FAKE_EVENTS ? ring_event_offset(i) : ring_end_offset();
}

static inline void fake_place(struct fake_target *fake, uint64_t position)
{
    struct guestmem *memory = fake->base.memory;
    const uint32_t over = position > FAKE_EVENTS;
    for (size_t i = 0; i < FAKE_EVENTS; i++) {
        const struct fl_event event = i < position ? fake_event(i) : (struct fl_event){0};
        memcpy(guestmem_at(memory, ring_event_offset(i), sizeof event, 8), &event, sizeof event);
    }
    for (size_t i = 0; i < FAKE_EVENTS; i += FL_PACKET_EVENTS) {
        const uint32_t magic = i <= position ? FL_CTF_MAGIC : 0;
        memcpy(guestmem_at(memory, ring_event_offset(i) - FL_PACKET_HEADER, 4, 4), &magic, 4);
    }
    memcpy(guestmem_at(memory, ring_end_offset(), 4, 4), &over, 4);
    const uint32_t pc = FAKE_PC + 4 * (uint32_t)position;
    memcpy(fake->registers + gdb_arch_offset(fake->arch, fake->arch->pc), &pc, 4);
    fake->base.position = position;
}

static inline bool fake_at_break(const struct fake_target *fake)
{
    for (unsigned i = 0; i < fake->n_breaks; i++)
        if (fake->breaks[i].kind <= GDB_BREAK_HARDWARE &&
            fake->breaks[i].address == FAKE_PC + 4 * fake->base.position)
            return true;
    return false;
}

static inline bool fake_watched(const struct fake_target *fake, uint64_t instruction,
                                struct gdb_stop *stop)
{
    const uint64_t address = fake->arch->kernel + fake_offset(instruction);
    for (unsigned i = 0; i < fake->n_breaks; i++) {
        if (fake->breaks[i].kind != GDB_WATCH_WRITE || fake->breaks[i].address > address ||
            address - fake->breaks[i].address >= fake->breaks[i].size)
            continue;
        *stop =
            (struct gdb_stop){.kind = GDB_STOP_WATCH, .watch = GDB_WATCH_WRITE, .address = address};
        return true;
    }
    return false;
}

static inline struct gdb_target *fake_open(const struct gdb_target_config *config, GError **error);

static inline bool fake_read_registers(struct gdb_target *target, uint8_t *bytes)
{
    memcpy(bytes, fake_of(target)->registers, gdb_arch_size(fake_of(target)->arch));
    return true;
}

static inline bool fake_write_registers(struct gdb_target *target, const uint8_t *bytes)
{
    memcpy(fake_of(target)->registers, bytes, gdb_arch_size(fake_of(target)->arch));
    fake_of(target)->writes++;
    return true;
}

static inline bool fake_write_memory(struct gdb_target *target, uint64_t physical,
                                     const uint8_t *bytes, size_t size)
{
    void *at = guestmem_at(target->memory, physical - fake_of(target)->arch->ram, size, 1);
    if (at == NULL)
        return false;
    memcpy(at, bytes, size);
    fake_of(target)->writes++;
    return true;
}

static inline bool fake_set_break(struct gdb_target *target, enum gdb_break kind, uint64_t address,
                                  size_t size, bool insert)
{
    struct fake_target *fake = fake_of(target);
    if (insert && fake->n_breaks < FAKE_BREAKS) {
        fake->breaks[fake->n_breaks].kind = kind;
        fake->breaks[fake->n_breaks].address = address;
        fake->breaks[fake->n_breaks++].size = size;
        return true;
    }
    for (unsigned i = 0; i < fake->n_breaks; i++) {
        if (fake->breaks[i].kind != kind || fake->breaks[i].address != address)
            continue;
        fake->breaks[i] = fake->breaks[--fake->n_breaks];
        return true;
    }
    return false;
}

static inline void fake_resume(struct gdb_target *target, enum gdb_resume how)
{
    fake_of(target)->how = how;
    fake_of(target)->interrupted = false;
}

static inline void fake_interrupt(struct gdb_target *target)
{
    fake_of(target)->interrupted = true;
    eventfd_write(target->fd, 1);
}

static inline bool fake_forwards(struct fake_target *fake, struct gdb_stop *stop)
{
    for (;;) {
        const uint64_t here = fake->base.position;
        if (fake_watched(fake, here, stop))
            return true;
        fake_place(fake, MIN(here + 1, FAKE_EVENTS + 1));
        if (fake->how == GDB_STEP || fake_at_break(fake) || here > FAKE_EVENTS)
            return true;
    }
}

static inline bool fake_backwards(struct fake_target *fake, struct gdb_stop *stop)
{
    while (fake->base.position > 0 && !fake_watched(fake, fake->base.position - 1, stop)) {
        fake_place(fake, fake->base.position - 1);
        if (fake->how == GDB_REVERSE_STEP || fake_at_break(fake))
            break;
    }
    return true;
}

static inline bool fake_stopped(struct gdb_target *target, struct gdb_stop *stop)
{
    struct fake_target *fake = fake_of(target);
    *stop = (struct gdb_stop){.kind = GDB_STOPPED};
    if (fake->how >= GDB_REVERSE_STEP)
        return fake_backwards(fake, stop);
    const bool guarded =
        fake->n_breaks == 1 && fake->breaks[0].address == fake->arch->kernel + ring_end_offset();
    if (fake->how == GDB_STEP || !fake->spins || !guarded)
        return fake_forwards(fake, stop);
    stop->kind = GDB_STOP_INTERRUPTED;
    return fake->interrupted;
}

static inline bool fake_seek(struct gdb_target *target, uint64_t position)
{
    fake_place(fake_of(target), position);
    return true;
}

static inline void fake_close(struct gdb_target *target)
{
    struct fake_target *fake = fake_of(target);
    guestmem_free(target->memory);
    workdir_close(fake->workdir);
    g_array_free(target->events, TRUE);
    close(target->fd);
    g_free(fake);
}

static const struct gdb_target_ops fake_ops = {
    .backend = "fake",
    .open = fake_open,
    .read_registers = fake_read_registers,
    .write_registers = fake_write_registers,
    .write_memory = fake_write_memory,
    .set_break = fake_set_break,
    .resume = fake_resume,
    .interrupt = fake_interrupt,
    .stopped = fake_stopped,
    .seek = fake_seek,
    .close = fake_close,
};

static inline struct gdb_target *fake_open(const struct gdb_target_config *config, GError **error)
{
    struct fake_target *fake = g_new0(struct fake_target, 1);
    fake->base.ops = &fake_ops;
    fake->arch = config->arch;
    fake->workdir = workdir_open(error);
    g_autofree char *ram = g_build_filename(workdir_path(fake->workdir), WORKDIR_RAM, NULL);
    fake->base.memory = guestmem_create(ram, FL_RAM_SIZE, error);
    fake->base.fd = eventfd(0, EFD_CLOEXEC);
    fake->base.events = g_array_new(FALSE, FALSE, sizeof(struct fl_event));
    for (size_t i = 0; i < FAKE_EVENTS; i++) {
        const struct fl_event event = fake_event(i);
        g_array_append_val(fake->base.events, event);
    }
    fake_place(fake, 0);
    return &fake->base;
}

#endif
