/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What systemd does with scsiscan-worker.socket: a process that listens, and starts for each
 * connection the fake worker, whose socket that is. It ends with the test.
 */

/* At `path`, from now on. */
void fake_systemd_start(const char *path, const char *worker);
