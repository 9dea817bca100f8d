/* The plan: departures from the default schedule. A thread keeps a pointer to its own next entry,
 * so that a place costs a load and a compare. */

#include "kernel.h"

void plan_attach(struct thread *thread)
{
    const struct fl_plan *plan = run.plan;
    uint32_t listed = plan->policy == FL_POLICY_FIXED ? plan->n_preemptions : 0;
    thread->plan = NULL;
    draw_priority(thread);
    for (uint32_t i = 0; i < listed; i++) {
        if (plan->preemptions[i].thread == thread->path) {
            thread->plan = &plan->preemptions[i];
            return;
        }
    }
}

static struct thread *find_ready(uint32_t path)
{
    for (struct thread *thread = run.ready.head; thread != NULL; thread = thread->next) {
        if (thread->path == path) {
            return thread;
        }
    }
    return NULL;
}

/* The first of the thread's entries at (n, k) or later. They are neighbours in the plan, ascending
 * by (n, k). Those that lie behind were not reached, which the monitor sees from the number that
 * were. */
static const struct fl_preemption *next_listed(struct thread *thread, uint32_t k)
{
    const struct fl_preemption *end = run.plan->preemptions + run.plan->n_preemptions;
    const struct fl_preemption *entry = thread->plan;
    while (entry != end && entry->thread == thread->path &&
           (entry->n < thread->n || (entry->n == thread->n && entry->k < k))) {
        entry++;
    }
    thread->plan = entry != end && entry->thread == thread->path ? entry : NULL;
    return thread->plan;
}

static uint32_t decided(const struct thread *thread, const struct fl_decision *where)
{
    struct fl_decision decision = *where;
    decision.thread = thread->path;
    decision.n = thread->n;
    decision.events = trace_events();
    standing_tell(where->k == 0);
    const uint32_t target = channel_decide(thread, &decision);
    if (target == FL_DECIDE_END) {
        run_end(FL_OUTCOME_KNOWN);
    }
    return target;
}

static struct thread *decided_on_way(const struct thread *thread, uint32_t point)
{
    const struct fl_decision where = {
        .k = thread->k, .point = point, .ready = run.ready_set, .goes_on = thread->path};
    return find_ready(decided(thread, &where));
}

bool plan_lists(struct thread *thread)
{
    if (thread->plan == NULL) {
        return false;
    }
    const struct fl_preemption *entry = next_listed(thread, thread->k);
    return entry != NULL && entry->n == thread->n && entry->k == thread->k;
}

struct thread *plan_listed(struct thread *thread)
{
    if (!plan_lists(thread)) {
        return NULL;
    }
    if ((run.plan->mode & FL_MODE_ONLINE) && thread->plan->target == FL_PATH_KERNEL) {
        return decided_on_way(thread, FL_POINT_NONE);
    }
    return find_ready(thread->plan->target);
}

uint32_t plan_next_k(struct thread *thread)
{
    if (thread->plan == NULL) {
        return 0;
    }
    const struct fl_preemption *entry = next_listed(thread, thread->k + 1);
    return entry != NULL && entry->n == thread->n && entry->k != FL_K_GIVES_UP ? entry->k : 0;
}

/* Whether the guest asks: with mode after, once the plan as listed is done. */
static bool asks(void)
{
    const bool first = (run.plan->mode & FL_MODE_AFTER) && run.reached < run.plan->n_preemptions;
    return (run.plan->mode & FL_MODE_ONLINE) && !first;
}

static uint32_t listed_successor(const struct thread *thread)
{
    const struct fl_preemption *end = run.plan->preemptions + run.plan->n_preemptions;
    for (const struct fl_preemption *entry = thread->plan;
         entry != NULL && entry != end && entry->thread == thread->path; entry++) {
        if (entry->n == thread->n && entry->k == FL_K_GIVES_UP) {
            return entry->target;
        }
    }
    return FL_PATH_KERNEL;
}

/* Who could run, the thread itself among them if it yields, but for the queue's head. */
static uint64_t other_successors(const struct thread *thread)
{
    const uint64_t self = thread->state == THREAD_RUNNING ? UINT64_C(1) << thread->index : 0;
    return run.ready.head == NULL
               ? 0
               : (run.ready_set | self) & ~(UINT64_C(1) << run.ready.head->index);
}

struct thread *plan_successor(struct thread *thread)
{
    const uint64_t others = other_successors(thread);
    uint32_t target = FL_PATH_KERNEL;
    if (others == 0) {
        return NULL;
    }
    if (!asks()) {
        target = listed_successor(thread);
    } else {
        const struct fl_decision where = {.k = FL_K_GIVES_UP,
                                          .point = entry_point(thread),
                                          .ready = others,
                                          .goes_on = run.ready.head->path};
        target = decided(thread, &where);
    }
    return thread->state == THREAD_RUNNING && target == thread->path ? thread : find_ready(target);
}

bool plan_refuses_ipc(void)
{
    const struct fl_plan *plan = run.plan;
    run.ipcs++;
    for (uint32_t i = 0; i < plan->n_failures; i++) {
        if (plan->failures[i].kind == FL_FAIL_IPC && plan->failures[i].nth == run.ipcs) {
            return true;
        }
    }
    return false;
}

#define FL_POINT(value, ID, text, depth) [value] = FL_DEPTH_##depth,
static const uint8_t point_depth[] = {
#include "points.def"
};
#undef FL_POINT

struct thread *plan_departure(struct thread *thread, uint32_t point)
{
    if (run.ready.head == NULL) {
        return NULL;
    }
    const bool asking = asks();
    if (!asking && (!run.departs || (run.plan->mode & FL_MODE_ONLINE))) {
        return plan_listed(thread);
    }
    if (point_depth[point] > run.plan->depth) {
        return NULL;
    }
    return asking ? decided_on_way(thread, point) : draw_departure(thread);
}
