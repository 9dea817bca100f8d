#include "control.h"

#include <lttng/lttng.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "daemon.h"
#include "tree.h"

/* Small, for a /dev/shm of 64 MB that guest RAM needs a part of: so much for each processor that
 * the machine could have. Who finds no room waits for the consumer, at most as long as said here.
 */
#define CHANNEL        "host"
#define SUB_BUFFER     (16u << 10)
#define SUB_BUFFERS    4
#define FLUSH_US       200000 /* what a killed monitor may lose */
#define PATIENCE_US    500000
#define KERNEL_CHANNEL "kernel"

static char session_name[64];

static bool said(int code, const char *what, GError **error)
{
    if (code >= 0)
        return true;
    g_set_error(error, LTTNG_ERROR, LTTNG_ERROR_FAILED, "LTTng does not %s: %s", what,
                lttng_strerror(code));
    return false;
}

static bool enable_provider(GError **error)
{
    struct lttng_domain domain = {.type = LTTNG_DOMAIN_UST, .buf_type = LTTNG_BUFFER_PER_UID};
    struct lttng_handle *handle = lttng_create_handle(session_name, &domain);
    struct lttng_channel *channel = lttng_channel_create(&domain);
    struct lttng_event event = {.type = LTTNG_EVENT_TRACEPOINT,
                                .name = "faultline:*",
                                .loglevel_type = LTTNG_EVENT_LOGLEVEL_ALL};
    g_strlcpy(channel->name, CHANNEL, sizeof channel->name);
    channel->attr.overwrite = 0;
    channel->attr.subbuf_size = SUB_BUFFER;
    channel->attr.num_subbuf = SUB_BUFFERS;
    channel->attr.switch_timer_interval = FLUSH_US;
    channel->attr.read_timer_interval = 0;
    lttng_channel_set_blocking_timeout(channel, PATIENCE_US);
    const bool enabled =
        said(lttng_enable_channel(handle, channel), "make the buffers", error) &&
        said(lttng_enable_event(handle, &event, CHANNEL), "enable the monitor's events", error);
    lttng_channel_destroy(channel);
    lttng_destroy_handle(handle);
    return enabled;
}

static bool enable_kernel(const char *names, GError **error)
{
    if (names == NULL)
        return true;
    struct lttng_domain domain = {.type = LTTNG_DOMAIN_KERNEL, .buf_type = LTTNG_BUFFER_GLOBAL};
    struct lttng_handle *handle = lttng_create_handle(session_name, &domain);
    g_auto(GStrv) words = g_strsplit(names, ",", -1);
    bool enabled = true;
    for (char **word = words; enabled && *word != NULL; word++) {
        struct lttng_event event = {.type = LTTNG_EVENT_TRACEPOINT,
                                    .loglevel_type = LTTNG_EVENT_LOGLEVEL_ALL};
        g_autofree char *what =
            g_strdup_printf("enable %s of the kernel (needs root and lttng-modules)", *word);
        g_strlcpy(event.name, *word, sizeof event.name);
        enabled = said(lttng_enable_event(handle, &event, NULL), what, error);
    }
    lttng_destroy_handle(handle);
    return enabled;
}

static bool have_daemon(bool kernel, GError **error)
{
    long other;
    if (lttng_session_daemon_alive() != 1)
        return daemon_start(kernel, error);
    if (!daemon_is_of_another(&other))
        return true;
    g_set_error(
        error, LTTNG_ERROR, LTTNG_ERROR_FAILED,
        "the running lttng-sessiond ends with another monitor (process %ld): wait for that, "
        "or start one for both by `lttng-sessiond --background`",
        other);
    return false;
}

/* liblttng-ctl's own: whether it keeps to itself what it returns as an error, too. In no header of
 * 2.13, and so not counted on. */
extern int lttng_opt_quiet __attribute__((weak));

static bool begin(const char *directory, const char *kernel, GError **error)
{
    if (&lttng_opt_quiet != NULL)
        lttng_opt_quiet = 1;
    g_snprintf(session_name, sizeof session_name, "faultline-%ld", (long)getpid());
    if (!have_daemon(kernel != NULL, error))
        return false;
    const bool made = said(lttng_create_session(session_name, directory), "make a session", error);
    if (made && enable_provider(error) && enable_kernel(kernel, error) &&
        said(lttng_start_tracing(session_name), "start", error))
        return true;
    if (made)
        lttng_destroy_session(session_name);
    daemon_end();
    return false;
}

static bool flush(GError **error)
{
    return said(lttng_stop_tracing(session_name), "stop", error) &&
           said(lttng_start_tracing(session_name), "start again", error);
}

static uint64_t count_lost(void)
{
    struct lttng_domain domain = {.type = LTTNG_DOMAIN_UST, .buf_type = LTTNG_BUFFER_PER_UID};
    struct lttng_handle *handle = lttng_create_handle(session_name, &domain);
    struct lttng_channel *channels = NULL;
    uint64_t sum = 0;
    const int count = lttng_list_channels(handle, &channels);
    for (int i = 0; i < count; i++) {
        uint64_t lost = 0;
        lttng_channel_get_discarded_event_count(&channels[i], &lost);
        sum += lost;
    }
    lttng_destroy_handle(handle);
    free(channels);
    return sum;
}

static bool end(uint64_t *lost, GError **error)
{
    const bool stopped = said(lttng_stop_tracing(session_name), "stop", error);
    *lost = stopped ? count_lost() : 0;
    const int destroyed = lttng_destroy_session(session_name);
    daemon_end();
    return stopped && said(destroyed, "end the session", error);
}

extern const struct lttng_control faultline_lttng_control;
__attribute__((visibility("default"))) const struct lttng_control faultline_lttng_control = {
    .begin = begin,
    .flush = flush,
    .end = end,
    .discard = remove_tree,
};
