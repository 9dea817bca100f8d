/* The golden traces: what each tells and what the engine must say of it. The same tables make the
 * trace directories and check them (test_golden.c). */
#ifndef FAULTLINE_GOLDEN_H
#define FAULTLINE_GOLDEN_H

#include "story.h"

struct golden {
    const char *name;  /* below traces/golden/succeed or /fail */
    const char *check; /* that it violates, or of which it is the clean counterpart */
    void (*tell)(struct story *story);
    unsigned variant; /* of story_scenario */
};

/* Each ends with an entry without a name. */
extern const struct golden golden_clean[];
extern const struct golden golden_violating[];
extern const struct golden golden_vm_violating[]; /* golden_vm.c: vm objects */

extern const struct golden golden_waits_violating[]; /* golden_waits.c: wait queues */

extern const struct golden golden_own_violating[]; /* golden_own.c: a scenario's own objects */

extern const struct golden golden_suspend_violating[]; /* golden_suspend.c: suspended threads */

extern const struct golden golden_refused_violating[]; /* golden_refused.c: what core refuses */

/* Clean stories of the two. */
void golden_refused_undone(struct story *story);

/* Two faults for one page, of golden_clean.c, answered in order or not. */
void golden_two_parked(struct story *story, bool longest_first);

/* Its clean story. */
void golden_suspended(struct story *story);

/* Clean stories of golden_own.c. */
void golden_own_blocks(struct story *story);
void golden_own_allocators(struct story *story);
void golden_own_forked(struct story *story);
void golden_own_in_order(struct story *story);

/* Clean stories of golden_waits.c. */
void golden_waits_woken(struct story *story);
void golden_waits_unlocked(struct story *story);
void golden_waits_heard(struct story *story);
void golden_waits_obtained(struct story *story);

/* Clean stories of golden_vm.c. */
void golden_vm_memory(struct story *story);
void golden_vm_remapped(struct story *story);
void golden_vm_zero(struct story *story);
void golden_vm_fork(struct story *story);
void golden_vm_exit(struct story *story);
void golden_vm_merged(struct story *story);
void golden_vm_duplicate(struct story *story);

/* Tells the story of the clean trace of that name. */
void golden_tell(struct story *story, const char *name);

#endif
