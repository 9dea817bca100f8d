/* How many leaves a tree has that is being searched depth first, guessed from the part that has
 * been seen (Knuth, "Estimating the efficiency of backtrack programs", 1975; Kilby, Slaney,
 * Thiebaux, Walsh, "Estimating search tree size", AAAI 2006, whose recursive estimator this is).
 *
 * Two things are learned on the way. A node's later branches have other sizes than its first, since
 * a reduced search leaves out what the first has seen to. And branches are added to a node while it
 * is searched: how many a node of its depth ends with is known from those that are done.
 */
#ifndef FAULTLINE_GUESS_H
#define FAULTLINE_GUESS_H

#include <glib.h>
#include <stdint.h>

/* A node on the way from the root to where the search is. */
struct guess_node {
    uint64_t first;   /* leaves of its first branch; 0: that is not done */
    uint64_t later;   /* leaves of its other branches that are done */
    uint32_t done;    /* branches that are done */
    uint32_t waiting; /* branches known and not begun */
};

struct guess;

struct guess *guess_new(void);
void guess_free(struct guess *guess);

/* All branches of a node at this depth are done. */
void guess_learn(struct guess *guess, uint32_t depth, const struct guess_node *node);
/* The present guess of the whole, the root's node first. Remembered. */
double guess_add(struct guess *guess, const struct guess_node *path, uint32_t n);

double guess_last(const struct guess *guess);
/* The least and the largest guess since half of the leaves were seen. */
void guess_band(const struct guess *guess, double *least, double *most);
/* What was guessed when this part (0 to 1) of the leaves seen by now had been seen, divided by
 * their number. */
double guess_quality(const struct guess *guess, double part);

#endif
