/* faultline: one program, one verb a file. */
#include <stdio.h>
#include <string.h>
#include "cli.h"
#include "main.h"

struct verb {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *summary;
};

static const struct verb verbs[] = {
    {"list", cmd_list, "the scenarios and variants of the guest image"},
    {"run", cmd_run, "one run of a variant, recorded as a trace"},
    {"explore", cmd_explore, "search the schedules of a variant for a violation"},
    {"replay", cmd_replay, "run a trace's plan again and compare"},
    {"step", cmd_step, "a run, a point at a time, forwards and backwards"},
    {"explain", cmd_explain, "a recorded run in lanes, and what decides it"},
    {"races", cmd_races, "accesses to memory that nothing orders, and whether it matters"},
    {"places", cmd_places, "where schedules could have been departed from, and how they end"},
    {"gdb", cmd_gdb, "a recorded run under gdb, forwards and backwards"},
    {"verify", cmd_verify, "judge recorded traces"},
    {"new-scenario", cmd_new_scenario, "the source of a scenario of your own, to begin with"},
    {"build-guest", cmd_build_guest, "guest images of a scenario of your own"},
    {"up", cmd_up, "a guest that outlives the command, as a domain of libvirt's"},
    {"ps", cmd_ps, "the guests that are up"},
    {"down", cmd_down, "their end"},
    {"doctor", cmd_doctor, "what the rig needs, and how to mend what is missing"},
};

static void print_help(void)
{
    puts("Usage: faultline VERB [OPTION...]\n\nVerbs:");
    for (size_t i = 0; i < G_N_ELEMENTS(verbs); i++)
        printf("  %-12s  %s\n", verbs[i].name, verbs[i].summary);
    puts("\n`faultline VERB --help` says more.\n\n"
         "Exit code: 0 clean and complete, 1 a finding or violation, 2 an error, 3 nothing found\n"
         "but not everything looked at.");
}

static int unknown_verb(const char *name)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    for (size_t i = 0; i < G_N_ELEMENTS(verbs); i++)
        g_ptr_array_add(names, (char *)verbs[i].name);
    GError *error = NULL;
    cli_unknown("verb", name, names, "faultline --help", &error);
    return cli_fail("faultline", error);
}

int main(int argc, char **argv)
{
    if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
        strcmp(argv[1], "help") == 0) {
        print_help();
        return argc < 2 ? EXIT_ERROR : EXIT_CLEAN;
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("faultline %s, ABI version %u\n", FAULTLINE_VERSION, FL_ABI_VERSION);
        return EXIT_CLEAN;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(verbs); i++)
        if (strcmp(argv[1], verbs[i].name) == 0)
            return verbs[i].run(argc - 1, argv + 1);
    return unknown_verb(argv[1]);
}
