/* Mode step: the guest stands still where the monitor says, its clock with it, until it is told to
 * go on. It makes the same events as without. */

#include "kernel.h"

static void next_stop(void)
{
    const struct fl_stop *stop = &shared->control.stop;
    run.stop_k = stop->k;
    trace_stop(stop->event);
}

void stop_begin(void)
{
    if (run.plan->mode & FL_MODE_STEP) {
        next_stop();
    } else {
        trace_stop(FL_STOP_NEVER);
    }
}

static void stand(uint32_t pc)
{
    const struct thread *thread = run.current;
    struct fl_decision here = {.thread = FL_PATH_KERNEL, .ready = run.ready_set};
    if (thread != NULL) {
        here.thread = thread->path;
        here.n = thread->n;
        here.k = pc != 0 ? run.stop_k : 0;
    }
    shared->control.stop.pc = pc;
    shared->control.stop.standing = 1;
    channel_decide(thread, &here);
    shared->control.stop.standing = 0;
    next_stop();
}

void stop_in_kernel(void)
{
    if (run.stop_k == 0) {
        stand(0);
    }
}

void stop_in_user(const struct thread *thread, uint32_t k)
{
    if (run.stop_k == k && trace_stop_written()) {
        stand(arch_trap_pc(&thread->frame, false));
    }
}

uint32_t stop_next_k(uint32_t k)
{
    return run.stop_k > k && trace_stop_written() ? run.stop_k : 0;
}
