# SPDX-License-Identifier: LGPL-2.1-or-later
# What the checks' own tests say: TAP, a line for each.
number=0 failed=0

ok() {
        number=$((number + 1))
        echo "ok $number - $1"
}

# not_ok WHAT OUTPUT
not_ok() {
        number=$((number + 1)) failed=1
        echo "not ok $number - $1"
        echo "$2" | sed 's/^/# /'
}

finish() {
        echo "1..$number"
        exit "$failed"
}
