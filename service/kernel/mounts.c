/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <libmount/libmount.h>
#include <string.h>
#include <uthash.h>

#include "kernel/mount_table.h"
#include "kernel/mounts.h"
#include "kernel/records.h"
#include "util/cleanup.h"
#include "util/log.h"

#define MOUNTINFO "/proc/self/mountinfo"
#define SWAPS "/proc/swaps"

/* Machines that start containers change their mount table all the time: read it at most this often.
 */
#define SETTLE_MSEC 200
#define DEVICES_MAX 65536

struct used_device {
        struct scsi_address_key key;
        struct scsi_address address;
        uint64_t digest; /* of what was last told */
        size_t count;
        dev_t *numbers; /* owned */
        UT_hash_handle hh;
};

struct mounts {
        struct libmnt_monitor *monitor;
        int swaps_fd;
        uv_poll_t monitor_poll;
        uv_poll_t swaps_poll;
        uv_timer_t timer;
        unsigned open_handles;
        struct mount_table table;
        struct used_device *devices;
        mounts_handler handler;
        void *userdata;
};

static void used_device_free(struct used_device *device) {
        if (!device)
                return;
        free(device->numbers);
        free(device);
}

static void mounts_free(struct mounts *mounts) {
        struct used_device *device, *next;

        HASH_ITER (hh, mounts->devices, device, next) {
                HASH_DEL(mounts->devices, device);
                used_device_free(device);
        }
        mount_table_done(&mounts->table);
        if (mounts->swaps_fd >= 0)
                close(mounts->swaps_fd);
        mnt_unref_monitor(mounts->monitor);
        free(mounts);
}

static void devices_compare(struct mounts *mounts) {
        struct used_device *device, *next;

        HASH_ITER (hh, mounts->devices, device, next) {
                uint64_t digest =
                        mount_table_digest(&mounts->table, device->numbers, device->count);

                if (digest == device->digest)
                        continue;
                device->digest = digest;
                mounts->handler(&device->address, mounts->userdata);
        }
}

static int table_refresh(struct mounts *mounts) {
        struct mount_table table;
        int r = mount_table_read(MOUNTINFO, SWAPS, &table);

        if (r < 0)
                return r;
        mount_table_done(&mounts->table);
        mounts->table = table;
        return 0;
}

static void settled(uv_timer_t *timer) {
        struct mounts *mounts = timer->data;
        int r = table_refresh(mounts);

        if (r < 0) {
                log_write(LOG_WARNING, &(struct log_fields){.error = r},
                          "Cannot read the mount table: %s", strerror(-r));
                return;
        }
        devices_compare(mounts);
}

static void change_note(struct mounts *mounts) {
        if (!uv_is_active((uv_handle_t *)&mounts->timer))
                uv_timer_start(&mounts->timer, settled, SETTLE_MSEC, 0);
}

static void monitor_readable(uv_poll_t *poll, int status, int events) {
        struct mounts *mounts = poll->data;

        mnt_monitor_event_cleanup(mounts->monitor);
        change_note(mounts);
}

/* /proc/swaps says "changed" with POLLERR and POLLPRI, once; libuv only bears POLLERR beside
 * POLLPRI. */
static void swaps_changed(uv_poll_t *poll, int status, int events) {
        change_note(poll->data);
}

static void handle_closed(uv_handle_t *handle) {
        struct mounts *mounts = handle->data;

        if (--mounts->open_handles == 0)
                mounts_free(mounts);
}

void mounts_close(struct mounts *mounts) {
        if (!mounts)
                return;
        uv_close((uv_handle_t *)&mounts->timer, handle_closed);
        if (mounts->monitor_poll.data)
                uv_close((uv_handle_t *)&mounts->monitor_poll, handle_closed);
        if (mounts->swaps_poll.data)
                uv_close((uv_handle_t *)&mounts->swaps_poll, handle_closed);
}

static int poll_open(struct mounts *mounts, uv_loop_t *loop, uv_poll_t *poll, int fd, int events,
                     uv_poll_cb changed) {
        int r = uv_poll_init(loop, poll, fd);

        if (r < 0)
                return r;
        poll->data = mounts;
        mounts->open_handles++;
        return uv_poll_start(poll, events, changed);
}

