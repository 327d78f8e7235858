/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The policy: rules that say what is attached and how it is treated, quirks of devices that need
 * care, and who finds the devices of which host. Read from text (docs/policy.md,
 * scsiscan-policy(5)), asked with what is known of a device. Pure: whoever reads the files hands
 * their text in.
 *
 * Rules are read in the order of their files; the last one that matches wins, setting by setting.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/discovery.h"
#include "policy/scan_rules.h"
#include "util/cleanup.h"

/* Bounds on what files may hold, all files together but the last two. */
#define POLICY_RULES_MAX 1024
#define POLICY_QUIRKS_MAX 4096 /* [Quirk] sections */
#define POLICY_HOSTS_MAX 1024  /* [Host] sections */
#define POLICY_BYTES_MAX 1048576
#define POLICY_VALUES_MAX 1024 /* of one key */
#define POLICY_LINE_MAX 190    /* bytes; inih's buffer is not larger */

#define POLICY_NAME_MAX 41 /* of a section, and a NUL */
#define POLICY_FILE_MAX 256
#define POLICY_REASON_MAX 768
/* All flags with blanks between them, and a NUL. */
#define POLICY_FLAGS_MAX 96
/* The longest value of a setting as text, and a NUL. */
#define POLICY_VALUE_MAX 24

enum policy_file_kind {
        POLICY_FILE_RULES,  /* policy.conf: [Rule NAME] */
        POLICY_FILE_QUIRKS, /* quirks.conf: [Quirk NAME], [Host NAME] */
};

enum policy_setting {
        POLICY_ACTION,          /* enum policy_action */
        POLICY_ON_REQUEST,      /* enum policy_on_request */
        POLICY_WHEN_MISSING,    /* enum policy_when: OF_ITSELF detaches what is unused */
        POLICY_WHEN_REPLACED,   /* enum policy_when: OF_ITSELF attaches what is unused anew */
        POLICY_WHEN_GROWN,      /* enum policy_when: OF_ITSELF refreshes its devices */
        POLICY_POLL_INTERVAL,   /* ms, 0: never */
        POLICY_COMMAND_TIMEOUT, /* ms */
        POLICY_ATTACH_DEADLINE, /* ms */
        POLICY_RETRIES,         /* of one command */
        POLICY_COMMANDS,        /* at once on a host, 1..4 */
        POLICY_ORDER,           /* -1000..1000, lower is earlier */
        POLICY_WILDCARD,        /* 0 or 1 */
        POLICY_SETTINGS,        /* how many there are */
};

enum policy_action {
        POLICY_ATTACH,
        POLICY_IGNORE,
        POLICY_QUARANTINE, /* attached, but offline until it is accepted */
        POLICY_ASK,        /* never in a file: it depends on what is not known yet */
};

/* What an explicit request to attach does where the action is IGNORE. */
enum policy_on_request {
        POLICY_REFUSE,
        POLICY_WARN
};

enum policy_when {
        POLICY_OF_ITSELF, /* "detach", "reattach", "refresh" */
        POLICY_TELL_ONLY, /* "keep", "wait", "tell" */
};

/* What is known of a device or of a place where one may be. A string that is NULL and a number that
 * is not there are not known yet: a match against them is a maybe. Strings are trimmed; "" is known
 * to be empty, as the port name on a transport without port names. */
struct policy_subject {
        bool owner; /* the service attaches, the kernel does not scan */
        /* It was looked at: what is still not known does not exist, as the identity of a device
         * without one or the size of a tape. The action is never ASK then. */
        bool complete;
        bool has_host;
        bool has_lun;
        bool has_size;
        uint32_t host;
        uint64_t lun;          /* as Linux prints it */
        uint64_t size;         /* bytes */
        const char *driver;    /* sysfs `proc_name` */
        const char *transport; /* the contract's word: "fc", "sas", ... */
        const char *port_name; /* of the target */
        const char *type;      /* scsi_type_name() */
        const char *vendor;
        const char *model;
        const char *revision;
        const char *identity; /* in the kernel's `wwid` spelling */
};

/* A section of a file. */
struct policy_rule {
        char *name;
        char *file;
        unsigned line; /* of its header */
        char *text;    /* its keys, each on a line, without comments; printable ASCII */
};

struct policy_verdict {
        int64_t value;
        const struct policy_rule *rule; /* NULL: the default; of ASK, the rule that may match */
};

struct policy_decision {
        struct policy_verdict settings[POLICY_SETTINGS];
        char reason[POLICY_REASON_MAX]; /* a sentence that says why that action */
};

struct policy_error {
        char file[POLICY_FILE_MAX];
        unsigned line;      /* 0: none */
        char found[200];    /* printable ASCII */
        char expected[320]; /* the same */
};

struct policy;

/* Without rules, quirks and hosts. `defaults` is copied. NULL: out of memory. */
struct policy *policy_new(const struct policy_limits *defaults);
void policy_free(struct policy *policy);
DEFINE_CLEANUP(struct policy *, policy_free)

/* Adds what a file says to what was parsed before; `file` is its name for people. -EINVAL with
 * *ret_error, or -ENOMEM: then the policy is good for nothing but policy_free(). */
int policy_parse(struct policy *policy, enum policy_file_kind kind, const char *file,
                 const char *text, struct policy_error *ret_error);
/* "policy.conf:12: PollInterval=5 parsecs: expected a time span ...". Owned; NULL: out of memory.
 */
char *policy_error_format(const struct policy_error *error);

/* The shipped quirks.conf as it was when this was built; for where no file is. */
extern const char policy_quirks_builtin[];
extern const char policy_quirks_builtin_name[];

/* For settings other than the action a maybe is not a match. Pointers live as long as the policy.
 */
void policy_decide(const struct policy *policy, const struct policy_subject *subject,
                   struct policy_decision *ret);
/* Replaces what the decision has something to say about; the rest of the limits stays. */
void policy_decision_limits(const struct policy_decision *decision, struct policy_limits *limits);

size_t policy_rule_count(const struct policy *policy);
/* In the order of the files: a later one overrides an earlier one. */
const struct policy_rule *policy_rule_at(const struct policy *policy, size_t index);

/* Flags that steer scanning, for policy_scan_rules(): those that the kernel has set (sysfs
 * `blacklist`, may be NULL), with what the quirks that match add and take away, in their order.
 * Other flags of the kernel's are left out. vendor and model: NULL when not known, then no quirk
 * matches. *ret_by (may be NULL) is the last quirk that changed something, or NULL. */
const char *policy_quirk_flags(const struct policy *policy, const char *vendor, const char *model,
                               const char *blacklist, char buffer[static POLICY_FLAGS_MAX],
                               const struct policy_rule **ret_by);

/* By the [Host] sections; the last that matches wins. driver: sysfs `proc_name` of the host; NULL,
 * or a name that no section knows, is an ordinary host. kernel_scans: the kernel scanned, or scans,
 * this host by itself (scsi_mod.scan is not manual or none); it decides for ordinary hosts. *ret_by
 * (may be NULL) is that section, or NULL for an ordinary host. */
enum discovery policy_host_discovery(const struct policy *policy, const char *driver,
                                     bool kernel_scans, const struct policy_rule **ret_by);

/* "attach", "ignore", "quarantine", "ask"; static. */
const char *policy_action_name(enum policy_action action);
/* "Action", "PollInterval", ...; static. */
const char *policy_setting_name(enum policy_setting setting);
/* The value as a file has it: "ignore", "30s", "off", "-5". */
const char *policy_setting_format(enum policy_setting setting, int64_t value,
                                  char buffer[static POLICY_VALUE_MAX]);
