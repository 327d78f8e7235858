/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <getopt.h>
#include <linux/close_range.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "daemon.h"
#include "fd_store.h"
#include "policy/scan_rules.h"
#include "util/log.h"

#define DEADLINE_DEFAULT_SEC 20
#define DEADLINE_MAX_SEC 3600
#define ONE_SHOT_MAX_SEC 3600
#define ONE_SHOT_GRACE_SEC 5
#define POLL_INTERVAL_MAX_SEC 86400
#define PAUSE_MIN_MSEC 10
#define PAUSE_MAX_MSEC 60000
/* As in systemd/scsiscan-worker.socket. */
#define WORKER_SOCKET "/run/scsiscan-worker/socket"

static void print_help(void) {
        printf("Usage: scsiscand [OPTION...]\n"
               "\n"
               "Scans SCSI hosts, follows what changes, and serves org.scsiscan1 on the system bus.\n"
               "\n"
               "  --mode=MODE                 owner: attach what is found, unasked; observer: beside the\n"
               "                              kernel's own scan; auto (default): owner while scsi_mod.scan\n"
               "                              is manual or none; take-over: an observer until the drivers\n"
               "                              have probed their hosts, then make scsi_mod.scan manual, and\n"
               "                              be the owner\n"
               "  --restore-scan              make scsi_mod.scan what it was when the service ends that has\n"
               "                              taken over\n"
               "  --one-shot=SECONDS          attach what there is, without a bus, and end: for the initramfs.\n"
               "                              Fails if that takes longer, or if the policy has an error\n"
               "                              (1 to 3600)\n"
               "  --until=PATH                end the one pass as soon as that file is there, such as the\n"
               "                              link to the root's disk\n"
               "  --deadline=SECONDS          how long a kernel call may take beyond its own timeout\n"
               "                              before its host counts as stuck (1 to 3600, default 20)\n"
               "  --poll-interval=SECONDS     how often a target is asked that says nothing by itself;\n"
               "                              more seldom while nothing changes (0 to 86400, default\n"
               "                              %u; 0: never)\n"
               "  --attention-interval=MSEC   how often at most a target is asked that says again and again\n"
               "                              that its LUNs have changed; up to sixty times less often\n"
               "                              when it says something vaguer and nothing comes of it\n"
               "                              (10 to 60000, default %u)\n"
               "  --confirm-interval=MSEC     between the two times that a unit has to say that it is\n"
               "                              gone (10 to 60000, default %u)\n"
               "  --log-level=LEVEL           debug, info (default), notice, warning, err, crit, alert or\n"
               "                              emerg\n"
               "  --runtime-dir=DIR           lock files of the workers (default /run/scsiscan)\n"
               "  --state-dir=DIR             what is remembered across restarts (default\n"
               "                              /var/lib/scsiscan)\n"
               "  --policy-dir=DIR            where the policy's files are, instead of /etc/scsiscan,\n"
               "                              /run/scsiscan and /usr/lib/scsiscan; may be given up to 16\n"
               "                              times, the directory that overrides first\n"
               "  --worker-socket=PATH        connect to that for each host, where systemd starts a worker\n"
               "                              with the rights that the service need not have (default\n"
               "                              " WORKER_SOCKET " for whoever is not root,\n"
               "                              unless --worker is given)\n"
               "  --worker=PATH               the worker to start for each host, without such a socket\n"
               "  --sysfs=DIR                 where sysfs is (default /sys)\n"
               "  --uevent-fd=FD              an open uevent socket, instead of opening one\n"
               "  --help                      this text\n"
               "  --version                   the version\n"
               "\n"
               "A uevent socket that systemd passes (ListenNetlink=kobject-uevent 1) is used.\n"
               "See also scsictl(1).\n",
               policy_limits_default.poll_interval_ms / 1000,
               policy_limits_default.attention_pause_ms, policy_limits_default.confirm_ms);
}

static int parse_number(const char *text, long min, long max, long *ret) {
        char *end;
        long value;

        errno = 0;
        value = strtol(text, &end, 10);
        if (errno != 0 || end == text || *end || value < min || value > max)
                return -EINVAL;
        *ret = value;
        return 0;
}

