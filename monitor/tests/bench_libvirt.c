/* What it costs to bring a guest to life and to end it, as a child and as a domain of libvirt's:
 * milliseconds, least and middle of some rounds, from the start to the booted guest, and of its
 * end. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include "backend/spawn.h"
#include "session.h"

enum { ROUNDS = 10 };

static int by_size(const void *a, const void *b)
{
    const double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

static void print(const char *how, const char *what, double ms[ROUNDS])
{
    qsort(ms, ROUNDS, sizeof ms[0], by_size);
    printf("  %-8s %-8s %8.1f ms at least, %8.1f in the middle\n", how, what, ms[0],
           ms[ROUNDS / 2]);
}

static int measure(const struct image *image, const struct spawn_ops *ops)
{
    const struct spawn spawn = {.ops = ops};
    const struct session_options options = {.image = image, .spawn = &spawn};
    double create[ROUNDS], destroy[ROUNDS];
    for (unsigned i = 0; i <= ROUNDS; i++) { /* the first fills caches, and does not count */
        GError *error = NULL;
        const gint64 from = g_get_monotonic_time();
        struct session *session = session_open(&options, &error);
        if (session == NULL) {
            fprintf(stderr, "bench: %s: %s\n", ops->id, error->message);
            return 2;
        }
        const gint64 booted = g_get_monotonic_time();
        session_close(session);
        create[i > 0 ? i - 1 : 0] = (double)(booted - from) / 1000;
        destroy[i > 0 ? i - 1 : 0] = (double)(g_get_monotonic_time() - booted) / 1000;
    }
    print(ops->id, "create", create);
    print(ops->id, "destroy", destroy);
    return 0;
}

int main(void)
{
    GError *error = NULL;
    int status = 0;
    struct image *image = image_open("build/guest/armv7.elf", &error);
    if (image == NULL) {
        fprintf(stderr, "bench: %s\n", error->message);
        return 2;
    }
    for (size_t i = 0; spawns[i] != NULL && status == 0; i++) {
        char reason[256];
        if (spawns[i]->probe(reason, sizeof reason))
            status = measure(image, spawns[i]);
        else
            printf("  %s: %s\n", spawns[i]->id, reason);
    }
    image_close(image);
    return status;
}
