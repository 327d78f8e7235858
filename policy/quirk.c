/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "policy/section.h"
#include "policy/value.h"
#include "util/cleanup.h"

/* Those of include/scsi/scsi_devinfo.h that steer scanning; the kernel applies the others itself
 * when it attaches. */
static const char *const flag_names[] = {"NOLUN",    "FORCELUN",   "SPARSELUN",   "MAX5LUN",
                                         "LARGELUN", "REPORTLUN2", "NOREPORTLUN", "INQUIRY_36"};

/* 0: no such flag. */
static uint32_t flag_find(const char *name, size_t length) {
        for (size_t i = 0; i < ELEMENTS_OF(flag_names); i++)
                if (strlen(flag_names[i]) == length && memcmp(flag_names[i], name, length) == 0)
                        return UINT32_C(1) << i;
        return 0;
}

int quirk_parse(struct section *section, const char *text, struct policy_error *error) {
        struct word word;
        int r;

        while ((r = word_next(&text, &word, error)) > 0) {
                bool removes = word.text[0] == '-';
                uint32_t flag = flag_find(word.text + removes, strlen(word.text + removes));

                if (!flag || word.negated)
                        return policy_expected(
                                error, word.text,
                                "NOLUN, FORCELUN, SPARSELUN, MAX5LUN, LARGELUN, REPORTLUN2, "
                                "NOREPORTLUN or INQUIRY_36, with - before it to take it away");
                if ((section->flags_added | section->flags_removed) & flag)
                        return policy_expected(error, word.text, "each flag once");
                *(removes ? &section->flags_removed : &section->flags_added) |= flag;
        }
        return r;
}

int discovery_parse(const char *text, enum discovery *ret, struct policy_error *error) {
        static const enum discovery all[] = {DISCOVERY_SERVICE, DISCOVERY_KERNEL, DISCOVERY_DRIVER};

        for (size_t i = 0; i < ELEMENTS_OF(all); i++)
                if (strcmp(discovery_name(all[i]), text) == 0) {
                        *ret = all[i];
                        return 0;
                }
        return policy_expected(error, text, "service, kernel or driver");
}

static uint32_t flags_of_kernel(const char *blacklist) {
        static const char blanks[] = " \t\n";
        uint32_t flags = 0;

        if (!blacklist)
                return 0;
        for (blacklist += strspn(blacklist, blanks); *blacklist;
             blacklist += strspn(blacklist, blanks)) {
                size_t length = strcspn(blacklist, blanks);

                flags |= flag_find(blacklist, length);
                blacklist += length;
        }
        return flags;
}

static const char *flags_format(uint32_t flags, char buffer[static POLICY_FLAGS_MAX]) {
        size_t length = 0;

        buffer[0] = '\0';
        for (size_t i = 0; i < ELEMENTS_OF(flag_names); i++)
                if (flags & UINT32_C(1) << i)
                        length += (size_t)snprintf(buffer + length, POLICY_FLAGS_MAX - length,
                                                   "%s%s", length > 0 ? " " : "", flag_names[i]);
        assert(length < POLICY_FLAGS_MAX);
        return buffer;
}

const char *policy_quirk_flags(const struct policy *policy, const char *vendor, const char *model,
                               const char *blacklist, char buffer[static POLICY_FLAGS_MAX],
                               const struct policy_rule **ret_by) {
        const struct section_list *quirks = &policy->sections[SECTION_QUIRK];
        const struct policy_rule *by = NULL;
        uint32_t flags = flags_of_kernel(blacklist);

        for (size_t i = 0; vendor && model && i < quirks->count; i++) {
                const struct section *quirk = quirks->items[i];
                uint32_t changed;

                if (!match_text(&quirk->matches[MATCH_VENDOR], vendor) ||
                    !match_text(&quirk->matches[MATCH_MODEL], model))
                        continue;
                changed = (flags | quirk->flags_added) & ~quirk->flags_removed;
                if (changed != flags)
                        by = &quirk->origin;
                flags = changed;
        }
        if (ret_by)
                *ret_by = by;
        return flags_format(flags, buffer);
}

enum discovery policy_host_discovery(const struct policy *policy, const char *driver,
                                     bool kernel_scans, const struct policy_rule **ret_by) {
        const struct section_list *hosts = &policy->sections[SECTION_HOST];

        if (ret_by)
                *ret_by = NULL;
        for (size_t i = hosts->count; driver && i-- > 0;)
                if (match_text(&hosts->items[i]->matches[MATCH_DRIVER], driver)) {
                        if (ret_by)
                                *ret_by = &hosts->items[i]->origin;
                        return hosts->items[i]->discovery;
                }
        return kernel_scans ? DISCOVERY_KERNEL : DISCOVERY_SERVICE;
}
