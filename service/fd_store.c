/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "dbus/lease_record.h"
#include "fd_store.h"
#include "util/cleanup.h"
#include "util/log.h"
#include "util/message_id.h"
#include "util/read.h"

/* Kernels before 6.3 do not know it. */
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif

#define LEASE_PREFIX "lease-"
/* "lease-18446744073709551615" and its NUL. */
#define NAME_MAX_BYTES 32
/* Nobody can change what it says. */
#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

struct kept_lease {
        uint64_t id;
        int pipe, record; /* -1: has not come */
        bool odd;         /* and something else, or one twice */
};

/* ---- names ---- */

static void name_format(uint64_t id, char name[static NAME_MAX_BYTES]) {
        snprintf(name, NAME_MAX_BYTES, LEASE_PREFIX "%" PRIu64, id);
}

/* As name_format() writes it, and not the last number: there is one behind it. */
static bool name_parse(const char *name, uint64_t *ret) {
        char again[NAME_MAX_BYTES];

        if (strncmp(name, LEASE_PREFIX, strlen(LEASE_PREFIX)) != 0)
                return false;
        *ret = strtoull(name + strlen(LEASE_PREFIX), NULL, 10);
        name_format(*ret, again);
        return strcmp(name, again) == 0 && *ret > 0 && *ret < UINT64_MAX;
}

static void drop_name(const char *name) {
        (void)sd_notifyf(0, "FDSTOREREMOVE=1\nFDNAME=%s", name);
}

/* ---- what is passed ---- */

/* And no other that netlink has. */
static bool is_uevent_socket(int fd) {
        int protocol = -1;
        socklen_t length = sizeof(protocol);

        return sd_is_socket(fd, AF_NETLINK, SOCK_RAW, -1) > 0 &&
               getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &length) == 0 &&
               protocol == NETLINK_KOBJECT_UEVENT;
}

static struct kept_lease *find_or_add(struct fd_store *store, uint64_t id) {
        struct kept_lease *leases;

        for (size_t i = 0; i < store->count; i++)
                if (store->leases[i].id == id)
                        return &store->leases[i];
        leases = reallocarray(store->leases, store->count + 1, sizeof(*leases));
        if (!leases)
                return NULL;
        store->leases = leases;
        leases[store->count] = (struct kept_lease){.id = id, .pipe = -1, .record = -1};
        return &leases[store->count++];
}

/* Which of the two it is shows by its kind. */
static void lease_add(struct fd_store *store, uint64_t id, int fd) {
        struct kept_lease *lease = find_or_add(store, id);
        struct stat status;
        int *place = NULL;

        if (lease && fstat(fd, &status) == 0)
                place = S_ISFIFO(status.st_mode)  ? &lease->pipe
                        : S_ISREG(status.st_mode) ? &lease->record
                                                  : NULL;
        if (place && *place < 0) {
                *place = fd;
                return;
        }
        if (lease)
                lease->odd = true;
        close(fd);
}

static void take_one(struct fd_store *store, int fd, const char *name, int *uevent_fd) {
        uint64_t id;

        if (*uevent_fd < 0 && is_uevent_socket(fd)) {
                *uevent_fd = fd;
                return;
        }
        if (name_parse(name, &id)) {
                lease_add(store, id, fd);
                return;
        }
        log_warning("systemd passes a descriptor that is not used (%d)", fd);
        close(fd);
        if (!strchr(name, '\n'))
                drop_name(name);
}

void fd_store_take(struct fd_store *store, int *uevent_fd) {
        char **names = NULL;
        int count = sd_listen_fds_with_names(1, &names);

        for (int i = 0; i < count; i++) {
                take_one(store, SD_LISTEN_FDS_START + i, names[i], uevent_fd);
                free(names[i]);
        }
        free(names);
        if (count < 0)
                log_warning("systemd passes descriptors that are not used: %s", strerror(-count));
}

/* ---- what is read ---- */

