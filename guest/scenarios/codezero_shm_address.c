/* Each segment of shared memory has one address, the same in every task and nobody else's
 * (Codezero, seed 004: "currently we allow a single, unique virtual address for each shm segment").
 *
 * Two tasks each make a segment and then attach the other's: in what order, the schedule says.
 */
#include "program.h"
#include "vm.h"

enum { VARIANT_FIXED, VARIANT_ONE_ADDRESS, VARIANTS };
enum { KEY = 0x77, VALUE = 0x6000, TASKS = 2 };

static const struct fl_scenario scenario SCENARIO_TABLE = {
    .id = "codezero_shm_address",
    .summary =
        "two tasks make a segment each and attach the other's: two addresses, the same in both",
    .source = "Codezero's commit log, mm0 (seed 004)",
    .threads = "main, and a forked task, main.1",
    .n_domains = 1,
    .domains = {{.name = "main"}},
    .n_named = 1,
    .named = {{FL_PATH_CHILD2(0, 1), "forked"}},
    .n_variants = VARIANTS,
    .variants =
        {
            [VARIANT_FIXED] =
                {
                    .id = "fixed",
                    .summary = "an address that no other segment has",
                    .expect = "clean",
                    .depth = FL_DEPTH_IPC,
                    .bound = 2,
                },
            [VARIANT_ONE_ADDRESS] =
                {
                    .id = "one_address",
                    .summary = "each new segment at the same address",
                    .expect = "outcome-as-declared",
                    .depth = FL_DEPTH_IPC,
                    .bound = 0,
                },
        },
};

/* Its own segment first; then a word to both. */
static void use_segments(uint32_t self, uint32_t at[TASKS])
{
    for (uint32_t i = 0; i < TASKS; i++) {
        uint32_t which = self ^ i;
        uint32_t status = vm_shm_attach(KEY + which, 1, &at[which]);
        if (status != FL_ERROR_OK)
            program_raise(status, at[which]);
    }
    for (uint32_t i = 0; i < TASKS; i++)
        vm_word(at[i], 0)[self] = VALUE + at[i] + self;
}

/* Tells where the segments lie for it, and has them until main, which has them too, takes that. */
static _Noreturn void forked(void)
{
    uint32_t at[TASKS];

    use_segments(1, at);
    program_expect(sys_send(sys_utcb()->parent, &(struct msg){.w = {at[0], at[1]}}) == FL_ERROR_OK);
    vm_exit(0);
}

static void main_main(void)
{
    uint32_t at[TASKS], code;
    struct msg msg = {0};

    if (info()->variant == VARIANT_ONE_ADDRESS)
        program_expect(vm_policy(CORE_POLICY_ONE_SHM_ADDRESS) == FL_ERROR_OK);
    tid_t child = vm_fork(), from = child;
    if (child == 0)
        forked();
    program_expect(child != VM_NO_THREAD);
    use_segments(0, at);
    program_expect(sys_receive(&from, &msg) == FL_ERROR_OK);
    program_expect(at[0] != at[1] && at[0] == msg.w[0] && at[1] == msg.w[1]);
    program_expect(vm_wait(child, &code) == FL_ERROR_OK && code == 0);
    for (uint32_t i = 0; i < TASKS * TASKS; i++)
        vm_expect_word(vm_word(at[i / TASKS], 0) + i % TASKS, VALUE + at[i / TASKS] + i % TASKS);
    vm_exit(0);
}

const struct program program = {.main = {main_main}};
