/* The words that a stepper understands. */
#ifndef FAULTLINE_STEP_COMMANDS_H
#define FAULTLINE_STEP_COMMANDS_H

#include "attach.h"
#include "model.h"
#include "stepper.h"

struct step {
    struct stepper stepper;
    struct model model;
    struct attached gdb;
    bool quit;
    char *last; /* what an empty line says again; NULL: nothing yet */
};

/* Does what the line says, and appends what there is to show; an empty line says the last one
 * again. false: it cannot be done; after STEP_ERROR_RUN, or an error of the session, nothing can.
 */
bool step_command(struct step *step, const char *line, GString *out, GError **error);

/* Where the guest stands, as after a command that moves it. */
void step_show(struct step *step, GString *out);

#endif
