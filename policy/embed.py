#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Makes the built-in copy of quirks.conf a C string: embed.py FILE > SOURCE."""

import pathlib
import sys

print('#include "policy/policy.h"')
print('const char policy_quirks_builtin_name[] = "(built-in quirks.conf)";')
print("const char policy_quirks_builtin[] =")
for line in pathlib.Path(sys.argv[1]).read_text(encoding="ascii").splitlines():
    # What is only for people need not be in the program; the lines keep their numbers.
    text = "" if line.startswith("#") else line.replace("\\", "\\\\").replace('"', '\\"')
    print(f'"{text}\\n"')
print(";")
