#include "serve.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include "link.h"
#include "reaper.h"

#define REAP_MS 5000

struct service {
    virConnectPtr connection;
    virDomainPtr domain;
    char *root; /* of an embedded driver, NULL: of another */
    pid_t qemu; /* 0: not known */
    bool over;
    int status; /* to end with */
};

/* A monitor that is gone is noticed where its words are read. */
static void tell(const char *line)
{
    ssize_t sent;
    do {
        sent = send(STDIN_FILENO, line, strlen(line), MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
}

static int refuse(const char *message)
{
    g_autofree char *line = g_strdelimit(g_strdup(message), "\n\r\t", ' ');
    g_autofree char *text = g_strdup_printf("error %s\n", line);
    tell(text);
    return 2;
}

/* ---- its end ---- */

/* libvirt's own lines in the log begin with the date. */
static char *last_line(const struct service *service)
{
    char *text = NULL;
    char *line = g_strdup("");
    if (service->root == NULL)
        return line;
    g_autofree char *name = g_strdup_printf("%s.log", virDomainGetName(service->domain));
    g_autofree char *path = g_build_filename(service->root, "log", "qemu", name, NULL);
    if (!g_file_get_contents(path, &text, NULL, NULL))
        return line;
    g_auto(GStrv) lines = g_strsplit(g_strchomp(text), "\n", -1);
    for (char **each = lines; *each != NULL; each++) {
        const char *qemu = strstr(*each, "qemu-system-");
        if (qemu != NULL && strstr(qemu, ": ") != NULL && !g_str_has_suffix(*each, "\\")) {
            g_free(line);
            line = g_strdup(strstr(qemu, ": ") + 2);
        }
    }
    g_free(text);
    return line;
}

static void say_end(const struct service *service, int detail)
{
    static const char *const how[] = {
        [VIR_DOMAIN_EVENT_STOPPED_SHUTDOWN] = "shutdown",
        [VIR_DOMAIN_EVENT_STOPPED_DESTROYED] = "destroyed",
        [VIR_DOMAIN_EVENT_STOPPED_CRASHED] = "crashed",
        [VIR_DOMAIN_EVENT_STOPPED_FAILED] = "failed",
    };
    const bool known = detail >= 0 && (size_t)detail < G_N_ELEMENTS(how) && how[detail] != NULL;
    int status = -1;
    reaper_status(service->qemu, service->qemu > 0 ? REAP_MS : 0, &status);
    g_autofree char *line = last_line(service);
    g_autofree char *text =
        g_strdup_printf("ended %s %d %s\n", known ? how[detail] : "failed", status, line);
    tell(text);
}

static int on_lifecycle(virConnectPtr connection, virDomainPtr domain, int event, int detail,
                        void *data)
{
    struct service *service = data;
    char ours[VIR_UUID_STRING_BUFLEN], theirs[VIR_UUID_STRING_BUFLEN];
    (void)connection;
    if (event == VIR_DOMAIN_EVENT_STOPPED && service->domain != NULL && !service->over &&
        virDomainGetUUIDString(service->domain, ours) == 0 &&
        virDomainGetUUIDString(domain, theirs) == 0 && strcmp(ours, theirs) == 0)
        say_end(service, detail);
    return 0;
}

static void on_close(virConnectPtr connection, int reason, void *data)
{
    struct service *service = data;
    (void)connection;
    (void)reason;
    if (!service->over)
        tell("ended lost -1 \n");
}

/* ---- the monitor's words ---- */

static void end(struct service *service, bool destroys)
{
    service->over = true;
    if (destroys)
        virDomainDestroy(service->domain); /* it may have ended by itself */
    else
        service->status = REAPER_STAY;
}

static void on_words(int watch, int fd, int events, void *data)
{
    struct service *service = data;
    char words[64];
    (void)watch;
    (void)events;
    const ssize_t count = recv(fd, words, sizeof words, MSG_DONTWAIT);
    if (count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR))
        end(service, true);
    for (ssize_t i = 0; i < count && !service->over; i++) {
        if (words[i] == 'r')
            virDomainResume(service->domain);
        else if (words[i] == 's')
            virDomainSuspend(service->domain);
        else
            end(service, words[i] != 'l');
    }
}

/* ---- its begin ---- */

/* A daemon that runs as root would make QEMU another user's, who cannot read what is ours alone,
 * and confine it: it is told to make it ours, as an embedded driver does by itself. */
static char *with_labels(virConnectPtr connection, const char *uri, const char *xml)
{
    virSecurityModel model;
    GString *labels = g_string_new(NULL);
    if (strstr(uri, "/embed") == NULL && (strstr(uri, "/system") != NULL || geteuid() == 0)) {
        g_string_append_printf(labels,
                               "  <seclabel type='static' model='dac' relabel='no'>\n"
                               "    <label>+%u:+%u</label>\n  </seclabel>\n",
                               (unsigned)geteuid(), (unsigned)getegid());
        if (virNodeGetSecurityModel(connection, &model) == 0 && model.model[0] != '\0' &&
            strcmp(model.model, "none") != 0 && strcmp(model.model, "dac") != 0)
            g_string_append_printf(labels, "  <seclabel type='none' model='%s'/>\n", model.model);
    }
    const char *tail = g_strrstr(xml, "</domain>");
    g_string_prepend_len(labels, xml, tail != NULL ? tail - xml : (gssize)strlen(xml));
    g_string_append(labels, tail != NULL ? tail : "");
    return g_string_free(labels, FALSE);
}

static pid_t find_qemu(const struct service *service)
{
    g_autofree char *text = NULL;
    if (service->root == NULL)
        return 0;
    g_autofree char *name = g_strdup_printf("%s.pid", virDomainGetName(service->domain));
    g_autofree char *path = g_build_filename(service->root, "run", "qemu", name, NULL);
    return g_file_get_contents(path, &text, NULL, NULL) ? (pid_t)atoi(text) : 0;
}

static bool begin(struct service *service, const char *uri, const char *xml_path, bool lasts)
{
    g_autofree char *given = NULL;
    service->connection = link_open(uri);
    if (service->connection == NULL || !g_file_get_contents(xml_path, &given, NULL, NULL))
        return false;
    g_autofree char *xml = with_labels(service->connection, uri, given);
    unsigned flags = VIR_DOMAIN_START_PAUSED | VIR_DOMAIN_START_VALIDATE;
    if (service->root == NULL && !lasts) /* an embedded driver has no connections to lose */
        flags |= VIR_DOMAIN_START_AUTODESTROY;
    virConnectRegisterCloseCallback(service->connection, on_close, service, NULL);
    virConnectDomainEventRegisterAny(service->connection, NULL, VIR_DOMAIN_EVENT_ID_LIFECYCLE,
                                     VIR_DOMAIN_EVENT_CALLBACK(on_lifecycle), service, NULL);
    service->domain = virDomainCreateXML(service->connection, xml, flags);
    if (service->domain == NULL)
        return false;
    service->qemu = find_qemu(service);
    return true;
}

int serve(const char *uri, const char *xml_path, bool lasts)
{
    struct service service = {.root = link_root(uri)};
    prctl(PR_SET_PDEATHSIG, 0); /* the monitor's end is seen on stdin, and then there is work */
    if (service.root != NULL)
        reaper_begin();
    if (begin(&service, uri, xml_path, lasts)) {
        g_autofree char *started = g_strdup_printf("started %ld\n", (long)service.qemu);
        tell(started);
        virEventAddHandle(STDIN_FILENO, VIR_EVENT_HANDLE_READABLE | VIR_EVENT_HANDLE_HANGUP,
                          on_words, &service, NULL);
        while (!service.over && virEventRunDefaultImpl() == 0)
            continue;
        virDomainFree(service.domain);
    } else {
        service.status = refuse(link_last_error());
    }
    if (service.connection != NULL)
        virConnectClose(service.connection);
    g_free(service.root);
    return service.status;
}
