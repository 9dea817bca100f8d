/* What a debugger has to know of a guest's architecture. One row each; what is not in the table has
 * no debugger. */
#ifndef FAULTLINE_GDB_ARCH_H
#define FAULTLINE_GDB_ARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GDB_REGISTERS_MAX   64u
#define GDB_REGISTERS_BYTES 1024u /* of all */
#define GDB_NOT_SAVED       UINT16_MAX
#define GDB_SPANS           3u
#define GDB_VECTORS_MAX     64u

struct gdb_register {
    uint16_t size;
    uint16_t saved; /* where in the kernel's struct arch_frame; GDB_NOT_SAVED: nowhere */
};

struct gdb_arch {
    const char *name;        /* as images call it */
    const char *description; /* target.xml: which registers there are, in order */
    struct gdb_register registers[GDB_REGISTERS_MAX]; /* ends with size 0 */
    size_t pc;                                        /* number of a register */
    uint64_t ram;                                     /* physical address of guest RAM */
    uint64_t kernel;     /* virtual address at which the kernel sees all of it */
    const char *tables;  /* the kernel's array of top page tables, by space */
    const char *vectors; /* symbol: where exceptions go, or a table of that */
    bool vectors_are_table;
    size_t vectors_count, vector_size;
    size_t
        vector_counted; /* the one that an instruction goes to: a system call, a step that traps */
    /* Where QEMU's stub has our registers among its own: from `first` on, up to the next's. */
    struct gdb_span {
        size_t first, number, offset;
    } spans[GDB_SPANS];
    /* Whether an exception may have been taken in the last instruction or two; else surely none
     * was. */
    bool (*near_exception)(const uint8_t *registers);
    bool watch_stops_before; /* a watchpoint stops the guest before the access, not after */
};

/* NULL: none. */
const struct gdb_arch *gdb_arch(const char *name);

/* Bytes of all registers; and of those before a register. */
size_t gdb_arch_size(const struct gdb_arch *arch);
size_t gdb_arch_offset(const struct gdb_arch *arch, size_t number);
/* How many there are. */
size_t gdb_arch_registers(const struct gdb_arch *arch);
/* Where QEMU's stub has it: its number there, and its offset among all. */
size_t gdb_arch_stub_number(const struct gdb_arch *arch, size_t number);
size_t gdb_arch_stub_offset(const struct gdb_arch *arch, size_t number);

#endif
