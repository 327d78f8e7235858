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

/* Options that only some verbs take. */
enum {
        TAKES_NO_LEGEND = 1 << 0,
        TAKES_NO_WAIT = 1 << 1,
        TAKES_REMOVE = 1 << 2,
        TAKES_FORCE = 1 << 3,
        TAKES_IDENTITY = 1 << 4,
        TAKES_NO_ASK = 1 << 5,
        TAKES_PREVIEW = 1 << 6,
        TAKES_GENERATION = 1 << 7,
        TAKES_WHY = 1 << 8,
        TAKES_JOB = TAKES_NO_WAIT | TAKES_NO_ASK, /* whatever begins one */
};

#define ARGUMENTS_ANY 4096

static const struct verb {
        const char *name;
        const char *arguments; /* as --help has them */
        int arguments_min, arguments_max;
        unsigned takes;
        enum status (*run)(sd_bus *bus, char *const *arguments, const struct options *options);
} verbs[] = {
        {"tree", "", 0, 0, TAKES_NO_LEGEND, tree_run},
        {"list", " [KIND]", 0, 1, TAKES_NO_LEGEND, list_run},
        {"show", " KEY", 1, 1, 0, show_run},
        {"explain", " KEY", 1, 1, TAKES_NO_LEGEND, explain_run},
        {"scan", " [SCOPE]", 0, 1, TAKES_JOB | TAKES_REMOVE | TAKES_GENERATION, scan_run},
        {"plan", " [SCOPE]", 0, 1, TAKES_NO_LEGEND | TAKES_NO_ASK, plan_run},
        {"attach", " TARGET LUN", 2, 2, TAKES_JOB | TAKES_IDENTITY, attach_run},
        {"detach", " WHAT", 1, 1, TAKES_JOB | TAKES_FORCE, detach_run},
        {"refresh", " WHAT", 1, 1, TAKES_JOB, refresh_run},
        {"accept", " DEVICE", 1, 1, TAKES_JOB, accept_run},
        {"inhibit", " SCOPE [COMMAND...]", 1, ARGUMENTS_ANY, TAKES_NO_ASK | TAKES_WHY, inhibit_run},
        {"policy", " [reload]", 0, 1, TAKES_NO_LEGEND | TAKES_NO_ASK | TAKES_PREVIEW, policy_run},
        {"evaluate", " KEY", 1, 1, 0, evaluate_run},
        {"monitor", "", 0, 0, 0, monitor_run},
};

static const char help[] =
        "Usage: scsictl [OPTION...] [VERB [ARGUMENT...]]\n"
        "\n"
        "Look at, scan and change the SCSI buses of this machine.\n"
        "\n"
        "Verbs:\n"
        "  tree           hosts, targets and devices, then units with their paths (the default)\n"
        "  list [KIND]    a line each: hosts, targets, devices (the default), units or jobs\n"
        "  show KEY       everything about host3, 3:0:1, 3:0:1:5, a port name, an identity,\n"
        "                 /dev/sdX, /dev/sgN, a link to one, or an object path\n"
        "  explain KEY    why something is, or is not, attached and usable\n"
        "  scan [SCOPE]   scan what such a key names, or everything, and wait for the end\n"
        "  plan [SCOPE]   what such a scan would do, and why\n"
        "  attach TARGET LUN  attach one LUN on the targets that 3:0:1 or a port name means\n"
        "  detach WHAT    detach a device, or all devices of a unit\n"
        "  refresh WHAT   read size, state and VPD pages anew, on all devices of the unit\n"
        "  accept DEVICE  take a replaced or quarantined device for what it is now\n"
        "  inhibit SCOPE [COMMAND...]  attach nothing there while the command runs, or until\n"
        "                 this is interrupted; write -- before a command that has options\n"
        "  policy         the rules that hold, in their order: the last that matches wins\n"
        "  policy reload  read the rules again, and do what follows from them\n"
        "  evaluate KEY   what the rules say of a target, LUN, device or unit, and which one\n"
        "  monitor        what happens, as it happens\n"
        "\n"
        "Options:\n"
        "      --json         one JSON document; whatever begins a job, and monitor: one JSON\n"
        "                     object a line\n"
        "      --color=WHEN   auto (the default), always or never\n"
        "      --no-legend    tree, list, explain, plan, policy: no headings\n"
        "      --no-wait      scan, attach, detach, refresh, accept: print the job and leave\n"
        "      --no-ask-password  the same, plan, inhibit, policy: ask nobody for a password\n"
        "      --generation=N  scan: only what was planned at that generation\n"
        "      --why=REASON   inhibit: for those who ask who inhibits\n"
        "      --remove       scan: also detach what is gone and not in use\n"
        "      --identity=ID  attach: only if it is this unit\n"
        "      --force        detach: even if it is in use\n"
        "      --preview      policy reload: only show what would follow\n"
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

