/* faultline list: what a guest image holds. */
#include <jansson.h>
#include <stdio.h>
#include "cli.h"
#include "main.h"
#include "subject.h"
#include "trace.h"

static json_t *variant_to_json(const struct fl_variant *variant)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:i}", "id", variant->id, "summary", variant->summary,
                     "expect", variant->expect, "depth",
                     trace_value_name(TRACE_DEPTH, variant->depth), "bound", variant->bound);
}

static json_t *param_to_json(const struct fl_param *param)
{
    return json_pack("{s:s, s:s, s:I, s:I, s:I}", "id", param->id, "summary", param->summary,
                     "preset", (json_int_t)param->preset, "min", (json_int_t)param->min, "max",
                     (json_int_t)param->max);
}

static json_t *scenario_to_json(const struct fl_scenario *scenario)
{
    json_t *variants = json_array();
    for (uint32_t i = 0; i < scenario->n_variants; i++)
        json_array_append_new(variants, variant_to_json(&scenario->variants[i]));
    json_t *params = json_array();
    for (uint32_t i = 0; i < scenario->n_params; i++)
        json_array_append_new(params, param_to_json(&scenario->params[i]));
    return json_pack("{s:s, s:s, s:s, s:s, s:o, s:o}", "id", scenario->id, "summary",
                     scenario->summary, "source", scenario->source, "threads", scenario->threads,
                     "variants", variants, "params", params);
}

static void print_json(const struct image *image)
{
    json_t *list = json_array();
    for (size_t i = 0; i < image->n_scenarios; i++)
        json_array_append_new(list, scenario_to_json(&image->scenarios[i]));
    cli_print_json(list);
}

static void print_scenario(const struct fl_scenario *scenario)
{
    printf("%s: %s\n  source   %s\n  threads  %s\n", scenario->id, scenario->summary,
           scenario->source, scenario->threads);
    for (uint32_t i = 0; i < scenario->n_params; i++) {
        const struct fl_param *param = &scenario->params[i];
        printf("  --param %s=%u (%u to %u): %s\n", param->id, param->preset, param->min, param->max,
               param->summary);
    }
    for (uint32_t i = 0; i < scenario->n_variants; i++) {
        const struct fl_variant *variant = &scenario->variants[i];
        printf("  %s/%s: %s\n      expect %s at depth %s, bound %u\n", scenario->id, variant->id,
               variant->summary, variant->expect, trace_value_name(TRACE_DEPTH, variant->depth),
               variant->bound);
    }
}

static void print_text(const struct image *image)
{
    for (size_t i = 0; i < image->n_scenarios; i++) {
        if (i > 0)
            putchar('\n');
        print_scenario(&image->scenarios[i]);
    }
}

static int list(const struct subject_options *options, bool json, GError **error)
{
    struct image *image;
    const struct backend_ops *backend;
    const bool chosen = subject_choose(options, &image, &backend, error);
    if (chosen && json)
        print_json(image);
    else if (chosen)
        print_text(image);
    image_close(image);
    return chosen ? EXIT_CLEAN : EXIT_ERROR;
}

int cmd_list(int argc, char **argv)
{
    gboolean json = FALSE;
    struct subject_options options = {.guest = NULL};
    const GOptionEntry entries[] = {
        {"json", 0, 0, G_OPTION_ARG_NONE, &json, "print a JSON array", NULL},
        {"guest", 0, 0, G_OPTION_ARG_FILENAME, &options.guest,
         "guest image (default: the one that came with this program)", "FILE"},
        {"backend", 0, 0, G_OPTION_ARG_STRING, &options.backend,
         "the image that this back end runs", "ID"},
        G_OPTION_ENTRY_NULL,
    };
    int status;
    if (!cli_parse(&argc, &argv, "", "Lists the scenarios of a guest image and their variants.",
                   entries, NULL, &status))
        return status;
    GError *error = NULL;
    status = EXIT_ERROR;
    if (cli_words(argc, 0, 0, "takes no words", &error))
        status = list(&options, json, &error);
    if (error != NULL)
        status = cli_fail("faultline list", error);
    subject_options_free(&options);
    return status;
}
