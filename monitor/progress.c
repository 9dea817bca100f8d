#include "progress.h"

#include <unistd.h>

#define TERMINAL_PERIOD (G_USEC_PER_SEC / 10)
#define PLAIN_PERIOD    (G_USEC_PER_SEC * 5)

static gint64 period(const struct progress *progress)
{
    return progress->terminal ? TERMINAL_PERIOD : PLAIN_PERIOD;
}

void progress_begin(struct progress *progress, FILE *stream)
{
    *progress = (struct progress){.stream = stream, .terminal = isatty(fileno(stream)) != 0};
    progress->next = g_get_monotonic_time() + period(progress);
}

bool progress_due(struct progress *progress)
{
    return g_get_monotonic_time() >= progress->next;
}

void progress_draw(struct progress *progress, const char *line)
{
    if (progress->terminal)
        fprintf(progress->stream, "\r\033[K%s", line);
    else
        fprintf(progress->stream, "%s\n", line);
    fflush(progress->stream);
    progress->drawn = true;
    progress->next = g_get_monotonic_time() + period(progress);
}

void progress_end(struct progress *progress)
{
    if (progress->terminal && progress->drawn)
        fputs("\r\033[K", progress->stream);
    fflush(progress->stream);
    progress->drawn = false;
}
