/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* scsictl shows a machine that is too large for one reply as it shows any other. */

#include <string.h>

#include "harness.h"
#include "stand_in.h"

static char *run(struct harness *harness, const char *words) {
        g_autoptr(GSubprocess) child =
                harness_spawn(harness, "SCSICTL", words, G_SUBPROCESS_FLAGS_STDOUT_PIPE);
        char *output = NULL;

        g_assert_true(g_subprocess_communicate_utf8(child, NULL, NULL, &output, NULL, NULL));
        g_assert_cmpint(g_subprocess_get_exit_status(child), ==, 0);
        return output;
}

static void test_scsictl(void) {
        static const char *const words[] = {"tree", "list devices", "list units --json",
                                            "list targets", "list jobs"};
        struct harness *real = harness_boot(machine_new(2, 2, 3));
        struct harness *front = harness_new(machine_new(1, 1, 1));
        struct stand_in *stand_in;

        harness_check_complete(real);
        stand_in = stand_in_new(real, front);
        for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
                g_autofree char *whole = run(real, words[i]), *paged = run(front, words[i]);

                g_assert_cmpstr(whole, ==, paged);
                g_assert_cmpuint(strlen(whole), >, 50);
        }
        /* 2 hosts, 4 targets, 12 devices and units, a job or more. */
        g_assert_cmpuint(stand_in_refused(stand_in), ==, G_N_ELEMENTS(words));
        g_assert_cmpuint(stand_in_pages(stand_in), >=, 31 * G_N_ELEMENTS(words));
        stand_in_free(stand_in);
        harness_free(front);
        harness_free(real);
}

int main(int argc, char **argv) {
        harness_init(&argc, &argv);
        g_test_add_func("/bus/pages/scsictl", test_scsictl);
        return g_test_run();
}
