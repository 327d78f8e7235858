/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The judge of the lab. It knows the contract and nothing of the service: it states as facts
 * ("device 0:0:0:5", "Vendor", "Linux") what sysfs says and, with --targets, what each target
 * answers to a REPORT LUNS of our own; states likewise what org.scsiscan1 shows on the bus; and
 * prints every fact that only one side has or on which they differ.
 */

#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lab/oracle.h"
#include "util/cleanup.h"

/* How many objects of that kind ("devices") the view has, by a property that each of them bears. */
static unsigned view_count(GHashTable *view, const char *kind) {
        g_autofree char *prefix = g_strdup_printf(ROOT_PATH "/%.*s/", (int)strlen(kind) - 1, kind);
        const char *property = strcmp(kind, "hosts") == 0     ? " Number"
                               : strcmp(kind, "targets") == 0 ? " Devices"
                                                              : " Identity";
        GHashTableIter iterator;
        unsigned count = 0;
        void *key;

        g_hash_table_iter_init(&iterator, view);
        while (g_hash_table_iter_next(&iterator, &key, NULL))
                if (g_str_has_prefix(key, prefix) && g_str_has_suffix(key, property))
                        count++;
        return count;
}

/* What the caller knows of a device ("0:0:0:1.Identity=naa.5") counts for more than sysfs. */
static void devices_expect(GHashTable *truth, char **expectations) {
        for (; *expectations; expectations++) {
                g_autofree char *address = g_strndup(*expectations, strcspn(*expectations, "."));
                const char *property = *expectations + strlen(address);
                g_autofree char *object = object_path("device", address);
                g_autofree char *name = NULL;

                if (*property != '.')
                        continue;
                property++;
                name = g_strndup(property, strcspn(property, "="));
                fact_state(truth, object, name, g_strdup(strchr(property, '=') + 1));
        }
}

/* Both tables get what the caller expects ("devices=16") and what the view has. */
static void counts_state(GHashTable *truth, GHashTable *view, char **expectations) {
        for (; *expectations; expectations++) {
                const char *equals = strchr(*expectations, '=');
                g_autofree char *kind = g_strndup(*expectations, (size_t)(equals - *expectations));

                if (strchr(kind, '.'))
                        continue;
                fact_state(truth, "number of", kind, g_strdup(equals + 1));
                fact_state(view, "number of", kind, g_strdup_printf("%u", view_count(view, kind)));
        }
}

static void difference_add(GPtrArray *differences, const char *key, const char *truth,
                           const char *view) {
        g_ptr_array_add(differences,
                        g_strdup_printf("%s: %s%s%s, the view %s%s%s", key,
                                        truth ? "is \"" : "is not there", truth ? truth : "",
                                        truth ? "\"" : "", view ? "says \"" : "has none",
                                        view ? view : "", view ? "\"" : ""));
}

static GPtrArray *facts_compare(GHashTable *truth, GHashTable *view) {
        GPtrArray *differences = g_ptr_array_new_with_free_func(g_free);
        GHashTableIter iterator;
        void *key, *value;

        g_hash_table_iter_init(&iterator, truth);
        while (g_hash_table_iter_next(&iterator, &key, &value)) {
                const char *other = g_hash_table_lookup(view, key);

                if (!other || strcmp(value, other) != 0)
                        difference_add(differences, key, value, other);
        }
        g_hash_table_iter_init(&iterator, view);
        while (g_hash_table_iter_next(&iterator, &key, &value))
                if (!g_hash_table_contains(truth, key))
                        difference_add(differences, key, NULL, value);
        g_ptr_array_sort(differences, word_compare);
        return differences;
}

static int differences_print(GPtrArray *differences) {
        for (guint i = 0; i < differences->len; i++)
                printf("%s\n", (char *)differences->pdata[i]);
        return 1;
}

static void lists_state(GHashTable *truth, GHashTable *lists) {
        GHashTableIter iterator;
        void *key, *value;

        g_hash_table_iter_init(&iterator, lists);
        while (g_hash_table_iter_next(&iterator, &key, &value))
                fact_state(truth, key, "Devices", list_text(value));
}

struct questions {
        bool targets, identities;
};

