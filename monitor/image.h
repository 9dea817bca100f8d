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
    const struct fl_audit_field *audit; /* each id once at most */
    size_t n_audit;
    const struct fl_state_row *state;
    size_t n_state;
    struct image_debug *debug;     /* symbols.c */
    struct image_objects *objects; /* objects.c */
};

/* Refuses, in one line each: no file, no ELF, no Faultline guest, another ABI version. */
struct image *image_open(const char *path, GError **error);
void image_close(struct image *image);

/* Index of the scenario, or -1. */
int image_scenario(const struct image *image, const char *id);
int scenario_variant(const struct fl_scenario *scenario, const char *id);

/* The address of a symbol that is visible in all of the image. false: there is none. */
bool image_symbol(const struct image *image, const char *name, uint64_t *address);

/* Where in the source a user program is at `pc`: the function, and the innermost frame whose file
 * is a .c file (system call stubs are inline functions in headers). false: not known. */
struct source_place {
    char function[64];
    char file[128]; /* relative to the source tree */
    unsigned line;
};
bool image_source(const struct image *image, uint64_t pc, struct source_place *place);

/* All functions that `pc` lies in, those inlined into others first; at most max. The line is where
 * the function is left for the one before it. */
struct source_frame {
    struct source_place place;
    unsigned declared; /* line at which the function begins */
};
size_t image_frames(const struct image *image, uint64_t pc, struct source_frame *frames,
                    size_t max);

/* Bytes of code, from where the function around `pc` begins up to there, that image_source() places
 * in the same function and line: which of the line's instructions it is. */
bool image_line_step(const struct image *image, uint64_t pc, uint32_t *step);

/* The data at a virtual address of a program: "list_lock", "slots_taken + 4". false: not known. */
bool image_object(const struct image *image, uint64_t address, char *name, size_t size);

#endif
