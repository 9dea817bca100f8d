/* A window of mixed instructions (guest/arch/.../window.S) that is interrupted everywhere: whatever
 * the place, it leaves behind what it leaves when nobody interrupts. The rig's test of exactness
 * goes over it instruction by instruction. */
#include "core.h"
#include "memory.h"
#include "program.h"
#include "thread.h"

enum { VARIANT_PLAIN, VARIANT_DISTURBED, VARIANTS };
enum { WORDS = 32, GIVEN = 16, POINTER = 17 + 7 /* r7 */ };

static const struct fl_scenario scenario SCENARIO_TABLE = {
    .id = "rig_window",
    .summary = "instructions of every kind, interrupted at each",
    .source = "the rig's own",
    .threads = "main, and main.1, which goes through the same instructions",
    .n_domains = 1,
    .domains = {{.name = "main"}},
    .n_variants = VARIANTS,
    .variants =
        {
            [VARIANT_PLAIN] =
                {
                    .id = "plain",
                    .summary = "each thread has its own memory: an interruption changes nothing",
                    .expect = "clean",
                    .depth = FL_DEPTH_INSN,
                    .bound = 1,
                },
            [VARIANT_DISTURBED] =
                {
                    .id = "disturbed",
                    .summary = "the other thread writes a word of the memory that main works on",
                    .expect = "outcome-as-declared",
                    .depth = FL_DEPTH_ACCESS,
                    .bound = 1,
                },
        },
};

void arch_window(uint32_t memory[WORDS]);

static void prepare(uint32_t *memory)
{
    for (uint32_t i = 0; i < WORDS; i++)
        memory[i] = i < GIVEN ? (i + 1) * 0x9e3779b9u : 0;
}

static uint32_t reference[WORDS], mains[WORDS], others[WORDS];

/* The pointer among the registers left behind is relative to the memory. */
static bool as_without_interruption(const uint32_t *memory)
{
    const uint32_t moved = (uint32_t)memory - (uint32_t)reference;

    for (uint32_t i = 0; i < WORDS; i++)
        if (memory[i] != reference[i] + (i == POINTER ? moved : 0))
            return false;
    return true;
}

static void other(void *arg)
{
    (void)arg;
    if (info()->variant == VARIANT_DISTURBED)
        mains[1] = 0;
    prepare(others);
    arch_window(others);
    program_expect(as_without_interruption(others));
}

static void main_main(void)
{
    static struct thread thread;

    prepare(reference);
    arch_window(reference);
    program_expect(thread_create(&thread, FL_PAGE_SIZE, other, NULL) == FL_ERROR_OK);
    prepare(mains);
    sys_mark(FL_EVENT_MARK_BEGIN, (uint32_t)mains, 0, 0);
    arch_window(mains);
    sys_mark(FL_EVENT_MARK_END, (uint32_t)mains, 0, 0);
    program_expect(as_without_interruption(mains));
    thread_join(&thread);
    program_expect(thread_destroy(&thread) == FL_ERROR_OK);
}

const struct program program = {.main = {main_main}};
