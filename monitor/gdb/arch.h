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
    uint64_t kernel;       /* virtual address at which the kernel sees all of it */
    const char *tables;    /* the kernel's array of top page tables, by space */
    const char *vectors;   /* symbol: where exceptions go */
    size_t vectors_size;   /* bytes from there on */
    size_t vector_of_call; /* offset of the vector that a system call takes */
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

#endif