static int record_read(int fd, char **ret) {
        _cleanup_(freep) char *text = NULL;
        int seals = fcntl(fd, F_GET_SEALS);
        struct stat status;
        size_t length = 0;
        int r;

        if (seals < 0 || (seals & SEALS) != SEALS)
                return -EINVAL;
        if (fstat(fd, &status) < 0)
                return -errno;
        if (status.st_size >= LEASE_RECORD_MAX)
                return -EINVAL;
        text = malloc((size_t)status.st_size + 1);
        if (!text)
                return -ENOMEM;
        /* Where it was read to is the same for all who share it, and those of earlier runs. */
        if (lseek(fd, 0, SEEK_SET) < 0)
                return -errno;
        r = read_bytes(fd, text, (size_t)status.st_size, &length);
        if (r < 0)
                return r;
        if (strlen(text) != length)
                return -EINVAL;
        *ret = TAKE_PTR(text);
        return 0;
}

/* The end of the pipe that is read from: the other one would be a holder's. */
static bool is_our_end(int fd) {
        int flags = fcntl(fd, F_GETFL);

        return flags >= 0 && (flags & O_ACCMODE) == O_RDONLY;
}

static int lease_read(const struct kept_lease *lease, char **ret_record) {
        if (lease->odd || lease->pipe < 0 || lease->record < 0 || !is_our_end(lease->pipe))
                return -EINVAL;
        return record_read(lease->record, ret_record);
}

static void lease_close(struct kept_lease *lease) {
        if (lease->pipe >= 0)
                close(TAKE_FD(lease->pipe));
        if (lease->record >= 0)
                close(TAKE_FD(lease->record));
}

void fd_store_restore(struct fd_store *store,
                      int (*restore)(uint64_t id, int fd, const char *record, void *userdata),
                      void *userdata) {
        for (size_t i = 0; i < store->count; i++) {
                struct kept_lease *lease = &store->leases[i];
                _cleanup_(freep) char *record = NULL;
                int r = lease_read(lease, &record);

                if (r >= 0)
                        r = restore(lease->id, TAKE_FD(lease->pipe), record, userdata);
                if (r < 0)
                        log_write(LOG_WARNING,
                                  &(struct log_fields){.message_id = MESSAGE_ID_LEASE_LOST,
                                                       .error = r},
                                  "lease %" PRIu64 " is lost: what was kept of it cannot be used "
                                  "(%s)",
                                  lease->id, strerrordesc_np(-r) ?: "error");
                if (r < 1)
                        fd_store_drop(lease->id);
                lease_close(lease);
        }
        fd_store_done(store);
}

void fd_store_done(struct fd_store *store) {
        for (size_t i = 0; i < store->count; i++)
                lease_close(&store->leases[i]);
        free(store->leases);
        *store = (struct fd_store){};
}

/* ---- what is kept ---- */

static int record_write(const char *text) {
        _cleanup_(closep) int fd = memfd_create("scsiscan-lease", MFD_CLOEXEC | MFD_NOEXEC_SEAL);
        size_t length = strlen(text);
        ssize_t n;

        if (fd < 0 && errno == EINVAL)
                fd = memfd_create("scsiscan-lease", MFD_CLOEXEC | MFD_ALLOW_SEALING);
        if (fd < 0)
                return -errno;
        n = write(fd, text, length);
        if (n < 0)
                return -errno;
        if ((size_t)n != length)
                return -EIO;
        return fcntl(fd, F_ADD_SEALS, SEALS) < 0 ? -errno : TAKE_FD(fd);
}

/* Both in one message, so that they are kept together; and without being watched (FDPOLL), for
 * systemd would let go of a lease that was given back before anybody was told of that. */
int fd_store_keep(uint64_t id, int fd, const char *record) {
        _cleanup_(closep) int written = -1;
        char name[NAME_MAX_BYTES], state[sizeof("FDSTORE=1\nFDPOLL=0\nFDNAME=") + NAME_MAX_BYTES];
        int r;

        if (!getenv("NOTIFY_SOCKET"))
                return 0;
        written = record_write(record);
        if (written < 0)
                return written;
        name_format(id, name);
        snprintf(state, sizeof(state), "FDSTORE=1\nFDPOLL=0\nFDNAME=%s", name);
        r = sd_pid_notify_with_fds(0, 0, state, (const int[]){fd, written}, 2);
        return r < 0 ? r : 0;
}

void fd_store_drop(uint64_t id) {
        char name[NAME_MAX_BYTES];

        name_format(id, name);
        drop_name(name);
}
