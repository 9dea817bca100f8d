#include "arch.h"

#include <glib.h>
#include <string.h>

/* gdb manual, G.5.3: org.gnu.gdb.arm.core */
static const char arm_description[] =
    "<?xml version=\"1.0\"?><!DOCTYPE target SYSTEM \"gdb-target.dtd\">"
    "<target version=\"1.0\"><architecture>arm</architecture>"
    "<feature name=\"org.gnu.gdb.arm.core\">"
    "<reg name=\"r0\" bitsize=\"32\"/><reg name=\"r1\" bitsize=\"32\"/>"
    "<reg name=\"r2\" bitsize=\"32\"/><reg name=\"r3\" bitsize=\"32\"/>"
    "<reg name=\"r4\" bitsize=\"32\"/><reg name=\"r5\" bitsize=\"32\"/>"
    "<reg name=\"r6\" bitsize=\"32\"/><reg name=\"r7\" bitsize=\"32\"/>"
    "<reg name=\"r8\" bitsize=\"32\"/><reg name=\"r9\" bitsize=\"32\"/>"
    "<reg name=\"r10\" bitsize=\"32\"/><reg name=\"r11\" bitsize=\"32\"/>"
    "<reg name=\"r12\" bitsize=\"32\"/><reg name=\"sp\" bitsize=\"32\" type=\"data_ptr\"/>"
    "<reg name=\"lr\" bitsize=\"32\"/><reg name=\"pc\" bitsize=\"32\" type=\"code_ptr\"/>"
    "<reg name=\"cpsr\" bitsize=\"32\"/></feature></target>";

/* In user and supervisor mode, which is where handlers go soon, it was a system call if anything
 * (DDI 0406C B1.3.1). */
static bool arm_near_exception(const uint8_t *registers)
{
    const uint8_t mode = registers[16 * 4] & 0x1f;
    return mode != 0x10 && mode != 0x13;
}

static const struct gdb_arch archs[] = {
    {
        .name = "armv7",
        .description = arm_description,
        /* r0-r12, sp, lr, pc, cpsr: as vectors.S stores them */
        .registers = {{4, 0},
                      {4, 4},
                      {4, 8},
                      {4, 12},
                      {4, 16},
                      {4, 20},
                      {4, 24},
                      {4, 28},
                      {4, 32},
                      {4, 36},
                      {4, 40},
                      {4, 44},
                      {4, 48},
                      {4, 52},
                      {4, 56},
                      {4, 60},
                      {4, 64}},
        .pc = 15,
        .ram = 0x40000000u,
        .kernel = 0x80000000u,
        .tables = "first_level",
        .vectors = "vectors",
        .vectors_size = 32,
        .vector_of_call = 8,
        .near_exception = arm_near_exception,
        .watch_stops_before = true,
    },
};

const struct gdb_arch *gdb_arch(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(archs); i++)
        if (strcmp(archs[i].name, name) == 0)
            return &archs[i];
    return NULL;
}

size_t gdb_arch_registers(const struct gdb_arch *arch)
{
    size_t count = 0;
    while (arch->registers[count].size != 0)
        count++;
    return count;
}

size_t gdb_arch_offset(const struct gdb_arch *arch, size_t number)
{
    size_t offset = 0;
    for (size_t i = 0; i < number; i++)
        offset += arch->registers[i].size;
    return offset;
}

size_t gdb_arch_size(const struct gdb_arch *arch)
{
    return gdb_arch_offset(arch, gdb_arch_registers(arch));
}