static int watch(struct mounts *mounts, uv_loop_t *loop) {
        int r, fd;

        mounts->monitor = mnt_new_monitor();
        if (!mounts->monitor)
                return -ENOMEM;
        r = mnt_monitor_enable_kernel(mounts->monitor, 1);
        if (r < 0)
                return r;
        fd = mnt_monitor_get_fd(mounts->monitor);
        if (fd < 0)
                return fd;
        r = poll_open(mounts, loop, &mounts->monitor_poll, fd, UV_READABLE, monitor_readable);
        if (r < 0)
                return r;
        mounts->swaps_fd = open(SWAPS, O_RDONLY | O_CLOEXEC);
        if (mounts->swaps_fd < 0)
                return errno == ENOENT ? 0 : -errno; /* a kernel without swap */
        return poll_open(mounts, loop, &mounts->swaps_poll, mounts->swaps_fd, UV_PRIORITIZED,
                         swaps_changed);
}

int mounts_open(uv_loop_t *loop, mounts_handler handler, void *userdata, struct mounts **ret) {
        struct mounts *mounts = calloc(1, sizeof(*mounts));
        int r;

        if (!mounts)
                return -ENOMEM;
        mounts->swaps_fd = -1;
        mounts->handler = handler;
        mounts->userdata = userdata;
        uv_timer_init(loop, &mounts->timer);
        mounts->timer.data = mounts;
        mounts->open_handles = 1;
        r = watch(mounts, loop);
        /* After the watch has begun, so that no change falls between. */
        if (r == 0)
                r = table_refresh(mounts);
        if (r < 0) {
                mounts_close(mounts);
                return r;
        }
        *ret = mounts;
        return 0;
}

static struct used_device *device_get(struct mounts *mounts, const struct scsi_address *address) {
        const struct scsi_address_key key = scsi_address_key(address);
        struct used_device *device;

        HASH_FIND(hh, mounts->devices, &key, sizeof(key), device);
        if (device || HASH_COUNT(mounts->devices) >= DEVICES_MAX)
                return device;
        device = calloc(1, sizeof(*device));
        if (!device)
                return NULL;
        device->key = key;
        device->address = *address;
        HASH_ADD(hh, mounts->devices, key, sizeof(key), device);
        return device;
}

static int device_remember(struct mounts *mounts, const struct scsi_address *address,
                           const dev_t *numbers, size_t count) {
        _cleanup_(freep) dev_t *copy = NULL;
        struct used_device *device;

        copy = reallocarray(NULL, count, sizeof(*copy));
        device = copy ? device_get(mounts, address) : NULL;
        if (!device)
                return -ENOMEM;
        memcpy(copy, numbers, count * sizeof(*copy));
        free(device->numbers);
        device->numbers = TAKE_PTR(copy);
        device->count = count;
        device->digest = mount_table_digest(&mounts->table, numbers, count);
        return 0;
}

static void device_forget(struct mounts *mounts, const struct scsi_address *address) {
        const struct scsi_address_key key = scsi_address_key(address);
        struct used_device *device;

        HASH_FIND(hh, mounts->devices, &key, sizeof(key), device);
        if (!device)
                return;
        HASH_DEL(mounts->devices, device);
        used_device_free(device);
}

int mounts_add_holders(struct mounts *mounts, const struct scsi_address *address,
                       const dev_t *numbers, size_t count, struct device_facts *facts) {
        int r = 0;

        if (count == 0) {
                device_forget(mounts, address);
                return 0;
        }
        r = device_remember(mounts, address, numbers, count);
        for (size_t i = 0; r == 0 && i < count; i++) {
                size_t n;
                const struct mount_use *uses = mount_table_find(&mounts->table, numbers[i], &n);

                for (size_t j = 0; r == 0 && j < n; j++)
                        r = device_facts_add_holder(facts, uses[j].name);
        }
        return r;
}

static int address_compare(const void *a, const void *b) {
        return scsi_address_compare(a, b);
}

void mounts_forget_absent(struct mounts *mounts, const struct inventory *inventory) {
        struct used_device *device, *next;

        HASH_ITER (hh, mounts->devices, device, next) {
                if (inventory->device_count > 0 &&
                    bsearch(&device->address, inventory->devices, inventory->device_count,
                            sizeof(device->address), address_compare))
                        continue;
                HASH_DEL(mounts->devices, device);
                used_device_free(device);
        }
}
