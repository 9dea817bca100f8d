/* The plugin that tells user mode's accesses (monitor/plugin), as options of QEMU. Private to the
 * back ends that run QEMU. */
#ifndef FAULTLINE_BACKEND_PLUGIN_H
#define FAULTLINE_BACKEND_PLUGIN_H

#include <glib.h>
#include <stdbool.h>
#include "backend.h"

/* QEMU's option parser takes a doubled comma for a comma. To be freed. */
char *plugin_escape(const char *text);

/* Appends the options that load it. ram: the physical address of guest RAM. */
void plugin_options(GPtrArray *argv, const struct backend_accesses *accesses, uint64_t ram);

/* Whether it is there and this program, a QEMU, loads it: by having it loaded. */
bool plugin_probe(const char *qemu, char *reason, size_t size);

#endif
