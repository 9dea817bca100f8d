/* faultline-libvirt: one domain of libvirt's for one session of the monitor, by libvirt's C API.
 *
 *   faultline-libvirt serve URI FILE last|die   brings FILE's domain to life; speaks on stdin
 *   faultline-libvirt state URI UUID            prints its state, console and time used
 *   faultline-libvirt destroy URI UUID          ends it; none of that UUID is fine, too
 *   faultline-libvirt probe                     says libvirt's version
 *
 * A program of its own, since the monitor is to start in milliseconds and to run where there is no
 * libvirt; since libvirt has threads, an event loop and children that are nobody else's business;
 * and since what outlives a killed monitor can clean up at once. Errors are a line on stdout that
 * begins with "error ", exit status 2.
 */
#include <stdio.h>
#include <string.h>
#include "link.h"
#include "reaper.h"
#include "serve.h"

static int probe(void)
{
    unsigned long version = 0;
    if (virGetVersion(&version, NULL, NULL) != 0)
        return link_fail("libvirt does not say its version");
    printf("libvirt %lu.%lu.%lu\n", version / 1000000, version / 1000 % 1000, version % 1000);
    return 0;
}

static int destroy(virConnectPtr connection, const char *uuid)
{
    virDomainPtr domain = virDomainLookupByUUIDString(connection, uuid);
    int status = 0;
    if (domain != NULL && virDomainDestroy(domain) != 0 && virDomainIsActive(domain) == 1)
        status = link_fail(link_last_error());
    if (domain != NULL)
        virDomainFree(domain);
    return status;
}

/* "", where the domain has none: of the pty that libvirt has given it. */
static char *console_of(virDomainPtr domain)
{
    g_autofree char *xml = virDomainGetXMLDesc(domain, 0);
    const char *from = xml != NULL ? strstr(xml, "<console type='pty' tty='") : NULL;
    if (from == NULL)
        return g_strdup("");
    from += strlen("<console type='pty' tty='");
    return g_strndup(from, strcspn(from, "'"));
}

static int state(virConnectPtr connection, const char *uuid)
{
    static const char *const names[] = {
        [VIR_DOMAIN_RUNNING] = "running",   [VIR_DOMAIN_PAUSED] = "paused",
        [VIR_DOMAIN_SHUTDOWN] = "shutdown", [VIR_DOMAIN_SHUTOFF] = "gone",
        [VIR_DOMAIN_CRASHED] = "crashed",
    };
    virDomainInfo info;
    virDomainPtr domain = virDomainLookupByUUIDString(connection, uuid);
    if (domain == NULL) {
        puts("gone\t\t0");
        return 0;
    }
    int status = 0;
    if (virDomainGetInfo(domain, &info) == 0) {
        g_autofree char *console = console_of(domain);
        const char *name = info.state < G_N_ELEMENTS(names) ? names[info.state] : NULL;
        printf("%s\t%s\t%llu\n", name != NULL ? name : "unknown", console, info.cpuTime / 1000000);
    } else {
        status = link_fail(link_last_error());
    }
    virDomainFree(domain);
    return status;
}

static int with_connection(const char *uri, int (*act)(virConnectPtr, const char *),
                           const char *word)
{
    virConnectPtr connection = link_open(uri);
    if (connection == NULL)
        return link_fail(link_last_error());
    const int status = act(connection, word);
    virConnectClose(connection);
    return status;
}

int main(int argc, char **argv)
{
    link_begin();
    if (argc == 2 && strcmp(argv[1], "probe") == 0)
        return probe();
    if (argc == 4 && strcmp(argv[1], "destroy") == 0)
        return with_connection(argv[2], destroy, argv[3]);
    if (argc == 4 && strcmp(argv[1], "state") == 0)
        return with_connection(argv[2], state, argv[3]);
    if (argc == 5 && strcmp(argv[1], "serve") == 0)
        return serve(argv[2], argv[3], strcmp(argv[4], "last") == 0);
    return link_fail("wrong words: this program is the monitor's");
}
