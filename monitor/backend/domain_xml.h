/* What libvirt is told of a QEMU: a domain. Private to the ways of spawning. */
#ifndef FAULTLINE_BACKEND_DOMAIN_XML_H
#define FAULTLINE_BACKEND_DOMAIN_XML_H

#include "spawn.h"

struct domain {
    const char *name, *uuid;
    const char *emulator; /* path of the program */
    const struct spawn_machine *machine;
};

/* To be freed. */
char *domain_xml(const struct domain *domain);

#endif
