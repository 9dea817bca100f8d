#include <string.h>
#include <unistd.h>
#include "gdb.h"
#include "listen.h"
#include "server.h"
#include "trace.h"
#include "workdir.h"
#include "../backend/parts.h"

#define SOCKET "gdb"

struct gdb_session {
    struct workdir *workdir; /* of the socket; NULL: it is elsewhere */
    char *path;              /* of a socket, to be removed */
    char *address;
    char *attach;
    int listener;
    struct fl_plan plan;
    struct fl_event *events; /* of the run without audits */
    size_t *numbers;         /* that they have with them */
    size_t n_events;
    struct stub *stub;
    struct server *server;
    GThread *thread;
};

/* Events of audits are told only to those who audit, and nobody does here. */
static bool is_audit(const struct fl_event *event)
{
    return fl_event_id(event) == FL_EVENT_AUDIT || fl_event_id(event) == FL_EVENT_AUDIT_DIFFERS;
}

/* Leaves out what will not happen again. Events that are not known yet go on from there. */
static size_t filter(struct gdb_session *session, const struct gdb_options *options)
{
    size_t wanted = options->event;
    session->events = g_new(struct fl_event, options->n_events + 1);
    for (size_t i = 0; i < options->n_events; i++) {
        if (is_audit(&options->events[i]))
            wanted -= i < options->event;
        else
            session->events[session->n_events++] = options->events[i];
    }
    return wanted;
}

/* How the trace counts the run's events. */
static void number(struct gdb_session *session, const struct gdb_options *options, size_t count)
{
    size_t index = 0;
    session->numbers = g_new(size_t, count + 1);
    for (size_t i = 0; index < count; i++)
        if (i >= options->n_events || !is_audit(&options->events[i]))
            session->numbers[index++] = i;
}

static bool able(const struct gdb_options *options, GError **error)
{
    const char *arch = options->image->arch;
    char reason[256];
    if (gdb_target(options->backend->id) == NULL || gdb_arch(arch) == NULL)
        g_set_error(error, GDB_ERROR, GDB_ERROR_UNABLE,
                    "guests of %s on back end %s cannot be debugged", arch, options->backend->id);
    else if (!options->backend->probe(reason, sizeof reason))
        g_set_error_literal(error, GDB_ERROR, GDB_ERROR_UNABLE, reason);
    else
        return true;
    return false;
}

static bool listen_somewhere(struct gdb_session *session, const char *where, GError **error)
{
    if (where == NULL) {
        session->workdir = workdir_open(error);
        if (session->workdir == NULL)
            return false;
        session->path = g_build_filename(workdir_path(session->workdir), SOCKET, NULL);
        where = session->path;
    }
    session->listener = listen_for_gdb(where, &session->address, error);
    if (session->listener >= 0 && session->path == NULL && strcmp(session->address, where) == 0 &&
        g_file_test(where, G_FILE_TEST_EXISTS))
        session->path = g_strdup(where);
    return session->listener >= 0;
}

static void append_word(GString *line, const char *option, const char *word)
{
    g_autofree char *quoted = g_shell_quote(word);
    const bool plain =
        strspn(word, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "_-./+=:,@") == strlen(word);
    g_string_append_printf(line, " %s%s", option, plain ? word : quoted);
}

static void describe(struct gdb_session *session, const struct image *image)
{
    g_autofree char *script = part_find("../" GDB_SCRIPT, "share/faultline/gdb/faultline.py");
    g_autofree char *target = g_strdup_printf("target remote %s", session->address);
    GString *line = g_string_new(GDB_PROGRAM);
    append_word(line, "-q ", image->path);
    if (script != NULL) {
        g_autofree char *path = g_canonicalize_filename(script, NULL);
        append_word(line, "-x ", path);
    }
    append_word(line, "-ex ", target);
    session->attach = g_string_free(line, FALSE);
}

static bool open_stub(struct gdb_session *session, const struct gdb_options *options,
                      GError **error)
{
    const struct gdb_arch *arch = gdb_arch(options->image->arch);
    const struct gdb_target_config config = {
        .image = options->image,
        .arch = arch,
        .backend = options->backend,
        .plan = &session->plan,
    };
    const size_t event = filter(session, options);
    struct view *view = view_open(options->image, arch, options->scenario, error);
    struct history *history = view != NULL ? history_open(gdb_target(options->backend->id), &config,
                                                          session->events, session->n_events, error)
                                           : NULL;
    if (history == NULL) {
        view_close(view);
        return false;
    }
    size_t count;
    history_events(history, &count);
    number(session, options, count);
    view_attach(view, history_target(history)->memory);
    const struct stub_config stub = {
        .image = options->image,
        .arch = arch,
        .scenario = options->scenario,
        .plan = &session->plan,
        .event = event,
        .numbers = session->numbers,
    };
    session->stub = stub_open(&stub, history, view);
    if (event < count && stub_attach(session->stub))
        return true;
    g_set_error(error, GDB_ERROR, GDB_ERROR_RUN,
                "there is no event %zu: the run has those from 0 to %zu", options->event,
                session->numbers[count - 1]);
    return false;
}

static gpointer serve(gpointer data)
{
    server_run(data);
    return NULL;
}

struct gdb_session *gdb_open(const struct gdb_options *options, GError **error)
{
    if (!able(options, error))
        return NULL;
    struct gdb_session *session = g_new0(struct gdb_session, 1);
    session->listener = -1;
    session->plan = *options->plan;
    session->plan.mode &= FL_MODE_SPANS | FL_MODE_FAIL; /* the others wait for somebody's answers */
    session->plan.serial = 0;
    if (!listen_somewhere(session, options->listen, error) || !open_stub(session, options, error)) {
        gdb_close(session);
        return NULL;
    }
    describe(session, options->image);
    session->server = server_new(session->listener, session->stub);
    session->thread = g_thread_new("gdb", serve, session->server);
    return session;
}

const char *gdb_attach_line(const struct gdb_session *session)
{
    return session->attach;
}

const char *gdb_address(const struct gdb_session *session)
{
    return session->address;
}

struct gdb_status gdb_status(struct gdb_session *session)
{
    return server_status(session->server);
}

void gdb_close(struct gdb_session *session)
{
    if (session->server != NULL) {
        server_stop(session->server);
        g_thread_join(session->thread);
        server_free(session->server);
    }
    stub_close(session->stub);
    if (session->listener >= 0)
        close(session->listener);
    if (session->path != NULL)
        unlink(session->path);
    workdir_close(session->workdir);
    g_free(session->path);
    g_free(session->address);
    g_free(session->attach);
    g_free(session->events);
    g_free(session->numbers);
    g_free(session);
}
