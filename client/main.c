/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <getopt.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/bus.h"
#include "client/cleanup.h"
#include "client/verbs.h"

enum argument {
        ARGUMENT_NONE,
        ARGUMENT_OPTIONAL,
        ARGUMENT_REQUIRED,
};

/* Options that only some verbs take. */
enum {
        TAKES_NO_LEGEND = 1 << 0,
        TAKES_NO_WAIT = 1 << 1,
};

static const struct verb {
        const char *name;
        enum argument argument;
        unsigned takes;
        enum status (*run)(sd_bus *bus, const char *argument, const struct options *options);
} verbs[] = {
        {"tree", ARGUMENT_NONE, TAKES_NO_LEGEND, tree_run},
        {"list", ARGUMENT_OPTIONAL, TAKES_NO_LEGEND, list_run},
        {"show", ARGUMENT_REQUIRED, 0, show_run},
        {"scan", ARGUMENT_OPTIONAL, TAKES_NO_WAIT, scan_run},
        {"monitor", ARGUMENT_NONE, 0, monitor_run},
};

static const char help[] =
        "Usage: scsictl [OPTION...] [VERB] [ARGUMENT]\n"
        "\n"
        "Look at and scan the SCSI buses of this machine.\n"
        "\n"
        "Verbs:\n"
        "  tree           hosts, targets and devices, then units with their paths (the default)\n"
        "  list [KIND]    a line each: hosts, targets, devices (the default), units or jobs\n"
        "  show KEY       everything about host3, 3:0:1, 3:0:1:5, a port name, an identity,\n"
        "                 /dev/sdX, /dev/sgN, a link to one, or an object path\n"
        "  scan [SCOPE]   scan what such a key names, or everything, and wait for the end\n"
        "  monitor        what happens, as it happens\n"
        "\n"
        "Options:\n"
        "      --json         one JSON document; scan and monitor: one JSON object a line\n"
        "      --color=WHEN   auto (the default), always or never\n"
        "      --no-legend    tree, list: no headings\n"
        "      --no-wait      scan: print the job and leave\n"
        "  -h, --help         this text\n"
        "  -V, --version      the version\n";

static int usage(const char *complaint, const char *what) {
        fprintf(stderr, "scsictl: %s%s; see scsictl --help\n", complaint, what);
        return STATUS_USAGE;
}

static const struct verb *verb_find(const char *name) {
        for (size_t i = 0; i < ELEMENTS_OF(verbs); i++)
                if (strcmp(verbs[i].name, name) == 0)
                        return &verbs[i];
        return NULL;
}

/* See https://no-color.org: any value but the empty one. */
static bool color_wanted(bool terminal) {
        const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

        return terminal && !(no_color && *no_color) && term && strcmp(term, "dumb") != 0;
}

static int color_parse(const char *when, struct options *options) {
        if (strcmp(when, "auto") == 0)
                options->color = color_wanted(options->terminal);
        else if (strcmp(when, "always") == 0)
                options->color = true;
        else if (strcmp(when, "never") == 0)
                options->color = false;
        else
                return -EINVAL;
        return 0;
}

/* Parses the options: -1 to go on, else the exit status. */
static int options_parse(int argc, char **argv, struct options *options) {
        static const struct option long_options[] = {
                {"json", no_argument, NULL, 'j'},
                {"color", required_argument, NULL, 'c'},
                {"no-legend", no_argument, NULL, 'l'},
                {"no-wait", no_argument, NULL, 'w'},
                {"help", no_argument, NULL, 'h'},
                {"version", no_argument, NULL, 'V'},
                {},
        };
        int option;

        while ((option = getopt_long(argc, argv, "hV", long_options, NULL)) >= 0)
                switch (option) {
                case 'j':
                        options->json = true;
                        break;
                case 'c':
                        if (color_parse(optarg, options) < 0)
                                return usage("--color is auto, always or never, not ", optarg);
                        break;
                case 'l':
                        options->legend = false;
                        break;
                case 'w':
                        options->wait = false;
                        break;
                case 'h':
                        fputs(help, options->out);
                        return STATUS_OK;
                case 'V':
                        fprintf(options->out, "scsictl %s\n", SCSISCAN_VERSION);
                        return STATUS_OK;
                default:
                        return usage("the command line is not understood", "");
                }
        return -1;
}

/* Whether the verb takes what it is given: -1 to go on, else the exit status. */
static int verb_check(const struct verb *verb, int arguments, const struct options *options) {
        if (!options->legend && !(verb->takes & TAKES_NO_LEGEND))
                return usage("--no-legend is not for ", verb->name);
        if (!options->wait && !(verb->takes & TAKES_NO_WAIT))
                return usage("--no-wait is not for ", verb->name);
        if (arguments == 0 && verb->argument == ARGUMENT_REQUIRED)
                return usage("an argument is missing for ", verb->name);
        if (arguments > (verb->argument == ARGUMENT_NONE ? 0 : 1))
                return usage("too many arguments for ", verb->name);
        return -1;
}

static int verb_run(const struct verb *verb, const char *argument, const struct options *options) {
        _cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        int r = bus_open(&bus);

        if (r < 0) {
                fprintf(stderr, "scsictl: no connection to the system bus: %s\n", strerror(-r));
                return STATUS_NOT_RUNNING;
        }
        return (int)verb->run(bus, argument, options);
}

int main(int argc, char **argv) {
        struct options options = {.out = stdout, .legend = true, .wait = true};
        const struct verb *verb;
        int status;

        setlocale(LC_ALL, "");
        options.terminal = isatty(STDOUT_FILENO);
        options.color = color_wanted(options.terminal);
        status = options_parse(argc, argv, &options);
        if (status >= 0)
                return status;
        verb = verb_find(optind < argc ? argv[optind] : "tree");
        if (!verb)
                return usage("there is no verb ", argv[optind]);
        status = verb_check(verb, optind < argc ? argc - optind - 1 : 0, &options);
        if (status >= 0)
                return status;
        status = verb_run(verb, optind < argc ? argv[optind + 1] : NULL, &options);
        if (fflush(stdout) != 0 && status == STATUS_OK)
                status = STATUS_FAILED;
        return status;
}
