/* Several pagers (Codezero, seed 004: "multi-pager environments"). A pager is a thread that others
 * have their faults sent to; it resolves them by lending pages of its own. Its own faults go to its
 * pager, and so on to core.
 *
 * main's threads have the pagers inner.1 and outer; main itself has core. outer is inner.1's pager
 * too, and has core: what inner.1 lends was lent to it by outer.
 */
#include "program.h"
#include "vm.h"

enum { MAIN, INNER, OUTER };
enum { VARIANT_FIXED, VARIANT_REPLACED, VARIANT_DIES, VARIANT_SILENT, VARIANTS };
enum { STACK_WORDS = FL_PAGE_SIZE / sizeof(uint32_t), VALUE = 0x7000 };

/* main's threads, and whom their faults go to. */
enum { BY_INNER = 1, BY_OUTER, PAGED };
#define CHILD(n) FL_PATH_CHILD2(MAIN, n)

/* Pages that are lent, at the same addresses wherever they are: one that both threads of main write
 * to, and one for each. outer has as many for each space that it lends to. */
#define LENT  (FL_ATTACH_BASE + 0x100000u)
#define PAGES ((uint32_t)PAGED)

static const struct fl_scenario scenario SCENARIO_TABLE = {
    .id = "codezero_multi_pager",
    .summary = "threads with different pagers; a pager paged by another; one that dies",
    .source = "Codezero, multi-pager environments (seed 004)",
    .threads = "main, with two threads; inner, a server, whose thread inner.1 is a pager; outer, a "
               "pager",
    .n_domains = 3,
    .domains = {[MAIN] = {.name = "main"},
                [INNER] = {.name = "inner", .server = 1},
                [OUTER] = {.name = "outer", .server = 1}},
    .n_named = 2,
    .named = {{CHILD(BY_INNER), "by_inner"}, {CHILD(BY_OUTER), "by_outer"}},
    .n_variants = VARIANTS,
    .variants =
        {
            [VARIANT_FIXED] =
                {
                    .id = "fixed",
                    .summary = "a page is lent where none is; who comes later is told of the first",
                    .expect = "clean",
                    .depth = FL_DEPTH_IPC,
                    .bound = 2,
                },
            [VARIANT_REPLACED] =
                {
                    .id = "replaced",
                    .summary = "the page that is lent later takes the place of the first",
                    .expect = "outcome-as-declared",
                    .depth = FL_DEPTH_IPC,
                    .bound = 1,
                },
            [VARIANT_DIES] =
                {
                    .id = "dies",
                    .summary = "inner.1 ends with a fault taken: its threads are halted, no others",
                    .expect = "clean",
                    .depth = FL_DEPTH_IPC,
                    .bound = 2,
                    .n_halts = 2,
                    .halts = {{CHILD(BY_INNER), FL_HALT_NO_PAGER},
                              {CHILD(BY_OUTER), FL_HALT_NO_PAGER}},
                },
            [VARIANT_SILENT] =
                {
                    .id = "silent",
                    .summary = "inner.1 takes faults and answers none",
                    .expect = "fault-not-lost",
                    .depth = FL_DEPTH_IPC,
                    .bound = 0,
                },
        },
};

static volatile uint32_t *lent_word(uint32_t page, uint32_t word)
{
    return (volatile uint32_t *)(uintptr_t)(LENT + page * FL_PAGE_SIZE) + word;
}

/* ---- A pager ---- */

/* Lends its page at `own`. Touching that first may be a fault of the pager's own. */
static void lend(tid_t faulter, uint32_t address, uint32_t own)
{
    (void)*(volatile uint32_t *)(uintptr_t)own;
    uint32_t status = core_page_lend(faulter, address & ~(FL_PAGE_SIZE - 1), own, FL_RIGHTS_RW);
    /* a conflict: another pager lent one meanwhile, and that does */
    program_expect(status == FL_ERROR_OK || status == FL_ERROR_REGION_CONFLICT);
}

/* What it lends to the i-th domain lies `stride` pages behind what it lends to the one before. It
 * ends when somebody sends it a message. */
