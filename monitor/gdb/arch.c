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

/* gdb manual, G.5.15: org.gnu.gdb.i386.core, which has an FPU (this guest has none: zeros), and
 * org.gnu.gdb.i386.segments */
static const char x86_64_description[] =
    "<?xml version=\"1.0\"?><!DOCTYPE target SYSTEM \"gdb-target.dtd\">"
    "<target version=\"1.0\"><architecture>i386:x86-64</architecture>"
    "<feature name=\"org.gnu.gdb.i386.core\">"
    "<reg name=\"rax\" bitsize=\"64\" type=\"int64\"/>"
    "<reg name=\"rbx\" bitsize=\"64\" type=\"int64\"/>"
    "<reg name=\"rcx\" bitsize=\"64\" type=\"int64\"/>"
    "<reg name=\"rdx\" bitsize=\"64\" type=\"int64\"/>"
    "<reg name=\"rsi\" bitsize=\"64\" type=\"int64\"/>"
    "<reg name=\"rdi\" bitsize=\"64\" type=\"int64\"/>"
    "<reg name=\"rbp\" bitsize=\"64\" type=\"data_ptr\"/>"
    "<reg name=\"rsp\" bitsize=\"64\" type=\"data_ptr\"/>"
    "<reg name=\"r8\" bitsize=\"64\" type=\"int64\"/>"
    "<reg name=\"r9\" bitsize=\"64\" type=\"int64\"/>"
    "<reg name=\"r10\" bitsize=\"64\" type=\"int64\"/>"
    "<reg name=\"r11\" bitsize=\"64\" type=\"int64\"/>"
    "<reg name=\"r12\" bitsize=\"64\" type=\"int64\"/>"
    "<reg name=\"r13\" bitsize=\"64\" type=\"int64\"/>"
    "<reg name=\"r14\" bitsize=\"64\" type=\"int64\"/>"
    "<reg name=\"r15\" bitsize=\"64\" type=\"int64\"/>"
    "<reg name=\"rip\" bitsize=\"64\" type=\"code_ptr\"/>"
    "<reg name=\"eflags\" bitsize=\"32\" type=\"int32\"/>"
    "<reg name=\"cs\" bitsize=\"32\" type=\"int32\"/>"
    "<reg name=\"ss\" bitsize=\"32\" type=\"int32\"/>"
    "<reg name=\"ds\" bitsize=\"32\" type=\"int32\"/>"
    "<reg name=\"es\" bitsize=\"32\" type=\"int32\"/>"
    "<reg name=\"fs\" bitsize=\"32\" type=\"int32\"/>"
    "<reg name=\"gs\" bitsize=\"32\" type=\"int32\"/>"
    "<reg name=\"st0\" bitsize=\"80\" type=\"i387_ext\"/>"
    "<reg name=\"st1\" bitsize=\"80\" type=\"i387_ext\"/>"
    "<reg name=\"st2\" bitsize=\"80\" type=\"i387_ext\"/>"
    "<reg name=\"st3\" bitsize=\"80\" type=\"i387_ext\"/>"
    "<reg name=\"st4\" bitsize=\"80\" type=\"i387_ext\"/>"
    "<reg name=\"st5\" bitsize=\"80\" type=\"i387_ext\"/>"
    "<reg name=\"st6\" bitsize=\"80\" type=\"i387_ext\"/>"
    "<reg name=\"st7\" bitsize=\"80\" type=\"i387_ext\"/>"
    "<reg name=\"fctrl\" bitsize=\"32\" type=\"int\" group=\"float\"/>"
    "<reg name=\"fstat\" bitsize=\"32\" type=\"int\" group=\"float\"/>"
    "<reg name=\"ftag\" bitsize=\"32\" type=\"int\" group=\"float\"/>"
    "<reg name=\"fiseg\" bitsize=\"32\" type=\"int\" group=\"float\"/>"
    "<reg name=\"fioff\" bitsize=\"32\" type=\"int\" group=\"float\"/>"
    "<reg name=\"foseg\" bitsize=\"32\" type=\"int\" group=\"float\"/>"
    "<reg name=\"fooff\" bitsize=\"32\" type=\"int\" group=\"float\"/>"
    "<reg name=\"fop\" bitsize=\"32\" type=\"int\" group=\"float\"/>"
    "</feature><feature name=\"org.gnu.gdb.i386.segments\">"
    "<reg name=\"fs_base\" bitsize=\"64\" type=\"int\"/>"
    "<reg name=\"gs_base\" bitsize=\"64\" type=\"int\"/></feature></target>";

/* QEMU has the bases of segments and control registers before those of the FPU
 * (gdb-xml/i386-64bit.xml). */
#define FPU_FIRST 24
#define X86_64_CS (17 * 8 + 4)

/* In user mode it was none: the kernel lies between. */
static bool x86_64_near_exception(const uint8_t *registers)
{
    const uint8_t privilege = registers[X86_64_CS] & 3;
    return privilege == 0;
}

#define UNSAVED(size)                                                                              \
    {                                                                                              \
        size, GDB_NOT_SAVED                                                                        \
    }
#define FOUR_OF(x) x, x, x, x

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
        .vectors_count = 8,
        .vector_size = 4,
        .vector_counted = 2,
        .near_exception = arm_near_exception,
        .watch_stops_before = true,
    },
    {
        .name = "x86_64",
        .description = x86_64_description,
        /* as vectors.S pushes them */
        .registers = {{8, 56},
                      {8, 48},
                      {8, 64},
                      {8, 16},
                      {8, 8},
                      {8, 0},
                      {8, 72},
                      {8, 160},
                      {8, 32},
                      {8, 40},
                      {8, 24},
                      {8, 80},
                      {8, 88},
                      {8, 96},
                      {8, 104},
                      {8, 112},
                      {8, 136},
                      {4, 152},
                      {4, 144},
                      {4, 168},
                      FOUR_OF(UNSAVED(4)),
                      FOUR_OF(UNSAVED(10)),
                      FOUR_OF(UNSAVED(10)),
                      FOUR_OF(UNSAVED(4)),
                      FOUR_OF(UNSAVED(4)),
                      UNSAVED(8),
                      UNSAVED(8)},
        .pc = 16,
        .ram = 0,
        .kernel = 0xffffffff80000000u,
        .tables = "top",
        .vectors = "stubs",
        .vectors_are_table = true,
        .vectors_count = 33,
        .vector_size = 8,
        .vector_counted = 1,
        .spans = {{0, 0, 0}, {FPU_FIRST, 37, 268}, {FPU_FIRST + 16, 28, 196}},
        .near_exception = x86_64_near_exception,
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

static const struct gdb_span *span_of(const struct gdb_arch *arch, size_t number)
{
    const struct gdb_span *span = &arch->spans[0];
    for (size_t i = 1; i < GDB_SPANS && arch->spans[i].first != 0; i++)
        if (number >= arch->spans[i].first)
            span = &arch->spans[i];
    return span;
}

size_t gdb_arch_stub_number(const struct gdb_arch *arch, size_t number)
{
    const struct gdb_span *span = span_of(arch, number);
    return span->number + number - span->first;
}

size_t gdb_arch_stub_offset(const struct gdb_arch *arch, size_t number)
{
    const struct gdb_span *span = span_of(arch, number);
    return span->offset + gdb_arch_offset(arch, number) - gdb_arch_offset(arch, span->first);
}
