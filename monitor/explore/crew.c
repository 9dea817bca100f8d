#include "crew.h"

#define KINDS 2 /* without and with accesses recorded */

struct crew {
    struct session_options options;
    unsigned jobs;
    bool borrowed;
    struct session **sessions[KINDS]; /* NULL: not opened; else `jobs` of them */
};

struct crew *crew_new(const struct session_options *options, unsigned jobs)
{
    struct crew *crew = g_new0(struct crew, 1);
    crew->options = *options;
    crew->jobs = jobs;
    return crew;
}

struct crew *crew_of(struct session *session)
{
    struct crew *crew = g_new0(struct crew, 1);
    crew->jobs = 1;
    crew->borrowed = true;
    crew->sessions[false] = g_new0(struct session *, 1);
    crew->sessions[false][0] = session;
    return crew;
}

static void close_kind(struct crew *crew, unsigned kind)
{
    for (unsigned i = 0; crew->sessions[kind] != NULL && !crew->borrowed && i < crew->jobs; i++)
        session_close(crew->sessions[kind][i]);
    g_clear_pointer(&crew->sessions[kind], g_free);
}

void crew_free(struct crew *crew)
{
    if (crew == NULL)
        return;
    for (unsigned kind = 0; kind < KINDS; kind++)
        close_kind(crew, kind);
    g_free(crew);
}

bool crew_open(struct crew *crew, bool accesses, GError **error)
{
    if (crew->sessions[accesses] != NULL)
        return true;
    struct session_options options = crew->options;
    options.accesses = accesses;
    crew->sessions[accesses] = g_new0(struct session *, crew->jobs);
    for (unsigned i = 0; i < crew->jobs; i++) {
        crew->sessions[accesses][i] = session_open(&options, error);
        if (crew->sessions[accesses][i] == NULL) {
            close_kind(crew, accesses);
            return false;
        }
    }
    return true;
}

struct session *crew_pick(const struct crew *crew, bool accesses, unsigned plans)
{
    struct session *best = NULL;
    for (unsigned i = 0; i < crew->jobs; i++) {
        struct session *session = crew->sessions[accesses][i];
        if (session_room(session) >= plans &&
            (best == NULL || session_unfinished(session) < session_unfinished(best)))
            best = session;
    }
    return best;
}

void crew_drop(struct crew *crew)
{
    for (unsigned kind = 0; kind < KINDS; kind++)
        for (unsigned i = 0; crew->sessions[kind] != NULL && i < crew->jobs; i++)
            session_drop(crew->sessions[kind][i]);
}

struct audit_totals crew_audits(const struct crew *crew)
{
    struct audit_totals sum = {.audits = 0};
    for (unsigned kind = 0; kind < KINDS; kind++) {
        for (unsigned i = 0; crew->sessions[kind] != NULL && i < crew->jobs; i++) {
            const struct audit_totals one = session_audits(crew->sessions[kind][i]);
            sum.audits += one.audits;
            sum.walked += one.walked;
            sum.differ += one.differ;
            sum.seconds += one.seconds;
        }
    }
    return sum;
}

unsigned crew_jobs(const struct crew *crew)
{
    return crew->jobs;
}
