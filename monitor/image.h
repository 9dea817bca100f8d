/* A guest image: an ELF file that says of itself which scenarios it holds (abi.h), with symbols and
 * line numbers for people. Read with libelf and libdw before any boot. */
#ifndef FAULTLINE_IMAGE_H
#define FAULTLINE_IMAGE_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include "abi.h"

#define IMAGE_ERROR (g_quark_from_static_string("faultline-image"))
enum image_error { IMAGE_ERROR_OPEN, IMAGE_ERROR_NOT_ELF, IMAGE_ERROR_NOT_GUEST, IMAGE_ERROR_ABI };

struct image {
    char *path;
    char hash[72];    /* SHA-256 of the file, hex */
    const void *data; /* the file, as hashed; what runs is a copy of this */
    size_t size;
    const char *arch; /* "armv7", "x86_64" */
    struct fl_image header;
    const struct fl_scenario *scenarios;
    size_t n_scenarios;
    struct image_debug *debug; /* symbols.c */
};

/* Refuses, in one line each: no file, no ELF, no Faultline guest, another ABI version. */
struct image *image_open(const char *path, GError **error);
void image_close(struct image *image);

/* Index of the scenario, or -1. */
int image_scenario(const struct image *image, const char *id);
int scenario_variant(const struct fl_scenario *scenario, const char *id);

/* Where in the source a user program is at `pc`: the function, and the innermost frame whose file
 * is a .c file (system call stubs are inline functions in headers). false: not known. */
struct source_place {
    char function[64];
    char file[128]; /* relative to the source tree */
    unsigned line;
};
bool image_source(const struct image *image, uint64_t pc, struct source_place *place);

#endif
