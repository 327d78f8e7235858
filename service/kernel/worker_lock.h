/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Only one worker may be on a SCSI host, also when the daemon was started again while an old one is
 * still inside the kernel. The worker is handed a locked descriptor of hostN.lock, which it only
 * keeps: the kernel drops the lock when the last thread of that process is gone.
 */

#include <stdint.h>

/* A locked descriptor, -EWOULDBLOCK when somebody else holds the lock, -errno. */
int worker_lock_take(const char *runtime_dir, uint32_t host);
/* Removes the file unless somebody holds the lock. */
void worker_lock_forget(const char *runtime_dir, uint32_t host);
