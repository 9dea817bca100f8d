/* The policies that draw: departures come from the plan's seed instead of its list. The monitor
 * reads those that took place from the trace, so there are never more than a plan can list. */

#include "kernel.h"

/* Marsaglia's xorshift32. */
static uint32_t draw(void)
{
    run.random ^= run.random << 13;
    run.random ^= run.random >> 17;
    run.random ^= run.random << 5;
    return run.random;
}

static uint32_t count_ready(void)
{
    uint32_t count = 0;
    for (struct thread *thread = run.ready.head; thread != NULL; thread = thread->next) {
        count++;
    }
    return count;
}

static struct thread *ready_number(uint32_t i)
{
    struct thread *thread = run.ready.head;
    for (; i > 0; i--) {
        thread = thread->next;
    }
    return thread;
}

static struct thread *random_departure(struct thread *thread)
{
    (void)thread;
    return draw() < run.plan->chance ? ready_number(draw() % count_ready()) : NULL;
}

static struct thread *walk_departure(struct thread *thread)
{
    (void)thread;
    uint32_t count = count_ready();
    uint32_t i = draw() % (count + 1);
    return i < count ? ready_number(i) : NULL;
}

/* ---- pct: Burckhardt and others, ASPLOS 2010 ---- */

#define DRAWN_PRIORITY 0x80000000u /* those that a change gives are below */

/* By path and seed, whenever the thread is made. The bits are mixed as in MurmurHash3. */
void draw_priority(struct thread *thread)
{
    uint32_t hash = thread->path ^ run.plan->seed;
    hash = (hash ^ hash >> 16) * 0x85ebca6bu;
    hash = (hash ^ hash >> 13) * 0xc2b2ae35u;
    thread->priority = (hash ^ hash >> 16) | DRAWN_PRIORITY;
}

/* The i-th change, whenever it comes, gives the priority i: as in the paper. */
static void change_priority(struct thread *thread)
{
    run.places++;
    for (uint32_t i = 0; i < run.plan->changes; i++) {
        if (run.changes[i] == run.places) {
            thread->priority = i;
        }
    }
}

static struct thread *pct_departure(struct thread *thread)
{
    change_priority(thread);
    struct thread *highest = thread;
    for (struct thread *other = run.ready.head; other != NULL; other = other->next) {
        if (other->priority > highest->priority) {
            highest = other;
        }
    }
    return highest != thread ? highest : NULL;
}

/* ---- the table ---- */

static struct thread *(*const departures[])(struct thread *thread) = {
    [FL_POLICY_RANDOM] = random_departure,
    [FL_POLICY_WALK] = walk_departure,
    [FL_POLICY_PCT] = pct_departure,
};

bool draw_sound(const struct fl_plan *plan)
{
    return plan->policy < sizeof departures / sizeof *departures &&
           plan->changes <= FL_MAX_CHANGES && (plan->changes == 0 || plan->chance > 0);
}

void draw_begin(void)
{
    for (uint32_t i = 0; i < run.plan->changes; i++) {
        run.changes[i] = 1 + draw() % run.plan->chance;
    }
}

struct thread *draw_departure(struct thread *thread)
{
    return run.reached < FL_MAX_PREEMPTIONS ? departures[run.plan->policy](thread) : NULL;
}