static int generation_parse(const char *text, struct options *options) {
        char *end;

        errno = 0;
        options->generation = strtoull(text, &end, 10);
        if (errno != 0 || end == text || *end || *text == '-')
                return usage("--generation is a number that scsictl plan said, not ", text);
        options->planned = true;
        return -1;
}

static int option_apply(int option, struct options *options) {
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
        case 'a':
                options->ask = false;
                break;
        case 'r':
                options->remove = true;
                break;
        case 'f':
                options->force = true;
                break;
        case 'i':
                options->identity = optarg;
                break;
        case 'p':
                options->preview = true;
                break;
        case 'g':
                return generation_parse(optarg, options);
        case 'y':
                options->why = optarg;
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

/* Parses the options: -1 to go on, else the exit status. */
static int options_parse(int argc, char **argv, struct options *options) {
        static const struct option long_options[] = {
                {"json", no_argument, NULL, 'j'},
                {"color", required_argument, NULL, 'c'},
                {"no-legend", no_argument, NULL, 'l'},
                {"no-wait", no_argument, NULL, 'w'},
                {"remove", no_argument, NULL, 'r'},
                {"force", no_argument, NULL, 'f'},
                {"identity", required_argument, NULL, 'i'},
                {"help", no_argument, NULL, 'h'},
                {"version", no_argument, NULL, 'V'},
                {"no-ask-password", no_argument, NULL, 'a'},
                {"preview", no_argument, NULL, 'p'},
                {"generation", required_argument, NULL, 'g'},
                {"why", required_argument, NULL, 'y'},
                {},
        };
        int option, status = -1;

        while (status < 0 && (option = getopt_long(argc, argv, "hV", long_options, NULL)) >= 0)
                status = option_apply(option, options);
        return status;
}

/* Whether the verb takes what it is given: -1 to go on, else the exit status. */
static int verb_check(const struct verb *verb, int arguments, const struct options *options) {
        const struct {
                bool given;
                unsigned takes;
                const char *complaint;
        } given[] = {
                {!options->legend, TAKES_NO_LEGEND, "--no-legend is not for "},
                {!options->wait, TAKES_NO_WAIT, "--no-wait is not for "},
                {!options->ask, TAKES_NO_ASK, "--no-ask-password is not for "},
                {options->remove, TAKES_REMOVE, "--remove is not for "},
                {options->force, TAKES_FORCE, "--force is not for "},
                {options->preview, TAKES_PREVIEW, "--preview is not for "},
                {options->planned, TAKES_GENERATION, "--generation is not for "},
                {options->why, TAKES_WHY, "--why is not for "},
                {options->identity, TAKES_IDENTITY, "--identity is not for "},
        };

        for (size_t i = 0; i < ELEMENTS_OF(given); i++)
                if (given[i].given && !(verb->takes & given[i].takes))
                        return usage(given[i].complaint, verb->name);
        if (arguments >= verb->arguments_min && arguments <= verb->arguments_max)
                return -1;
        fprintf(stderr, "scsictl: %s: it is scsictl %s%s; see scsictl --help\n",
                arguments < verb->arguments_min ? "an argument is missing" : "too many arguments",
                verb->name, verb->arguments);
        return STATUS_USAGE;
}

static int verb_run(const struct verb *verb, char *const *arguments,
                    const struct options *options) {
        _cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        int r = bus_open(&bus);

        if (r < 0) {
                fprintf(stderr, "scsictl: no connection to the system bus: %s\n", strerror(-r));
                return STATUS_NOT_RUNNING;
        }
        return (int)verb->run(bus, arguments, options);
}

int main(int argc, char **argv) {
        struct options options = {.out = stdout, .legend = true, .wait = true, .ask = true};
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
        /* argv ends with a NULL, which stands for no arguments too. */
        status = verb_run(verb, argv + (optind < argc ? optind + 1 : argc), &options);
        if (fflush(stdout) != 0 && status == STATUS_OK)
                status = STATUS_FAILED;
        return status;
}
