#include "guess.h"

struct mean {
    double sum, count;
};

struct level {
    struct mean branches;
    struct mean decline; /* leaves of later branches, and what they were if each had the first's */
};

struct guess {
    GArray *levels;      /* struct level, by depth: of nodes that are done */
    struct mean decline; /* of all levels */
    GArray *guesses;     /* double, one a leaf */
};

struct guess *guess_new(void)
{
    struct guess *guess = g_new0(struct guess, 1);
    guess->levels = g_array_new(FALSE, TRUE, sizeof(struct level));
    guess->guesses = g_array_new(FALSE, FALSE, sizeof(double));
    return guess;
}

void guess_free(struct guess *guess)
{
    if (guess == NULL)
        return;
    g_array_free(guess->levels, TRUE);
    g_array_free(guess->guesses, TRUE);
    g_free(guess);
}

static struct level *level_at(const struct guess *guess, uint32_t depth)
{
    return &g_array_index(guess->levels, struct level, depth);
}

static double mean_of(const struct mean *mean, double without)
{
    return mean->count > 0 ? mean->sum / mean->count : without;
}

static void learn_decline(struct mean *decline, const struct guess_node *node)
{
    decline->sum += (double)node->later;
    decline->count += (double)node->first * (node->done - 1);
}

void guess_learn(struct guess *guess, uint32_t depth, const struct guess_node *node)
{
    if (depth >= guess->levels->len)
        g_array_set_size(guess->levels, depth + 1);
    struct level *level = level_at(guess, depth);
    level->branches.sum += node->done;
    level->branches.count++;
    learn_decline(&level->decline, node);
    learn_decline(&guess->decline, node);
}

/* Leaves of the branches that wait, or are likely to be added yet; `present`: of the one that the
 * search is in. */
static double to_come(const struct guess *guess, uint32_t depth, const struct guess_node *node,
                      double present)
{
    static const struct level unknown;
    const struct level *level = depth < guess->levels->len ? level_at(guess, depth) : &unknown;
    const double known = node->done + 1.0 + node->waiting;
    const double more = MAX(mean_of(&level->branches, known) - known, 0);
    const double first = node->done > 0 ? (double)node->first : present;
    const double decline = mean_of(&level->decline, mean_of(&guess->decline, 1));
    return (node->waiting + more) * MAX(first * decline, 1);
}

double guess_add(struct guess *guess, const struct guess_node *path, uint32_t n)
{
    double size = 1;
    for (uint32_t i = n; i-- > 0;)
        size += (double)(path[i].first + path[i].later) + to_come(guess, i, &path[i], size);
    g_array_append_val(guess->guesses, size);
    return size;
}

double guess_last(const struct guess *guess)
{
    const guint n = guess->guesses->len;
    return n > 0 ? g_array_index(guess->guesses, double, n - 1) : 0;
}

void guess_band(const struct guess *guess, double *least, double *most)
{
    *least = *most = guess_last(guess);
    for (guint i = guess->guesses->len / 2; i < guess->guesses->len; i++) {
        *least = MIN(*least, g_array_index(guess->guesses, double, i));
        *most = MAX(*most, g_array_index(guess->guesses, double, i));
    }
    *least = MAX(*least, guess->guesses->len);
}

double guess_quality(const struct guess *guess, double part)
{
    const guint n = guess->guesses->len;
    const guint at = (guint)((double)n * part);
    return n > 0 ? g_array_index(guess->guesses, double, MIN(at, n - 1)) / n : 0;
}
