#!/usr/bin/env bash
# Print a package mirror of the Debian release CODENAME, as this machine's own apt knows it.
#
#   mirror.sh CODENAME
#
# Reads both formats of apt's sources. MIRROR=... overrides what is found. Exits 1 where apt names
# no mirror of that release.
set -euo pipefail

codename=${1:?usage: mirror.sh CODENAME}
apt=${APT_ETC:-/etc/apt}

one_line_format() { # deb [options] URI SUITE COMPONENTS...
    sed -E 's/#.*//; s/\[[^]]*\]//' "$@" |
        awk -v suite="$codename" '$1 == "deb" && $3 == suite && / main( |$)/ { print $2; exit }'
}

stanza_format() { # Types:, URIs:, Suites:, Components: in paragraphs
    awk -v suite="$codename" '
        function flush() {
            if (uris != "" && types ~ / deb / && suites ~ (" " suite " ") && parts ~ / main /) {
                split(uris, uri, " "); print uri[1]; uris = ""; exit
            }
            uris = types = suites = parts = ""
        }
        function value() { sub(/^[^:]*:[ \t]*/, ""); return " " $0 " " }
        FNR == 1 || /^[ \t]*$/ { flush() }
        /^Types:/ { types = value() }
        /^URIs:/ { uris = value() }
        /^Suites:/ { suites = value() }
        /^Components:/ { parts = value() }
        END { flush() }' "$@"
}

first_mirror() {
    shopt -s nullglob
    local lists=("$apt"/sources.list "$apt"/sources.list.d/*.list)
    local stanzas=("$apt"/sources.list.d/*.sources)
    [[ -e ${lists[0]} ]] || lists=("${lists[@]:1}")
    { [[ ${#stanzas[@]} -eq 0 ]] || stanza_format "${stanzas[@]}"
      [[ ${#lists[@]} -eq 0 ]] || one_line_format "${lists[@]}"; } | sed -n 1p
}

mirror=${MIRROR:-$(first_mirror)}
if [[ -z $mirror ]]; then
    echo "base: apt's sources name no mirror of $codename: set MIRROR to one, or BASE to a" \
        "public image that your registry serves" >&2
    exit 1
fi
echo "$mirror"
