/* Online the guest also asks where the plan lists a preemption for nobody. It stands still there,
 * right before the access, and its memory can be looked at; answered, it goes on as if nothing had
 * been. */
#include "race_stacks.h"

#include "plan.h"

enum { WAIT_MS = 200 };

/* false: there is no room in the plan, or something else happens there. */
static bool list_stop(struct fl_plan *plan, const struct fl_scenario *scenario,
                      const struct race_side *side)
{
    const struct fl_preemption stop = {
        .thread = side->thread, .n = side->n, .k = side->k, .target = FL_PATH_KERNEL};
    return plan_insert(plan, scenario, &stop, NULL);
}

/* The thread stands before the access. When it does not, the run is another than the one in which
 * the race was seen, and its calls would be wrong ones. */
static void look(const struct samples *samples, const struct image *image,
                 const struct race_side *side, const struct fl_decision *ask,
                 struct call_stack *stack)
{
    if (side->thread != ask->thread || side->n != ask->n || side->k != ask->k)
        return;
    struct asker asker = session_asker(samples->session);
    *stack = unwind(image, asker.frame, &asker.memory);
    if (stack->n > 0 && stack->pcs[0] != side->pc)
        stack->n = 0;
}

bool race_stacks(const struct samples *samples, const struct image *image, const struct race *race,
                 const struct fl_plan *seen, struct race_stacks *stacks, GError **error)
{
    struct fl_plan plan = *seen;
    struct run run;
    struct fl_decision ask;
    *stacks = (struct race_stacks){.first = {.n = 0}};
    plan_make_online(&plan);
    const bool first = list_stop(&plan, samples->scenario, &race->first);
    const bool second = list_stop(&plan, samples->scenario, &race->second);
    if (!first && !second)
        return true;
    session_post(samples->session, &plan);
    for (;;) {
        switch (session_wait(samples->session, WAIT_MS, &run, &ask, error)) {
        case SESSION_ASK:
            look(samples, image, &race->first, &ask, &stacks->first);
            look(samples, image, &race->second, &ask, &stacks->second);
            session_answer(samples->session, plan_answer(seen, &ask));
            break;
        case SESSION_RUN:
            session_release(samples->session);
            return true;
        case SESSION_STOP: /* of mode step, which this is not */
        case SESSION_TIMEOUT:
            if (!samples_interrupted(samples, error))
                break;
            session_drop(samples->session);
            return false;
        case SESSION_FAILED:
            return false;
        }
    }
}
