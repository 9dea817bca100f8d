/* From a program's first instruction (crt0.S) to its main function. */
#include "program.h"

_Noreturn void program_start(void);

void program_start(void)
{
    program.main[info()->domain]();
    sys_thread_exit(0);
}

tid_t program_thread(unsigned domain)
{
    volatile const struct info *run = info();
    tid_t thread;

    while ((thread = run->mains[domain]) == 0)
        sys_yield();
    return thread;
}
