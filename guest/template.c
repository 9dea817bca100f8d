/* MY_SCENARIO: what is searched here, and where it comes from.
 *
 *     faultline build-guest MY_SCENARIO.c
 *     faultline explore MY_SCENARIO/racy --guest MY_SCENARIO.armv7.elf
 */
#include "faultline.h" /* threads, IPC, the pager, marks: the header says what there is */

/* Names for the entries of the tables below. */
enum { PARAM_ROUNDS };
enum { VARIANT_RACY, VARIANT_FIXED, VARIANTS };

/* What `faultline list` shows. Each variant says what must come of it: the id of the check that it
 * violates, or "clean", at that depth (FL_DEPTH_IPC, SYNC, ACCESS, INSN) with that many
 * preemptions. */
static const struct fl_scenario scenario SCENARIO_TABLE = {
    .id = "MY_SCENARIO",
    .summary = "two threads add to one counter",
    .source = "the template",
    .threads = "main and its child",
    .n_domains = 1, /* address spaces, each with a main thread of its name */
    .domains = {{.name = "main"}},
    .n_params = 1, /* --param rounds=3; preset, least, most */
    .params = {[PARAM_ROUNDS] = {"rounds", "additions of each thread", 1, 1, 8, 0}},
    .n_variants = VARIANTS,
    .variants =
        {
            [VARIANT_RACY] = {.id = "racy",
                              .summary = "reads, then writes",
                              .expect = "outcome-as-declared",
                              .depth = FL_DEPTH_ACCESS,
                              .bound = 1},
            [VARIANT_FIXED] = {.id = "fixed",
                               .summary = "the same under a lock",
                               .expect = "clean",
                               .depth = FL_DEPTH_ACCESS,
                               .bound = 1},
        },
};

static struct lock lock;
static volatile uint32_t counter;

static void add(void *unused)
{
    (void)unused;
    for (uint32_t i = 0; i < info()->params[PARAM_ROUNDS]; i++) {
        if (info()->variant == VARIANT_FIXED)
            sys_lock(&lock);
        counter = counter + 1;
        if (info()->variant == VARIANT_FIXED)
            sys_unlock(&lock);
    }
}

/* What must hold is an assert (program_expect): where it does not, the run is a finding. An
 * allocator says mark_reserve and mark_free instead, and the checks of allocation do the rest. */
static void main_main(void)
{
    static struct thread child;

    program_expect(thread_create(&child, 2 * FL_PAGE_SIZE, add, NULL) == FL_ERROR_OK);
    add(NULL);
    thread_join(&child);
    program_expect(counter == 2 * info()->params[PARAM_ROUNDS]);
    program_expect(thread_destroy(&child) == FL_ERROR_OK);
}

const struct program program = {.main = {main_main}};
