#include "wakeup.h"

struct wakeup *wakeup_new(const struct step *step)
{
    struct wakeup *wakeup = g_new0(struct wakeup, 1);
    if (step != NULL) {
        wakeup->step = *step;
        footprint_ref(step->footprint);
    }
    wakeup->branches = g_ptr_array_new_with_free_func((GDestroyNotify)wakeup_free);
    return wakeup;
}

void wakeup_free(struct wakeup *wakeup)
{
    if (wakeup == NULL)
        return;
    if (wakeup->step.footprint != NULL)
        footprint_unref(wakeup->step.footprint);
    g_ptr_array_free(wakeup->branches, TRUE);
    g_free(wakeup);
}

static const struct step *step_of(const struct sequence *sequence, uint32_t i)
{
    return sequence->steps[sequence->at[i]];
}

/* Index of the thread's first step; the length when there is none. */
static uint32_t first_of(const struct sequence *sequence, uint32_t thread)
{
    uint32_t i = 0;
    while (i < sequence->length && step_of(sequence, i)->thread != thread)
        i++;
    return i;
}

/* Whether nothing of the sequence comes before its i-th step. */
static bool is_initial(const struct sequence *sequence, uint32_t i)
{
    for (uint32_t j = 0; j < i; j++)
        if (happens_before(sequence->happens, sequence->at[j], sequence->at[i]))
            return false;
    return true;
}

static bool is_independent(const struct sequence *sequence, const struct step *step)
{
    for (uint32_t i = 0; i < sequence->length; i++)
        if (footprints_depend(sequence->relation, step_of(sequence, i)->footprint, step->footprint))
            return false;
    return true;
}

bool sequence_may_begin_with(const struct sequence *sequence, const struct step *step)
{
    const uint32_t i = first_of(sequence, step->thread);
    return i < sequence->length ? is_initial(sequence, i) : is_independent(sequence, step);
}

static void remove_thread(struct sequence *sequence, uint32_t thread)
{
    const uint32_t at = first_of(sequence, thread);
    if (at == sequence->length)
        return;
    sequence->length--;
    for (uint32_t i = at; i < sequence->length; i++)
        sequence->at[i] = sequence->at[i + 1];
}

static struct wakeup *find_branch(const struct wakeup *wakeup, const struct sequence *sequence)
{
    for (guint i = 0; i < wakeup->branches->len; i++) {
        struct wakeup *branch = g_ptr_array_index(wakeup->branches, i);
        if (sequence_may_begin_with(sequence, &branch->step))
            return branch;
    }
    return NULL;
}

static void append(struct wakeup *wakeup, const struct sequence *sequence)
{
    for (uint32_t i = 0; i < sequence->length; i++) {
        struct wakeup *branch = wakeup_new(step_of(sequence, i));
        g_ptr_array_add(wakeup->branches, branch);
        wakeup = branch;
    }
}

bool wakeup_insert(struct wakeup *root, struct sequence *sequence)
{
    struct wakeup *at = root;
    for (;;) {
        struct wakeup *branch = find_branch(at, sequence);
        if (branch == NULL)
            break;
        remove_thread(sequence, branch->step.thread);
        at = branch;
        if (at->branches->len == 0)
            return false; /* it leads on to whatever comes then */
    }
    append(at, sequence);
    return true;
}