/* All differences at this moment. */
static GPtrArray *judge(sd_bus *bus, const struct questions *ask, char **expectations) {
        g_autoptr(GHashTable) truth = facts_new(), view = facts_new();
        g_autoptr(GHashTable) lists = lists_new();
        g_autoptr(GPtrArray) addresses = g_ptr_array_new_with_free_func(g_free);

        kernel_read(truth, lists, addresses);
        if (ask->targets)
                targets_ask(truth, addresses);
        devices_expect(truth, expectations); /* it is compared only where the truth is known */
        if (view_read(bus, truth, view) >= 0) {
                if (ask->identities)
                        identities_ask(truth, view, addresses);
                view_state_attached(truth, view);
                standings_apply(truth, lists, view);
                devices_expect(truth, expectations);
                counts_state(truth, view, expectations);
        }
        lists_state(truth, lists);
        return facts_compare(truth, view);
}

/* Whether a look at everything is worth its while: it costs the one processor some milliseconds for
 * each device, and while the kernel has another number of them than is expected, nothing agrees. */
static bool kernel_count_expected(char **expectations) {
        for (; *expectations; expectations++)
                if (g_str_has_prefix(*expectations, "devices="))
                        return strtoul(*expectations + strlen("devices="), NULL, 10) ==
                               kernel_count_devices();
        return true;
}

static int usage(FILE *stream) {
        fputs("oracle [--targets] [--identities] [--within SECONDS] [hosts=N] [targets=N] [devices=N]\n"
              "       [units=N] [H:C:T:L.PROPERTY=VALUE]...\n"
              "Compares what org.scsiscan1 shows with sysfs and, with --targets, with what each\n"
              "target reports, with --identities, with who answers at each device; tries again until\n"
              "they agree or the time is over, which is LAB_PATIENCE times as long.\n"
              "Prints every difference; exit status 1 when there is one.\n",
              stream);
        return stream == stdout ? 0 : 2;
}

static bool expectation_is_valid(const char *text) {
        return g_regex_match_simple("^(hosts|targets|devices|units)=[0-9]+$", text, 0, 0) ||
               g_regex_match_simple("^[0-9:]+\\.(Identity|Standing|State|InUse)=", text, 0, 0);
}

/* See tests/lab/vocabulary.sh. */
static double patience(void) {
        const char *factor = g_getenv("LAB_PATIENCE");

        return factor ? g_ascii_strtod(factor, NULL) : 1;
}

int main(int argc, char **argv) {
        static const struct option options[] = {
                {"targets", no_argument, NULL, 't'},
                {"identities", no_argument, NULL, 'i'},
                {"within", required_argument, NULL, 'w'},
                {"help", no_argument, NULL, 'h'},
                {},
        };
        _cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        const char *name;
        int64_t begin = g_get_monotonic_time(), limit = 0;
        struct questions ask = {};
        int option, r;

        while ((option = getopt_long(argc, argv, "", options, NULL)) >= 0)
                switch (option) {
                case 't':
                        ask.targets = true;
                        break;
                case 'i':
                        ask.identities = true;
                        break;
                case 'w':
                        limit = (int64_t)(g_ascii_strtod(optarg, NULL) * patience() *
                                          G_USEC_PER_SEC);
                        break;
                default:
                        return usage(option == 'h' ? stdout : stderr);
                }
        for (int i = optind; i < argc; i++)
                if (!expectation_is_valid(argv[i]))
                        return usage(stderr);

        r = sd_bus_open_system(&bus);
        /* The bus waits 30 s for who it is that has connected; judging may begin later than that.
         */
        if (r >= 0)
                r = sd_bus_get_unique_name(bus, &name);
        if (r < 0) {
                fprintf(stderr, "oracle: the system bus: %s\n", g_strerror(-r));
                return 1;
        }
        for (;;) {
                int64_t started = g_get_monotonic_time();
                bool last = started - begin >= limit;

                if (last || kernel_count_expected(argv + optind)) {
                        g_autoptr(GPtrArray) differences = judge(bus, &ask, argv + optind);

                        if (differences->len == 0)
                                return 0;
                        if (last)
                                return differences_print(differences);
                }
                /* Leave the processor to the service at least as long as we took it. */
                g_usleep((gulong)MAX(g_get_monotonic_time() - started, 50000));
        }
}
