/* Call frame information as in DWARF 5, 6.4. What a function says nothing of it has not changed, as
 * the procedure call standards have it (AAPCS32 6.1.1, System V AMD64 3.2.1), and the stack pointer
 * of the caller is the canonical frame address.
 *
 * A function that has called another and kept no return address never returns: there the thread
 * began. */
#include "unwind.h"

#include <dwarf.h>
#include <stdlib.h>
#include <string.h>
#include "symbols.h"

#define REGISTERS 17u /* DWARF's numbers of those that matter are below */
#define CALL_SIZE 8u  /* bytes: as much as may tell a call instruction */
#define INLINED   16u

/* Where an architecture's struct arch_frame (guest/arch) has its registers. */
struct frame_layout {
    uint32_t arch;                                /* FL_ARCH_* */
    unsigned word;                                /* bytes of a register */
    unsigned size;                                /* of the frame */
    unsigned stack;                               /* DWARF's number of the stack pointer */
    unsigned n;                                   /* registers, as DWARF counts them */
    uint16_t offset[REGISTERS];                   /* of each in the frame */
    uint16_t pc;                                  /* of the program counter in the frame */
    bool (*calls)(const uint8_t code[CALL_SIZE]); /* whether it ends in a call instruction */
};

/* BL, BLX of a register (DDI 0406C A8.8.25, A8.8.26). */
static bool armv7_calls(const uint8_t code[CALL_SIZE])
{
    uint32_t word;
    memcpy(&word, code + CALL_SIZE - sizeof word, sizeof word);
    return (word & 0x0f000000u) == 0x0b000000u || (word & 0x0ffffff0u) == 0x012fff30u;
}

/* CALL: e8 and four bytes of how far; ff with 2 in the middle of the second byte, and up to five of
 * an operand (SDM 2A, CALL). */
static bool x86_64_calls(const uint8_t code[CALL_SIZE])
{
    bool found = code[CALL_SIZE - 5] == 0xe8;
    for (unsigned size = 2; size <= 7; size++)
        found = found ||
                (code[CALL_SIZE - size] == 0xff && (code[CALL_SIZE - size + 1] >> 3 & 7u) == 2);
    return found;
}

static const struct frame_layout layouts[] = {
    {
        .arch = FL_ARCH_ARMV7, /* DWARF for the Arm Architecture (IHI 0040), 4.1: r0 to r14 */
        .word = 4,
        .size = 68,
        .stack = 13,
        .n = 15,
        .offset = {0, 4, 8, 12, 16, 20, 24, 28, 32, 36, 40, 44, 48, 52, 56},
        .pc = 60,
        .calls = armv7_calls,
    },
    {
        .arch = FL_ARCH_X86_64, /* System V ABI, AMD64, 3.6.2: rax rdx rcx rbx rsi rdi rbp rsp r8 */
        .word = 8,
        .size = 176,
        .stack = 7,
        .n = 16,
        .offset = {56, 16, 64, 48, 8, 0, 72, 160, 32, 40, 24, 80, 88, 96, 104, 112},
        .pc = 136,
        .calls = x86_64_calls,
    },
};

struct walk {
    const struct frame_layout *layout;
    Dwarf_CFI *calls;
    struct guestwalk *memory;
    uint64_t pc;
    uint64_t registers[REGISTERS];
};

static const struct frame_layout *layout_of(const struct image *image)
{
    for (size_t i = 0; i < sizeof layouts / sizeof layouts[0]; i++)
        if (layouts[i].arch == image->header.arch)
            return &layouts[i];
    return NULL;
}

static uint64_t word_of(const struct frame_layout *layout, const void *bytes)
{
    uint64_t word = 0;
    memcpy(&word, bytes, layout->word); /* little-endian, as the host is */
    return word;
}

static bool read_registers(struct walk *walk, uint32_t frame)
{
    const struct frame_layout *layout = walk->layout;
    const uint8_t *bytes =
        frame != 0 ? guestmem_at(walk->memory->memory, frame, layout->size, layout->word) : NULL;
    if (bytes == NULL)
        return false;
    for (unsigned i = 0; i < layout->n; i++)
        walk->registers[i] = word_of(layout, bytes + layout->offset[i]);
    walk->pc = word_of(layout, bytes + layout->pc);
    return true;
}

/* The two shapes of expression that compilers make of a frame address: a register and an offset,
 * and the offset from the frame address. */
static bool evaluate(const struct walk *walk, const Dwarf_Op *ops, size_t n, uint64_t cfa,
                     uint64_t *value)
{
    for (size_t i = 0; i < n; i++) {
        const Dwarf_Op *op = &ops[i];
        if (i == 0 && op->atom == DW_OP_bregx && op->number < walk->layout->n)
            *value = walk->registers[op->number] + op->number2;
        else if (i == 0 && op->atom == DW_OP_call_frame_cfa)
            *value = cfa;
        else if (i > 0 && op->atom == DW_OP_plus_uconst)
            *value += op->number;
        else
            return false;
    }
    if (walk->layout->word == sizeof(uint32_t))
        *value = (uint32_t)*value;
    return n > 0;
}

