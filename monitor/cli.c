#include "cli.h"

#include <jansson.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "main.h"
#include "trace.h"

bool cli_parse(int *argc, char ***argv, const char *usage, const char *about,
               const GOptionEntry *entries, const GOptionEntry *more, int *status)
{
    setlocale(LC_CTYPE, "");
    g_autofree char *verb = g_strdup((*argv)[0]);
    g_autofree char *program = g_strdup_printf("faultline %s", verb);
    g_set_prgname(program);
    g_autoptr(GOptionContext) context = g_option_context_new(usage);
    g_option_context_set_summary(context, about);
    g_option_context_add_main_entries(context, entries, NULL);
    if (more != NULL)
        g_option_context_add_main_entries(context, more, NULL);

    GError *error = NULL;
    if (g_option_context_parse(context, argc, argv, &error)) {
        /* GOption leaves the "--" that ends the options among the words */
        if (*argc > 1 && strcmp((*argv)[1], "--") == 0) {
            memmove(*argv + 1, *argv + 2, (size_t)(*argc - 1) * sizeof(char *));
            --*argc;
        }
        return true;
    }
    *status = cli_fail(program, g_error_new(CLI_ERROR, CLI_ERROR_USAGE, "%s; see `%s --help`",
                                            error->message, program));
    g_error_free(error);
    return false;
}

bool cli_words(int argc, int min, int max, const char *wanted, GError **error)
{
    if (argc - 1 >= min && argc - 1 <= max)
        return true;
    g_set_error(error, CLI_ERROR, CLI_ERROR_USAGE, "%s; see `%s --help`", wanted, g_get_prgname());
    return false;
}

int cli_fail(const char *who, GError *error)
{
    g_strdelimit(error->message, "\n\r\t\033", ' ');
    fprintf(stderr, "%s: %s\n", who, error->message);
    g_error_free(error);
    return EXIT_ERROR;
}

unsigned cli_distance(const char *a, const char *b)
{
    const size_t width = strlen(b) + 1;
    g_autofree unsigned *row = g_new(unsigned, width);
    for (size_t j = 0; j < width; j++)
        row[j] = (unsigned)j;
    for (size_t i = 1; a[i - 1] != '\0'; i++) {
        unsigned diagonal = row[0];
        row[0] = (unsigned)i;
        for (size_t j = 1; j < width; j++) {
            const unsigned change = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            row[j] = MIN(change, MIN(row[j], row[j - 1]) + 1);
        }
    }
    return row[width - 1];
}

void cli_unknown(const char *what, const char *name, const GPtrArray *known, const char *list,
                 GError **error)
{
    const char *nearest = NULL;
    unsigned least = UINT32_MAX;
    for (guint i = 0; i < known->len; i++) {
        const char *candidate = g_ptr_array_index(known, i);
        const unsigned distance = cli_distance(name, candidate);
        if (distance < least) {
            least = distance;
            nearest = candidate;
        }
    }
    if (nearest == NULL)
        g_set_error(error, CLI_ERROR, CLI_ERROR_USAGE, "unknown %s \"%s\"; there is none", what,
                    name);
    else
        g_set_error(error, CLI_ERROR, CLI_ERROR_USAGE,
                    "unknown %s \"%s\"; did you mean \"%s\"? `%s` lists them", what, name, nearest,
                    list);
}

char *cli_count(uint64_t number)
{
    g_autofree char *digits = g_strdup_printf("%" G_GUINT64_FORMAT, number);
    const size_t length = strlen(digits);
    GString *text = g_string_new(NULL);
    for (size_t i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0)
            g_string_append_c(text, ',');
        g_string_append_c(text, digits[i]);
    }
    return g_string_free(text, FALSE);
}

char *cli_plural(uint64_t number, const char *singular)
{
    g_autofree char *count = cli_count(number);
    return g_strdup_printf("%s %s%s", count, singular, number == 1 ? "" : "s");
}

void cli_print_json(json_t *json)
{
    json_dumpf(json, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(json);
}

json_t *cli_json_hash(uint64_t hash)
{
    char text[20];
    g_snprintf(text, sizeof(text), "%016" G_GINT64_MODIFIER "x", hash);
    return json_string(text);
}

bool cli_depth(const char *name, unsigned *depth, GError **error)
{
    const int found = trace_depth_of(name);
    if (found < FL_DEPTH_IPC || found > FL_DEPTH_INSN) {
        g_set_error(error, CLI_ERROR, CLI_ERROR_USAGE,
                    "depth must be ipc, sync, access or insn, not \"%s\"", name);
        return false;
    }
    *depth = (unsigned)found;
    return true;
}

static volatile sig_atomic_t interrupted;

static void interrupt(int signal)
{
    (void)signal;
    interrupted = 1;
}

void cli_catch_interrupt(void)
{
    const struct sigaction action = {.sa_handler = interrupt, .sa_flags = (int)SA_RESETHAND};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

bool cli_interrupted(void)
{
    return interrupted != 0;
}
