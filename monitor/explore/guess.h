/* How many leaves a tree has that is being searched depth first, guessed from the part that has
 * been seen: the weighted backtrack estimator (Kilby, Slaney, Thiebaux, Walsh, "Estimating search
 * tree size", AAAI 2006, after Knuth, "Estimating the efficiency of backtrack programs", 1975).
 * Each branch of a node is taken for as large a part of what is below the node as the others; the
 * leaves seen, divided by the part of the tree that they are, is the guess.
 *
 * A reduced search adds branches to a node while it is below it. How many a node of some depth ends
 * with is learned from those that are done; near the root none is, so early guesses are too small.
 */
#ifndef FAULTLINE_GUESS_H
#define FAULTLINE_GUESS_H

#include <glib.h>
#include <stdint.h>

/* A node on the way from the root to where the search is. */
struct guess_node {
    uint32_t done;    /* branches that are done */
    uint32_t waiting; /* branches known and not begun */
};

struct guess;

struct guess *guess_new(void);
void guess_free(struct guess *guess);

/* All branches of a node at this depth are done. */
void guess_learn(struct guess *guess, uint32_t depth, uint32_t branches);
/* A leaf was seen, at the end of this path, the root's node first. */
void guess_add(struct guess *guess, const struct guess_node *path, uint32_t n);

/* A leaf was seen, and so many there are by an estimate made otherwise. */
void guess_note(struct guess *guess, double all);

double guess_last(const struct guess *guess);
/* The least and the largest guess since half of the leaves were seen. */
void guess_band(const struct guess *guess, double *least, double *most);
/* What was guessed when this part (0 to 1) of the leaves seen by now had been seen, divided by
 * their number. */
double guess_quality(const struct guess *guess, double part);

#endif