static int parse_pause(const char *text, uint32_t *ret_ms) {
        long number = 0;
        int r = parse_number(text, PAUSE_MIN_MSEC, PAUSE_MAX_MSEC, &number);

        if (r == 0)
                *ret_ms = (uint32_t)number;
        return r;
}

static int parse_mode(const char *text, enum daemon_mode *ret) {
        if (strcmp(text, "auto") == 0)
                *ret = DAEMON_MODE_AUTO;
        else if (strcmp(text, "take-over") == 0)
                *ret = DAEMON_MODE_TAKE_OVER;
        else if (strcmp(text, "owner") == 0)
                *ret = DAEMON_MODE_OWNER;
        else if (strcmp(text, "observer") == 0)
                *ret = DAEMON_MODE_OBSERVER;
        else
                return -EINVAL;
        return 0;
}

enum option_key {
        OPTION_HELP = 256,
        OPTION_VERSION,
        OPTION_MODE,
        OPTION_RESTORE_SCAN,
        OPTION_ONE_SHOT,
        OPTION_UNTIL,
        OPTION_DEADLINE,
        OPTION_POLL_INTERVAL,
        OPTION_ATTENTION_INTERVAL,
        OPTION_CONFIRM_INTERVAL,
        OPTION_LOG_LEVEL,
        OPTION_RUNTIME_DIR,
        OPTION_STATE_DIR,
        OPTION_POLICY_DIR,
        OPTION_WORKER_SOCKET,
        OPTION_WORKER,
        OPTION_SYSFS,
        OPTION_UEVENT_FD,
};

static const struct option option_table[] = {
        {"help", no_argument, NULL, OPTION_HELP},
        {"version", no_argument, NULL, OPTION_VERSION},
        {"mode", required_argument, NULL, OPTION_MODE},
        {"restore-scan", no_argument, NULL, OPTION_RESTORE_SCAN},
        {"one-shot", required_argument, NULL, OPTION_ONE_SHOT},
        {"until", required_argument, NULL, OPTION_UNTIL},
        {"deadline", required_argument, NULL, OPTION_DEADLINE},
        {"poll-interval", required_argument, NULL, OPTION_POLL_INTERVAL},
        {"attention-interval", required_argument, NULL, OPTION_ATTENTION_INTERVAL},
        {"confirm-interval", required_argument, NULL, OPTION_CONFIRM_INTERVAL},
        {"log-level", required_argument, NULL, OPTION_LOG_LEVEL},
        {"runtime-dir", required_argument, NULL, OPTION_RUNTIME_DIR},
        {"state-dir", required_argument, NULL, OPTION_STATE_DIR},
        {"policy-dir", required_argument, NULL, OPTION_POLICY_DIR},
        {"worker-socket", required_argument, NULL, OPTION_WORKER_SOCKET},
        {"worker", required_argument, NULL, OPTION_WORKER},
        {"sysfs", required_argument, NULL, OPTION_SYSFS},
        {"uevent-fd", required_argument, NULL, OPTION_UEVENT_FD},
        {},
};

/* The highest first; those that are given are all there are. */
static int add_policy_dir(const char *path, struct daemon_options *options) {
        size_t count = 0;

        for (const char *at = path; *at; at++)
                if (*at < 0x20 || *at >= 0x7f)
                        return -EINVAL; /* it is told on the bus */
        while (options->policy_dirs[count])
                count++;
        if (count == DAEMON_POLICY_DIRS_MAX)
                return -E2BIG;
        options->policy_dirs[count] = path;
        return 0;
}

