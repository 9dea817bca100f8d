/* An address or an error in one word: what lies between 0 and -1000 is an error, and nothing else
 * (Codezero, seed 004: "fixed IS_ERR(x) to accept negative values that are above -1000 for errors.
 * This protects against false positives for pointers such as 0xE0000000").
 *
 * The seed's address is the kernel's here. Of a user address, which has 31 bits, the uppermost is
 * set from 0x40000000 on, and 0x60000000 follows on the last page that can be mapped.
 */
#include "program.h"
#include "vm.h"

enum { VARIANT_FIXED, VARIANT_UPPER_RANGE, VARIANTS };
enum { VALUE = 0x9000 };

#define LOW  0x2e000000u
#define HIGH 0x5ffff000u

static const struct fl_scenario scenario SCENARIO_TABLE = {
    .id = "codezero_is_err",
    .summary = "two threads map pages at the lower and the upper end of what can be mapped",
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
                    .summary = "an error is above -1000 and below 0",
                    .expect = "clean",
                    .depth = FL_DEPTH_IPC,
                    .bound = 2,
                },
            [VARIANT_UPPER_RANGE] =
                {
                    .id = "upper_range",
                    .summary = "so is every address with its uppermost bit set",
                    .expect = "outcome-as-declared",
                    .depth = FL_DEPTH_IPC,
                    .bound = 0,
                },
        },
};

static void map_and_use(uint32_t wanted)
{
    uint32_t at = wanted;
    uint32_t status = vm_map(&at, 1, FL_RIGHTS_RW | VM_MAP_ANONYMOUS, 0, 0);

    if (status != FL_ERROR_OK)
        program_raise(status, wanted);
    program_expect(at == wanted);
    *vm_word(at, 0) = VALUE + wanted;
    vm_expect_word(vm_word(at, 0), VALUE + wanted);
}

/* Errors are told as such still. */
static void map_nowhere(void)
{
    uint32_t taken = LOW, beyond = FL_UTCB_BASE;

    program_expect(vm_map(&taken, 1, FL_RIGHTS_RW | VM_MAP_ANONYMOUS, 0, 0) ==
                   FL_ERROR_REGION_CONFLICT);
    program_expect(vm_map(&beyond, 1, FL_RIGHTS_RW | VM_MAP_ANONYMOUS, 0, 0) == FL_ERROR_INVALID);
}

static void main_main(void)
{
    uint32_t code;

    if (info()->variant == VARIANT_UPPER_RANGE)
        program_expect(vm_policy(CORE_POLICY_UPPER_RANGE_IS_ERROR) == FL_ERROR_OK);
    map_and_use(LOW);
    tid_t child = vm_fork();
    if (child == 0) {
        map_and_use(HIGH);
        vm_exit(0);
    }
    program_expect(child != VM_NO_THREAD);
    map_and_use(HIGH);
    map_nowhere();
    program_expect(vm_wait(child, &code) == FL_ERROR_OK && code == 0);
    vm_exit(0);
}

const struct program program = {.main = {main_main}};
