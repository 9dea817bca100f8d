/* What a verb works on: a variant of a scenario of a guest image, on a back end.
 */
#ifndef FAULTLINE_SUBJECT_H
#define FAULTLINE_SUBJECT_H

#include <glib.h>
#include <stdbool.h>
#include "abi.h"
#include "backend/backend.h"
#include "backend/spawn.h"
#include "image.h"
#include "session.h"

struct subject_options {
    char *guest;   /* path of the image; NULL: the one that came with the program */
    char *backend; /* id or alias; NULL: the first that runs the image */
    double watchdog;
    char *spawn;   /* exec or libvirt; NULL: exec, or what the verb prefers */
    char *connect; /* URI of libvirt's; implies libvirt */
};

/* Fills in the entries of --guest, --backend, --watchdog, --spawn and --connect, which set these
 * options. */
#define SUBJECT_ENTRIES 6
void subject_entries(struct subject_options *options, GOptionEntry entries[SUBJECT_ENTRIES]);
void subject_options_free(struct subject_options *options);

struct subject {
    struct image *image;
    const struct backend_ops *backend;
    const struct fl_scenario *scenario;
    unsigned scenario_index;
    unsigned variant;
    double watchdog;
    struct spawn spawn;
    const char
        *prefers; /* who would rather have libvirt; NULL: what is not to be had is an error */
};

/* Path of the image of that architecture that came with the program; where it would be, when there
 * is none. Free with g_free. */
char *subject_default_guest(const char *arch);

/* The image and the back end that the options mean. What was opened is left in *image also after a
 * failure. */
bool subject_choose(const struct subject_options *options, struct image **image,
                    const struct backend_ops **backend, GError **error);

/* name: "scenario/variant". What was opened is closed by subject_close also after a failure. */
bool subject_open(struct subject *subject, const struct subject_options *options, const char *name,
                  GError **error);
void subject_close(struct subject *subject);

/* Spawns by libvirt if this program has it and the options do not say otherwise. Where libvirt then
 * cannot, subject_session says so on stderr and goes on without. `who` says it. */
void subject_prefer_libvirt(struct subject *subject, const struct subject_options *options,
                            const char *who);

/* Guests for a search (explore/crew.h), opened when they are needed. */
struct crew;
struct crew *subject_crew(const struct subject *subject, unsigned jobs);
struct session *subject_session(const struct subject *subject, GError **error);

/* Whether the back end can do what the plan asks for. */
bool subject_takes(const struct subject *subject, const struct fl_plan *plan, GError **error);

/* Says on stderr, in one line, that accesses are told by another back end, if that is so. `who`
 * says it. */
void subject_say_telling(const struct subject *subject, const char *who);

/* Sets the parameters of "name=value" texts; assignments may be NULL. */
bool subject_params(const struct subject *subject, char **assignments, struct fl_plan *plan,
                    GError **error);

#endif
