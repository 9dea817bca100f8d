/* What a page fault and a fork cost: nothing but faults on fresh pages, faults that are said again,
 * and forks of tasks that exit at once, as many as asked for. `make bench` subtracts runs with
 * fewer from runs with more. */
#include "info.h"
#include "program.h"
#include "vm.h"

#define PAGES 64u

enum { PARAM_TOUCHED, PARAM_FORKS, PARAM_UNSEEN, PARAM_REPEATED };

SCENARIO_TABLE const struct fl_scenario core_costs = {
    .id = "core_costs",
    .summary = "page faults and forks, as many as asked for",
    .source = "the rig's own: make bench",
    .threads = "main, and a forked task main.1, main.2 ... at a time",
    .n_domains = 1,
    .domains = {{.name = "main"}},
    .n_params = 4,
    .params = {[PARAM_TOUCHED] = {.id = "touched",
                                  .summary = "pages that main writes to",
                                  .preset = 4,
                                  .min = 0,
                                  .max = PAGES},
               [PARAM_FORKS] =
                   {.id = "forks", .summary = "forks after that", .preset = 1, .min = 0, .max = 16},
               [PARAM_UNSEEN] = {.id = "unseen",
                                 .summary = "1: duplicate faults are not looked for; 2: 64 times",
                                 .max = 2},
               [PARAM_REPEATED] = {.id = "repeated",
                                   .summary = "messages that say once more that page 0 is missing",
                                   .preset = 1,
                                   .max = 64}},
    .n_variants = 1,
    .variants = {{
        .id = "fixed",
        .summary = "everybody exits",
        .expect = "clean",
        .depth = FL_DEPTH_IPC,
        .bound = 1,
    }},
};

/* What core is sent by the kernel when a write to the page faults. */
static void say_fault(uint32_t address)
{
    struct msg msg = {.label = FL_LABEL_FAULT, .w = {address, FL_ACCESS_WRITE}};

    program_expect(sys_call(SYS_CORE, &msg) == FL_ERROR_OK && msg.label == FL_ERROR_OK);
}

static void main_main(void)
{
    uint32_t at = 0, code;

    if (info()->params[PARAM_UNSEEN])
        program_expect(vm_policy(info()->params[PARAM_UNSEEN] == 1
                                     ? CORE_POLICY_DUPLICATES_UNSOUGHT
                                     : CORE_POLICY_DUPLICATES_OVERSOUGHT) == FL_ERROR_OK);
    program_expect(vm_map(&at, PAGES, FL_RIGHTS_RW | VM_MAP_ANONYMOUS, 0, 0) == FL_ERROR_OK);
    for (uint32_t i = 0; i < info()->params[PARAM_TOUCHED]; i++)
        *(volatile uint32_t *)(at + i * FL_PAGE_SIZE) = i;
    for (uint32_t i = 0; i < info()->params[PARAM_REPEATED]; i++)
        say_fault(at);
    for (uint32_t i = 0; i < info()->params[PARAM_FORKS]; i++) {
        tid_t child = vm_fork();
        if (child == 0)
            vm_exit(i);
        program_expect(child != VM_NO_THREAD && vm_wait(child, &code) == FL_ERROR_OK && code == i);
    }
    vm_exit(0);
}

const struct program program = {.main = {main_main}};