static void serve_faults(uint32_t stride)
{
    struct msg msg = {0};
    tid_t faulter = 0;

    for (;;) {
        program_expect(sys_reply_wait(&faulter, &msg) == FL_ERROR_OK);
        if (msg.label != FL_LABEL_FAULT)
            sys_thread_exit(0);
        uint32_t domain = SYS_FAULT_SPACE(msg.w[3]) - FL_SPACE_DOMAIN(0);
        lend(faulter, msg.w[0], (msg.w[0] & ~(FL_PAGE_SIZE - 1)) + domain * stride * FL_PAGE_SIZE);
    }
}

static void take_faults(void)
{
    for (;;) {
        struct msg msg = {0};
        tid_t faulter = 0;
        program_expect(sys_receive(&faulter, &msg) == FL_ERROR_OK);
    }
}

static void inner_pager(void)
{
    struct msg msg = {0};
    tid_t faulter = 0;

    if (info()->variant == VARIANT_SILENT)
        take_faults();
    if (info()->variant == VARIANT_DIES) {
        program_expect(sys_receive(&faulter, &msg) == FL_ERROR_OK);
        sys_thread_exit(0);
    }
    serve_faults(0);
}

/* Its own pager is core, which makes the pages that it lends. */
static void outer_main(void)
{
    core_handle_t memory;

    program_expect(core_ram_alloc((INNER + 1) * PAGES * FL_PAGE_SIZE, &memory) == FL_ERROR_OK &&
                   core_attach_at(CORE_MAP_SPACE, memory, LENT, 0, FL_RIGHTS_RW) == FL_ERROR_OK);
    serve_faults(PAGES);
}

/* ---- Threads that have it ---- */

static uint32_t stacks[PAGED][STACK_WORDS] __attribute__((aligned(FL_PAGE_SIZE)));

static tid_t make_thread(tid_t pager, void (*ip)(void), uint32_t stack)
{
    uint32_t sp = (uint32_t)(uintptr_t)(stacks[stack] + STACK_WORDS);
    tid_t thread;

    program_expect(core_pager_set(pager) == FL_ERROR_OK &&
                   core_thread_create((uint32_t)(uintptr_t)ip, sp, 0, &thread) == FL_ERROR_OK);
    return thread;
}

/* Makes the pager, and tells main which thread that is. */
static void inner_main(void)
{
    struct msg msg = {0};
    tid_t caller = 0, pager = make_thread(program_thread(OUTER), inner_pager, 0);

    for (;;) {
        program_expect(sys_reply_wait(&caller, &msg) == FL_ERROR_OK);
        msg = (struct msg){.label = FL_ERROR_OK, .w = {pager}};
    }
}

static void write_words(uint32_t who)
{
    *lent_word(who, 0) = VALUE;
    *lent_word(0, who) = VALUE + who;
    sys_thread_exit(0);
}

static void by_inner(void)
{
    write_words(BY_INNER);
}

static void by_outer(void)
{
    write_words(BY_OUTER);
}

static void main_main(void)
{
    struct msg msg = {.label = FL_LABEL_USER};
    bool dies = info()->variant == VARIANT_DIES;

    program_expect(sys_call(program_thread(INNER), &msg) == FL_ERROR_OK);
    if (info()->variant == VARIANT_REPLACED)
        program_expect(vm_policy(CORE_POLICY_LENT_ANYWAY) == FL_ERROR_OK);
    tid_t inner = msg.w[0], outer = dies ? inner : program_thread(OUTER);
    tid_t first = make_thread(inner, by_inner, BY_INNER);
    tid_t second = make_thread(outer, by_outer, BY_OUTER);
    sys_thread_join(first);
    sys_thread_join(second);
    if (dies)
        return;
    for (uint32_t who = BY_INNER; who < PAGED; who++) {
        vm_expect_word(lent_word(who, 0), VALUE);
        vm_expect_word(lent_word(0, who), VALUE + who);
    }
    program_expect(sys_send(inner, &msg) == FL_ERROR_OK);
}

const struct program program = {
    .main = {[MAIN] = main_main, [INNER] = inner_main, [OUTER] = outer_main}};
