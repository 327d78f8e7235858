# SPDX-License-Identifier: LGPL-2.1-or-later
#
# For what takes long to make: it is made again only if something that goes into it has changed.

# unless_made FILE COMMAND...: runs what makes the file if that is not there, or what standard input says
# has changed since it was made, which FILE.made remembers
unless_made() {
        local stamp=$1.made key
        key=$(sha256sum)
        [[ -f $1 && -f $stamp && $(<"$stamp") == "$key" ]] && return
        rm -f "$stamp"
        "${@:2}"
        echo "$key" >"$stamp"
}

# contents DIRECTORY PATH...: prints what all that is there is, and what is in it
contents() {
        (cd "$1" && find "${@:2}" \( -type f -o -type l \) -printf '%p %m %l\n' | sort &&
                find "${@:2}" -type f -print0 | sort -z | xargs -0 sha256sum)
}