enum rule { RULE_SAME, RULE_SAVED, RULE_LOST };

/* The caller's value of a register. */
static enum rule restore(const struct walk *walk, Dwarf_Frame *frame, unsigned number, uint64_t cfa,
                         uint64_t *value)
{
    Dwarf_Op room[3], *ops = NULL;
    size_t n = 0;
    uint64_t at = 0;
    const int found = dwarf_frame_register(frame, (int)number, room, &ops, &n);
    *value = walk->registers[number];
    if (found < 0)
        return RULE_LOST;
    if (n == 0)
        return RULE_SAME;
    const void *saved = evaluate(walk, ops, n, cfa, &at)
                            ? guestwalk_at(walk->memory, at, walk->layout->word)
                            : NULL;
    if (saved == NULL)
        return RULE_LOST;
    *value = word_of(walk->layout, saved);
    return RULE_SAVED;
}

/* Whether a call instruction is what stands before that address. */
static bool returns_to(const struct walk *walk, uint64_t pc)
{
    uint8_t code[CALL_SIZE];
    for (unsigned i = 0; i < CALL_SIZE; i++) {
        const uint8_t *byte = guestwalk_at(walk->memory, pc - CALL_SIZE + i, 1);
        if (byte == NULL)
            return false;
        code[i] = *byte;
    }
    return walk->layout->calls(code);
}

enum step { STEP_CALLER, STEP_BEGINNING, STEP_UNKNOWN };

/* Compilers mix the instructions of a prologue, so there a return address may not be where it is
 * said to be yet, but still in its register. */
static enum step to_caller(struct walk *walk, Dwarf_Frame *frame, bool innermost)
{
    Dwarf_Op *ops;
    size_t n;
    uint64_t cfa = 0, restored[REGISTERS], pc = 0;
    const int returns = dwarf_frame_info(frame, NULL, NULL, NULL);
    if (returns < 0 || dwarf_frame_cfa(frame, &ops, &n) != 0 || !evaluate(walk, ops, n, 0, &cfa))
        return STEP_UNKNOWN;
    for (unsigned i = 0; i < walk->layout->n; i++)
        if (i != walk->layout->stack && restore(walk, frame, i, cfa, &restored[i]) == RULE_LOST)
            return STEP_UNKNOWN;
    restored[walk->layout->stack] = cfa;
    enum rule rule = restore(walk, frame, (unsigned)returns, cfa, &pc);
    if (innermost && rule == RULE_SAVED && !returns_to(walk, pc)) {
        rule = RULE_SAME;
        pc = walk->registers[returns];
    }
    if (rule != RULE_LOST && (pc == 0 || (rule == RULE_SAME && !innermost)))
        return STEP_BEGINNING;
    if (rule == RULE_LOST || !returns_to(walk, pc))
        return STEP_UNKNOWN;
    memcpy(walk->registers, restored, walk->layout->n * sizeof restored[0]);
    walk->pc = pc;
    return STEP_CALLER;
}

/* The i-th address as code: within the call instruction, not behind it. */
static uint64_t code_of(const struct call_stack *stack, size_t i)
{
    return stack->pcs[i] - (i > 0);
}

struct call_stack unwind(const struct image *image, uint32_t frame, struct guestwalk *memory)
{
    struct call_stack stack = {.n = 0};
    struct walk walk = {
        .layout = layout_of(image),
        .calls = image_debug_calls(image->debug),
        .memory = memory,
    };
    if (walk.layout == NULL || !read_registers(&walk, frame))
        return stack;
    enum step step = STEP_CALLER;
    while (step == STEP_CALLER && stack.n < UNWIND_CALLS) {
        stack.pcs[stack.n++] = walk.pc;
        Dwarf_Frame *here = NULL;
        const uint64_t code = code_of(&stack, stack.n - 1);
        step = STEP_UNKNOWN;
        if (walk.calls != NULL && dwarf_cfi_addrframe(walk.calls, code, &here) == 0)
            step = to_caller(&walk, here, stack.n == 1);
        free(here);
    }
    stack.whole = step == STEP_BEGINNING;
    return stack;
}

size_t call_stack_frames(const struct image *image, const struct call_stack *stack,
                         struct call_frame *frames, size_t max)
{
    struct source_frame inlined[INLINED];
    size_t count = 0;
    for (size_t i = 0; i < stack->n; i++) {
        const size_t n = image_frames(image, code_of(stack, i), inlined, INLINED);
        for (size_t j = 0; j < n && count < max; j++)
            frames[count++] = (struct call_frame){stack->pcs[i], inlined[j].place};
    }
    return count;
}
