#include "attach.h"

bool attach_here(struct attached *attached, const struct stepper *stepper, const char *where,
                 GString *out, GError **error)
{
    const struct rehearsal *run = stepper->run;
    const struct gdb_options options = {
        .image = stepper->subject->image,
        .backend = stepper->subject->backend,
        .scenario = stepper->subject->scenario,
        .plan = &run->plan,
        .event = stepper->at.event,
        .events = run->report.events,
        .n_events = run->report.n_events,
        .listen = where,
    };
    attach_end(attached, out);
    attached->session = gdb_open(&options, error);
    if (attached->session == NULL)
        return false;
    g_string_append_printf(out,
                           "gdb's own guest stands at event %zu%s; attach from another "
                           "terminal:\n%s\n",
                           stepper->at.event,
                           stepper->at.k > 0 ? ", before the instructions that follow it" : "",
                           gdb_attach_line(attached->session));
    return true;
}

void attach_tell(struct attached *attached, GString *out)
{
    if (attached->session == NULL || attached->told)
        return;
    attached->told = gdb_status(attached->session).diverged;
    if (attached->told)
        g_string_append(out, "gdb wrote registers or memory: what it shows diverged from the run; "
                             "this one did not\n");
}

void attach_end(struct attached *attached, GString *out)
{
    attach_tell(attached, out);
    if (attached->session != NULL)
        gdb_close(attached->session);
    *attached = (struct attached){.session = NULL};
}
