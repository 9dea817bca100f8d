/* What the verbs share on their way in and out: options, names, errors, JSON. */
#ifndef FAULTLINE_CLI_H
#define FAULTLINE_CLI_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include "abi.h"

#define CLI_ERROR (g_quark_from_static_string("faultline-cli"))
enum cli_error { CLI_ERROR_USAGE };

/* Parses the options out of argc and argv. true: go on. false: *status is the exit code, and what
 * there was to say has been said. `usage` is what follows the verb, `about` the text below;
 * `more` may be NULL. */
bool cli_parse(int *argc, char ***argv, const char *usage, const char *about,
               const GOptionEntry *entries, const GOptionEntry *more, int *status);

/* Whether there are min to max words after the verb; `wanted` says which. */
bool cli_words(int argc, int min, int max, const char *wanted, GError **error);

/* Prints the error's message as one line on stderr, frees it, and returns EXIT_ERROR. */
int cli_fail(const char *who, GError *error);

/* Sets *error to: unknown `what` "name"; did you mean ...? `list` lists them. */
void cli_unknown(const char *what, const char *name, const GPtrArray *known, const char *list,
                 GError **error);

/* Number of single-character edits between two words. */
unsigned cli_distance(const char *a, const char *b);

/* "12,345"; free with g_free. */
char *cli_count(uint64_t number);

/* "1 finding", "2,000 findings"; free with g_free. */
char *cli_plural(uint64_t number, const char *singular);

struct json_t;
/* Prints and frees. */
void cli_print_json(struct json_t *json);
/* A 64-bit hash as JSON has room for it: 16 hex digits. */
struct json_t *cli_json_hash(uint64_t hash);

/* The name of a depth; an error names those that there are. */
bool cli_depth(const char *name, unsigned *depth, GError **error);

/* From here on SIGINT and SIGTERM only make cli_interrupted true; the second one kills. */
void cli_catch_interrupt(void);
bool cli_interrupted(void);

#endif
