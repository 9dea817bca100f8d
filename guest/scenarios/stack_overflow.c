/* Off the end of a stack: what is below it in the context area is not populated, so the fault is
 * not resolved and the thread is put on halt, while everybody else goes on (Genode mailing list,
 * the answer in seed 000). And no ordinary attachment can land in the context area.
 */
#include "core.h"
#include "program.h"
#include "thread.h"

enum { VARIANT_HALTED, VARIANT_UNDECLARED, VARIANTS };
enum { STACK_SIZE = 2 * FL_PAGE_SIZE, FRAME_WORDS = 64 };

#define DEEP   FL_PATH_CHILD2(0, 1)
#define STEADY FL_PATH_CHILD2(0, 2)

static const struct fl_scenario scenario SCENARIO_TABLE = {
    .id = "stack_overflow",
    .summary = "a thread runs off its stack and is halted; nothing lands in the context area",
    .source = "Genode mailing list, Stack_alloc_failed on OKL4: the answer on managed dataspaces",
    .threads =
        "main, deep (recurses without end), steady (stays on its stack), main.3 (comes later)",
    .n_domains = 1,
    .domains = {{.name = "main"}},
    .n_named = 2,
    .named = {{DEEP, "deep"}, {STEADY, "steady"}},
    .n_variants = VARIANTS,
    .variants =
        {
            [VARIANT_HALTED] =
                {
                    .id = "halted",
                    .summary = "the overflow halts its thread, and that is what is expected",
                    .expect = "clean",
                    .depth = FL_DEPTH_IPC,
                    .bound = 1,
                    .n_halts = 1,
                    .halts = {{DEEP, FL_HALT_UNRESOLVED_FAULT}},
                },
            [VARIANT_UNDECLARED] =
                {
                    .id = "undeclared",
                    .summary = "the same, expected by nobody: how an overflow in new code is seen",
                    .expect = "outcome-as-declared",
                    .depth = FL_DEPTH_IPC,
                    .bound = 0,
                },
        },
};

/* Every call takes a frame of its own, and uses it again afterwards: no compiler makes a loop of
 * it. */
static __attribute__((noinline)) uint32_t descend(uint32_t levels)
{
    volatile uint32_t frame[FRAME_WORDS];

    for (uint32_t i = 0; i < FRAME_WORDS; i++)
        frame[i] = levels;
    return levels == 0 ? 0 : descend(levels - 1) + frame[levels % FRAME_WORDS];
}

/* Comes back only if there was memory for twice the stack. */
static void deep_main(void *arg)
{
    (void)arg;
    descend(2 * STACK_SIZE / (FRAME_WORDS * sizeof(uint32_t)));
    program_raise(FL_ERROR_INVALID, 0);
}

/* Down to the last word of the stack, which is zero when it is touched first. */
static void steady_main(void *arg)
{
    const struct thread *self = arg;
    uint32_t base = stack_slot_of(self->context) + FL_SLOT_SIZE - STACK_SIZE;
    volatile uint32_t *lowest = (volatile uint32_t *)base;

    program_expect(*lowest == 0);
    *lowest = base;
    sys_yield();
    program_expect(*lowest == base);
}

static void start(struct thread *thread, void (*entry)(void *arg))
{
    program_expect(thread_create(thread, STACK_SIZE, entry, thread) == FL_ERROR_OK);
}

static void finish(struct thread *thread)
{
    thread_join(thread);
    program_expect(thread_destroy(thread) == FL_ERROR_OK);
}

/* The area is full of a managed dataspace, populated or not; beside it there is room. */
static void try_to_attach(void)
{
    const uint32_t end = FL_CONTEXT_BASE + FL_CONTEXT_SIZE;
    const struct {
        uint32_t at;
        uint32_t status;
    } attempts[] = {
        {FL_CONTEXT_BASE, FL_ERROR_REGION_CONFLICT},
        {FL_CONTEXT_BASE - FL_PAGE_SIZE, FL_ERROR_REGION_CONFLICT},
        {FL_CONTEXT_BASE + FL_CONTEXT_SIZE / 2, FL_ERROR_REGION_CONFLICT},
        {end - FL_PAGE_SIZE, FL_ERROR_REGION_CONFLICT},
        {FL_CONTEXT_BASE - 2 * FL_PAGE_SIZE, FL_ERROR_OK},
        {end, FL_ERROR_OK},
    };
    core_handle_t memory;

    program_expect(core_ram_alloc(2 * FL_PAGE_SIZE, &memory) == FL_ERROR_OK);
    for (uint32_t i = 0; i < sizeof(attempts) / sizeof(attempts[0]); i++)
        program_expect(core_attach_at(CORE_MAP_SPACE, memory, attempts[i].at, 0, FL_RIGHTS_RW) ==
                       attempts[i].status);
    program_expect(core_detach(CORE_MAP_SPACE, FL_CONTEXT_BASE) == FL_ERROR_NO_RIGHTS);
    program_expect(core_ram_free(memory) == FL_ERROR_OK);
}

static void main_main(void)
{
    static struct thread deep, steady, later;

    start(&deep, deep_main);
    start(&steady, steady_main);
    try_to_attach();
    finish(&deep);
    start(&later, steady_main); /* on the slot of the deep one, whose pages must be gone */
    finish(&later);
    finish(&steady);
}

const struct program program = {.main = {main_main}};
