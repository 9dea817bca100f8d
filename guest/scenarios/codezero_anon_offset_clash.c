/* Two anonymous regions of one task: a message page and a stack, both from offset 0 (Codezero, seed
 * 004: "they end up on the same swapfile and with same file offsets (e.g. utcb and stack at offset
 * 0)"). Each needs an object of its own.
 */
#include "program.h"
#include "vm.h"

enum { VARIANT_FIXED, VARIANT_ONE_OBJECT, VARIANTS };
enum { VALUE = 0x5000, STACK_PAGES = 1 };

static const struct fl_scenario scenario SCENARIO_TABLE = {
    .id = "codezero_anon_offset_clash",
    .summary = "a message page and a stack, two anonymous regions of one task, used by two threads",
    .source = "Codezero's commit log, mm0 (seed 004)",
    .threads = "main, and main.1, a thread of its task",
    .n_domains = 1,
    .domains = {{.name = "main"}},
    .n_named = 1,
    .named = {{FL_PATH_CHILD2(0, 1), "thread"}},
    .n_variants = VARIANTS,
    .variants =
        {
            [VARIANT_FIXED] =
                {
                    .id = "fixed",
                    .summary = "an object for each region",
                    .expect = "clean",
                    .depth = FL_DEPTH_IPC,
                    .bound = 2,
                },
            [VARIANT_ONE_OBJECT] =
                {
                    .id = "one_object",
                    .summary = "one object for all anonymous regions of the task",
                    .expect = "outcome-as-declared",
                    .depth = FL_DEPTH_IPC,
                    .bound = 0,
                },
        },
};

/* Fills the page on which its own stack lies as well, when there is one object for both. */
static void thread(void *arg)
{
    volatile uint32_t *message = arg;

    for (uint32_t i = 0; i < FL_PAGE_SIZE / sizeof(*message); i++)
        message[i] = VALUE + i;
    for (uint32_t i = 0; i < FL_PAGE_SIZE / sizeof(*message); i++)
        vm_expect_word(&message[i], VALUE + i);
    vm_exit(0);
}

static uint32_t map_anonymous(uint32_t pages)
{
    uint32_t at = 0;

    program_expect(vm_map(&at, pages, FL_RIGHTS_RW | VM_MAP_ANONYMOUS, 0, 0) == FL_ERROR_OK);
    return at;
}

static void main_main(void)
{
    uint32_t code;
    tid_t child;

    if (info()->variant == VARIANT_ONE_OBJECT)
        program_expect(vm_policy(CORE_POLICY_ONE_ANONYMOUS_OBJECT) == FL_ERROR_OK);
    uint32_t message = map_anonymous(1), stack = map_anonymous(STACK_PAGES);
    uint32_t top = stack + STACK_PAGES * FL_PAGE_SIZE;
    volatile uint32_t *scratch = vm_word(stack, 0);

    program_expect(vm_clone(thread, top, (void *)(uintptr_t)message,
                            VM_CLONE_SPACE | VM_CLONE_FILES, &child) == FL_ERROR_OK);
    *scratch = ~VALUE; /* far below what the thread uses of its stack */
    program_expect(vm_wait(child, &code) == FL_ERROR_OK && code == 0);
    vm_expect_word(scratch, ~VALUE);
    vm_expect_word(vm_word(message, 0), VALUE);
    vm_expect_word(vm_word(message, 0) + 1, VALUE + 1);
    vm_exit(0);
}

const struct program program = {.main = {main_main}};
