# shellcheck shell=bash
# Read by what installs from containers/vendor: the names of files, and whether one is the right one.

_versions=$(dirname "${BASH_SOURCE[0]}")/vendor.versions

_value() { # _value NAME: what vendor.versions says, read as data
    sed -n "s/^$1=//p" "$_versions"
}

file_of() { # file_of efa|compat: the name of its file
    case $1 in
        efa) echo "aws-efa-installer-$(_value efa_version).tar.gz" ;;
        compat) echo "cuda-compat-13-0_$(_value compat_version)_amd64.deb" ;;
        *) return 1 ;;
    esac
}

check() { # check efa|compat FILE: whether it has the sum of vendor.versions; says so where not
    local want have
    want=$(_value "$1_sha256")
    if [[ ! -f $2 ]]; then
        echo "vendor: ${2##*/} is not in containers/vendor: put it there with vendor.sh $1 FILE" >&2
        return 1
    fi
    have=$(sha256sum <"$2")
    have=${have%% *}
    if [[ ! $want =~ ^[0-9a-f]{64}$ ]]; then
        echo "vendor: vendor.versions says no $1_sha256 of ${2##*/}, so it is not installed:" \
            "check its maker's signature, then write down $1_sha256=$have" >&2
        return 1
    fi
    if [[ $have != "$want" ]]; then
        echo "vendor: ${2##*/} has the SHA-256 $have, not $want as vendor.versions says: it is" \
            "another file, and not installed" >&2
        return 1
    fi
}
