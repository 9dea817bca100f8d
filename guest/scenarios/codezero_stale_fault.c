/* What a fault says of its page holds when it is raised, and not when it is handled (Codezero, seed
 * 004): do_page_fault went by the flags that the PTE had before the message was sent.
 *
 * Two threads read a page, and so have it read-only; then both write to it. For the second to be
 * handled "read-only" is no longer true. Then the page is given back and mapped anew: what the
 * pager knew of it must be forgotten.
 */
#include "program.h"
#include "vm.h"

enum { VARIANT_FIXED, VARIANT_AS_RAISED, VARIANTS };
enum { STACK_WORDS = FL_PAGE_SIZE / sizeof(uint32_t), VALUE = 0x5000 };

static const struct fl_scenario scenario SCENARIO_TABLE = {
    .id = "codezero_stale_fault",
    .summary = "the rights captured at a fault are stale when it is handled",
    .source = "Codezero mm0, do_page_fault and its PTE flags (seed 004)",
    .threads = "main, and its thread main.1",
    .n_domains = 1,
    .domains = {{.name = "main"}},
    .n_variants = VARIANTS,
    .variants =
        {
            [VARIANT_FIXED] =
                {
                    .id = "fixed",
                    .summary = "what is mapped when the fault is handled decides",
                    .expect = "clean",
                    .depth = FL_DEPTH_IPC,
                    .bound = 2,
                    .sees = FL_EVENT_FAULT_DUPLICATE,
                },
            [VARIANT_AS_RAISED] =
                {
                    .id = "as_raised",
                    .summary = "a page that was read-only when the fault was raised is copied",
                    .expect = "duplicate-fault-harmless",
                    .depth = FL_DEPTH_IPC,
                    .bound = 1,
                },
        },
};

static volatile uint32_t *page;
static uint32_t stack[STACK_WORDS] __attribute__((aligned(FL_PAGE_SIZE)));

static void read_then_write(uint32_t who)
{
    vm_expect_word(&page[who], 0);
    page[who] = VALUE + who;
}

static void second(void *unused)
{
    (void)unused;
    read_then_write(1);
    vm_exit(0);
}

static void map_page(uint32_t at)
{
    program_expect(vm_map(&at, 1, FL_RIGHTS_RW | VM_MAP_ANONYMOUS, 0, 0) == FL_ERROR_OK);
    page = vm_word(at, 0);
}

static void main_main(void)
{
    uint32_t code;
    tid_t thread;

    if (info()->variant == VARIANT_AS_RAISED)
        program_expect(vm_policy(CORE_POLICY_RIGHTS_AS_RAISED) == FL_ERROR_OK);
    map_page(0);
    program_expect(vm_clone(second, (uint32_t)(uintptr_t)(stack + STACK_WORDS), NULL,
                            VM_CLONE_SPACE | VM_CLONE_FILES, &thread) == FL_ERROR_OK);
    read_then_write(0);
    program_expect(vm_wait(thread, &code) == FL_ERROR_OK);
    vm_expect_word(&page[0], VALUE);
    vm_expect_word(&page[1], VALUE + 1);

    uint32_t at = (uint32_t)(uintptr_t)page;
    program_expect(vm_unmap(at, 1) == FL_ERROR_OK);
    map_page(at);
    read_then_write(0);
    vm_expect_word(&page[0], VALUE);
    vm_exit(0);
}

const struct program program = {.main = {main_main}};