static int apply_option(int key, const char *value, struct daemon_options *options) {
        long number = 0;
        int r = 0;

        switch (key) {
        case OPTION_MODE:
                return parse_mode(value, &options->mode);
        case OPTION_RESTORE_SCAN:
                options->restore_scan = true;
                return 0;
        case OPTION_ONE_SHOT:
                r = parse_number(value, 1, ONE_SHOT_MAX_SEC, &number);
                options->one_shot_sec = (uint32_t)number;
                return r;
        case OPTION_UNTIL:
                options->one_shot_until = value;
                return 0;
        case OPTION_DEADLINE:
                r = parse_number(value, 1, DEADLINE_MAX_SEC, &number);
                options->deadline_usec = (uint64_t)number * 1000000;
                return r;
        case OPTION_POLL_INTERVAL:
                r = parse_number(value, 0, POLL_INTERVAL_MAX_SEC, &number);
                options->poll_interval_ms = (uint32_t)number * 1000;
                return r;
        case OPTION_ATTENTION_INTERVAL:
                return parse_pause(value, &options->attention_ms);
        case OPTION_CONFIRM_INTERVAL:
                return parse_pause(value, &options->confirm_ms);
        case OPTION_LOG_LEVEL:
                r = log_level_parse(value);
                if (r >= 0)
                        log_set_level(r);
                return r < 0 ? r : 0;
        case OPTION_RUNTIME_DIR:
                options->runtime_dir = value;
                return 0;
        case OPTION_STATE_DIR:
                options->state_dir = value;
                return 0;
        case OPTION_POLICY_DIR:
                return add_policy_dir(value, options);
        case OPTION_WORKER_SOCKET:
                options->worker_socket = value;
                return 0;
        case OPTION_WORKER:
                options->worker = value;
                return 0;
        case OPTION_SYSFS:
                options->sysfs = value;
                return 0;
        case OPTION_UEVENT_FD:
                r = parse_number(value, 3, 65535, &number);
                options->uevent_fd = (int)number;
                return r;
        default:
                return -EINVAL;
        }
}

/* 0 to go on, 1 when all is said, -EINVAL with a message on standard error. */
static int parse_argv(int argc, char *argv[], struct daemon_options *options) {
        int key;

        while ((key = getopt_long(argc, argv, "", option_table, NULL)) >= 0) {
                if (key == OPTION_HELP) {
                        print_help();
                        return 1;
                }
                if (key == OPTION_VERSION) {
                        puts("scsiscand " SCSISCAN_VERSION);
                        return 1;
                }
                if (key == '?')
                        return -EINVAL; /* getopt has said what is wrong */
                if (apply_option(key, optarg, options) < 0) {
                        fprintf(stderr, "scsiscand: '%s' is not a value for --%s; see --help\n",
                                optarg, option_table[key - OPTION_HELP].name);
                        return -EINVAL;
                }
        }
        if (options->one_shot_until && options->one_shot_sec == 0) {
                fputs("scsiscand: --until goes with --one-shot; see --help\n", stderr);
                return -EINVAL;
        }
        if (optind < argc) {
                fprintf(stderr, "scsiscand: unexpected argument '%s'; see --help\n", argv[optind]);
                return -EINVAL;
        }
        return 0;
}

static void choose_worker(struct daemon_options *options) {
        if (!options->worker && !options->worker_socket && geteuid() != 0)
                options->worker_socket = WORKER_SOCKET;
        if (!options->worker)
                options->worker = SCSISCAN_WORKER;
}

int main(int argc, char *argv[]) {
        struct daemon_options options = {
                .sysfs = "/sys",
                .runtime_dir = "/run/scsiscan",
                .state_dir = "/var/lib/scsiscan",
                .uevent_fd = -1,
                .deadline_usec = (uint64_t)DEADLINE_DEFAULT_SEC * 1000000,
                .poll_interval_ms = policy_limits_default.poll_interval_ms,
                .attention_ms = policy_limits_default.attention_pause_ms,
                .confirm_ms = policy_limits_default.confirm_ms,
        };
        struct fd_store store = {};
        int r = parse_argv(argc, argv, &options);

        if (r != 0)
                return r < 0 ? 2 : EXIT_SUCCESS;
        choose_worker(&options);
        /* systemd may own the uevent socket, so that nothing is lost while the service restarts. */
        fd_store_take(&store, &options.uevent_fd);
        /* What we were started with is not for the workers. */
        (void)close_range(SD_LISTEN_FDS_START, ~0U, CLOSE_RANGE_CLOEXEC);
        /* Should even the loop hang: whoever waits for the root file system must not hang with it.
         */
        if (options.one_shot_sec > 0)
                (void)alarm(options.one_shot_sec + ONE_SHOT_GRACE_SEC);
        r = daemon_run(&options, &store);
        fd_store_done(&store);
        return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
