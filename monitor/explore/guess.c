#include "guess.h"

struct level {
    double branches, nodes; /* of those that are done */
};

/* Guesses are kept in blocks, so that a band of many is told in no time. */
#define BLOCK 256u

struct band {
    double least, most;
};

struct guess {
    GArray *levels;  /* struct level, by depth */
    GArray *guesses; /* double, one a leaf */
    GArray *blocks;  /* struct band, of BLOCK guesses each, the last of those there are */
};

struct guess *guess_new(void)
{
    struct guess *guess = g_new0(struct guess, 1);
    guess->levels = g_array_new(FALSE, TRUE, sizeof(struct level));
    guess->guesses = g_array_new(FALSE, FALSE, sizeof(double));
    guess->blocks = g_array_new(FALSE, FALSE, sizeof(struct band));
    return guess;
}

void guess_free(struct guess *guess)
{
    if (guess == NULL)
        return;
    g_array_free(guess->levels, TRUE);
    g_array_free(guess->guesses, TRUE);
    g_array_free(guess->blocks, TRUE);
    g_free(guess);
}

void guess_learn(struct guess *guess, uint32_t depth, uint32_t branches)
{
    if (depth >= guess->levels->len)
        g_array_set_size(guess->levels, depth + 1);
    struct level *level = &g_array_index(guess->levels, struct level, depth);
    level->branches += branches;
    level->nodes++;
}

/* That the node will have in the end; it is below one of them. */
static double branches(const struct guess *guess, uint32_t depth, const struct guess_node *node)
{
    const double known = node->done + 1.0 + node->waiting;
    if (depth >= guess->levels->len)
        return known;
    const struct level *level = &g_array_index(guess->levels, struct level, depth);
    return level->nodes > 0 ? MAX(level->branches / level->nodes, known) : known;
}

static void widen(struct band *band, double least, double most)
{
    band->least = MIN(band->least, least);
    band->most = MAX(band->most, most);
}

void guess_note(struct guess *guess, double all)
{
    if (guess->guesses->len % BLOCK == 0)
        g_array_append_vals(guess->blocks, &(struct band){all, all}, 1);
    widen(&g_array_index(guess->blocks, struct band, guess->blocks->len - 1), all, all);
    g_array_append_val(guess->guesses, all);
}

void guess_add(struct guess *guess, const struct guess_node *path, uint32_t n)
{
    double seen = 0, part = 1;
    for (uint32_t i = 0; i < n; i++) {
        part /= branches(guess, i, &path[i]);
        seen += part * path[i].done;
    }
    const double all = (guess->guesses->len + 1.0) / MIN(seen + part, 1);
    guess_note(guess, all);
}

double guess_last(const struct guess *guess)
{
    const guint n = guess->guesses->len;
    return n > 0 ? g_array_index(guess->guesses, double, n - 1) : 0;
}

void guess_band(const struct guess *guess, double *least, double *most)
{
    struct band band = {guess_last(guess), guess_last(guess)};
    guint i = guess->guesses->len / 2;
    for (; i < guess->guesses->len && i % BLOCK != 0; i++) {
        const double one = g_array_index(guess->guesses, double, i);
        widen(&band, one, one);
    }
    for (guint block = i / BLOCK; i < guess->guesses->len && block < guess->blocks->len; block++) {
        const struct band *whole = &g_array_index(guess->blocks, struct band, block);
        widen(&band, whole->least, whole->most);
    }
    *least = MAX(band.least, guess->guesses->len);
    *most = band.most;
}

double guess_quality(const struct guess *guess, double part)
{
    const guint n = guess->guesses->len;
    const guint at = (guint)((double)n * part);
    return n > 0 ? g_array_index(guess->guesses, double, MIN(at, n - 1)) / n : 0;
}
