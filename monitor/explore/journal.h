/* What a search remembers of its runs, so that another can go on where it stopped.
 *
 * A search is a function of its options and of its runs. So it is enough to keep, of each run in
 * the order of the plans, what came of it; a search that is resumed asks its strategy for the same
 * plans again, makes those runs from which the strategy learned more than the verdict (few), holds
 * them against what is remembered, and recalls the others.
 *
 * On disk: 4096 bytes of header (text, padded with zeros: a line that names the format, lines that
 * name the search, the seconds spent), then 16 bytes a run. Written at the end of a search that
 * is not complete, and every second before; what a killed monitor had not yet written is run again.
 */
#ifndef FAULTLINE_JOURNAL_H
#define FAULTLINE_JOURNAL_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

struct journal_run {
    uint64_t event_hash;
    uint8_t outcome; /* FL_OUTCOME_* */
    uint8_t refused; /* struct verdict; 255: or more */
    uint8_t verdict; /* enum verdict_kind */
    uint8_t used;    /* 1: must be made again by a search that is resumed */
    uint32_t seen;   /* struct verdict */
};

struct journal;

/* `directory`/NAME-HASH, with the hash of `key`: the lines that name the search. Takes in what a
 * search with that key has left there when `resume` says so; else it begins anew. Never fails: what
 * cannot be written is told by journal_flush. */
struct journal *journal_open(const char *directory, const char *name, const char *key, bool resume);

/* Runs taken in from before, and the seconds that they took. */
uint64_t journal_remembered(const struct journal *journal);
double journal_seconds(const struct journal *journal);
/* i < journal_remembered() */
const struct journal_run *journal_run(const struct journal *journal, uint64_t i);

/* Runs behind those remembered, in order. */
void journal_add(struct journal *journal, const struct journal_run *run);
/* seconds: spent in all. */
bool journal_flush(struct journal *journal, double seconds, GError **error);
/* There is nothing to go on from: forgets the file. */
void journal_remove(struct journal *journal);
void journal_close(struct journal *journal);

#endif
