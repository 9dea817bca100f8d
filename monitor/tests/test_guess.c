/* Guesses of the size of trees that are known. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdbool.h>
#include <stdint.h>
#include <cmocka.h>
#include "explore/guess.h"

#define DEPTH 6

struct tree {
    uint32_t (*branches)(uint32_t depth, uint32_t which);
    bool late; /* a branch is known only when the one before it is done */
};

struct walk {
    const struct tree *tree;
    struct guess *guess;
    struct guess_node path[DEPTH];
    uint64_t leaves;
};

static void walk_below(struct walk *walk, uint32_t depth, uint32_t which)
{
    if (depth == DEPTH) {
        walk->leaves++;
        guess_add(walk->guess, walk->path, DEPTH);
        return;
    }
    const uint32_t n = walk->tree->branches(depth, which);
    for (uint32_t i = 0; i < n; i++) {
        const uint32_t left = n - 1 - i;
        walk->path[depth] = (struct guess_node){i, walk->tree->late ? MIN(left, 1) : left};
        walk_below(walk, depth + 1, i);
    }
    guess_learn(walk->guess, depth, n);
}

static struct walk walk_all(const struct tree *tree)
{
    struct walk walk = {.tree = tree, .guess = guess_new()};
    walk_below(&walk, 0, 0);
    return walk;
}

static uint32_t three(uint32_t depth, uint32_t which)
{
    (void)depth;
    (void)which;
    return 3;
}

/* A node's first branch is larger than its others. */
static uint32_t fewer(uint32_t depth, uint32_t which)
{
    (void)depth;
    return which == 0 ? 4 : 2;
}

static void an_even_tree_is_guessed_at_once(void **state)
{
    (void)state;
    const struct tree tree = {three, false};
    struct walk walk = walk_all(&tree);
    double least, most;
    assert_int_equal(walk.leaves, 729);
    guess_band(walk.guess, &least, &most);
    assert_float_equal(guess_quality(walk.guess, 0), 1, 1e-6);
    assert_float_equal(guess_quality(walk.guess, 0.5), 1, 1e-6);
    assert_float_equal(guess_last(walk.guess), 729, 1e-3);
    assert_float_equal(least, 729, 1e-3);
    assert_float_equal(most, 729, 1e-3);
    guess_free(walk.guess);
}

/* As in a reduced search: never off by an order of magnitude from a tenth on, right at the end. */
static void uneven_and_late_trees_are_guessed(void **state)
{
    (void)state;
    const struct tree trees[] = {{three, true}, {fewer, false}, {fewer, true}};
    for (size_t i = 0; i < G_N_ELEMENTS(trees); i++) {
        struct walk walk = walk_all(&trees[i]);
        for (double part = 0.1; part < 1; part += 0.1) {
            assert_true(guess_quality(walk.guess, part) > 0.1);
            assert_true(guess_quality(walk.guess, part) < 10);
        }
        assert_float_equal((float)(guess_last(walk.guess) / (double)walk.leaves), 1, 0.5);
        guess_free(walk.guess);
    }
}

/* Guesses that grow and fall: the band is that of the later half, however many there are. */
static void the_band_is_of_the_later_half(void **state)
{
    (void)state;
    for (uint32_t n = 1; n < 1500; n += 37) {
        struct guess *guess = guess_new();
        double least, most, wanted_least = 1e9, wanted_most = 0;
        for (uint32_t i = 0; i < n; i++) {
            const struct guess_node node = {.waiting = (i * 7919) % 101};
            const double all = (i + 1.0) * (node.waiting + 1.0);
            guess_add(guess, &node, 1);
            wanted_least = i >= n / 2 ? MIN(wanted_least, all) : wanted_least;
            wanted_most = i >= n / 2 ? MAX(wanted_most, all) : wanted_most;
        }
        guess_band(guess, &least, &most);
        assert_float_equal(least, MAX(wanted_least, n), 1e-3);
        assert_float_equal(most, wanted_most, 1e-3);
        guess_free(guess);
    }
}

static void nothing_seen_is_no_guess(void **state)
{
    (void)state;
    struct guess *guess = guess_new();
    assert_float_equal(guess_last(guess), 0, 0);
    assert_float_equal(guess_quality(guess, 0.5), 0, 0);
    guess_free(guess);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_even_tree_is_guessed_at_once),
        cmocka_unit_test(uneven_and_late_trees_are_guessed),
        cmocka_unit_test(the_band_is_of_the_later_half),
        cmocka_unit_test(nothing_seen_is_no_guess),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
