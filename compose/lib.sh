# shellcheck shell=bash
# Functions that the scripts of this repository share. Sourced, with the repository as the current folder.

export LC_ALL=C DOTNET_CLI_UI_LANGUAGE=en DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin # Debian's users do not have these, and dockerd lives there

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }

# Prints a failure for people: what is wrong, the value found, the fix.
fail() {
    printf '%s: %s (found: %s). %s.\n' "${0##*/}" "$1" "$2" "$3" >&2
    exit 1
}

# Runs a command whose output matters only if it fails.
quietly() {
    local output status=0
    output=$("$@" 2>&1) || status=$?
    if [ "$status" -ne 0 ]; then
        printf '%s\n' "$output" >&2
        say "this failed with exit code $status: $*"
    fi
    return "$status"
}

# with_progress WHAT COMMAND…  runs a command that may take minutes, quietly: says what it does, and every 15 seconds that it
# is still running.
with_progress() {
    local what=$1 began=$SECONDS status=0
    shift
    say "$what"
    # Ends with this script's end of the pipe, however the script ends; the command does not hold it, nor this the lock.
    exec 8> >(
        exec 9>&-
        while true; do
            ended=0
            read -r -t 15 _ || ended=$?
            [ "$ended" -gt 128 ] || exit 0
            say "$what: $((SECONDS - began)) s so far"
        done
    )
    quietly "$@" 8>&- || status=$?
    exec 8>&-
    [ "$status" -eq 0 ] || return "$status"
    say "$what: done in $((SECONDS - began)) s"
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        fail "installing packages needs root" "user $(id -un), no sudo" "Run as root: $*"
    fi
}

# The LDAP library, and its package, whose name differs between releases.
ldap_library=libldap-2.5.so.0:libldap-2.5-0
if grep -qs '^VERSION_CODENAME=\(trixie\|forky\|sid\|noble\|plucky\|questing\)$' /etc/os-release; then
    ldap_library=libldap.so.2:libldap2
fi

# Whether a program is there, or a library by its name in the linker's cache (libldap.so.2).
is_installed() {
    case $1 in
        *.so.*) PATH=$PATH:/usr/sbin:/sbin ldconfig -p | grep -F "$1 " >/dev/null ;;
        *) command -v "$1" >/dev/null ;;
    esac
}

# need_packages PROGRAM:PACKAGE…  installs the Debian packages of the programs or libraries that are missing, and says so.
# By program, not by package: a docker from Docker's own packages must not be replaced by Debian's.
need_packages() {
    local pair missing=()
    for pair in "$@"; do
        is_installed "${pair%%:*}" && continue
        [[ " ${missing[*]} " = *" ${pair#*:} "* ]] || missing+=("${pair#*:}")
    done
    [ "${#missing[@]}" -gt 0 ] || return 0
    command -v apt-get >/dev/null || fail "programs are missing and this is no Debian system" "no apt-get" \
        "Install by hand: ${missing[*]}"
    say "installing the Debian packages ${missing[*]}"
    # Only once: later calls of the same script use the lists that the first one fetched.
    if [ -z "${apt_updated:-}" ]; then
        quietly as_root apt-get update -q
        apt_updated=yes
    fi
    quietly as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${missing[@]}"
    # These start their own server at installation, on the machine's default ports; we run our own.
    if [ -d /run/systemd/system ]; then
        for pair in "${missing[@]}"; do
            case $pair in
                docker-registry | redis-server | prometheus | nginx | haproxy) quietly as_root systemctl disable --now "$pair" ;;
            esac
        done
    fi
}

# need_later_packages SUITE PROGRAM:PACKAGE…  gets programs of a later Debian, also beside older ones that are here, and says
# so. Nothing is installed: the unpacked packages stay in .cache/SUITE/root, and the system's own apt does not know about
# SUITE. Only for programs that run on the libraries that are here, such as Go programs. apt verifies the archive's signature
# as usual, and package files by its hashes.
need_later_packages() {
    unpack_later "$1" root alone "${@:2}"
}

# need_later_system SUITE PROGRAM:PACKAGE…  the same with all that the packages depend on, in .cache/SUITE/system: for
# programs that need the libraries of their own suite. They run with its usr/ bound over /usr, in a mount namespace.
need_later_system() {
    unpack_later "$1" system whole "${@:2}"
}

unpack_later() {
    local suite=$1 name=$2 extent=$3 pair missing=()
    local folder=$PWD/.cache/$suite keyring=/usr/share/keyrings/debian-archive-keyring.gpg
    local root=$folder/$name
    shift 3
    for pair in "$@"; do
        is_unpacked "$root" "${pair%%:*}" || missing+=("${pair#*:}")
    done
    [ "${#missing[@]}" -gt 0 ] || return 0
    command -v apt-get >/dev/null || fail "programs are missing and this is no Debian system" "no apt-get" \
        "Install by hand: ${missing[*]}"
    [ -r "$keyring" ] || fail "the keys that sign Debian's archive are missing" "no $keyring" \
        "Install debian-archive-keyring, or by hand: ${missing[*]}"
    say "unpacking ${missing[*]} of Debian $suite into .cache/$suite/$name (nothing is installed)"
    rm -rf "$folder"/{debs,state,cache} # of an interrupted run
    mkdir -p "$root" "$folder"/{debs,state/lists/partial,cache/archives/partial}
    : >"$folder/state/status" # as if nothing were installed: the installed packages are of another suite
    echo "deb [signed-by=$keyring] http://deb.debian.org/debian $suite main" >"$folder/sources.list"
    local apt=(
        apt-get -q -o "Dir::Etc::SourceList=$folder/sources.list" -o Dir::Etc::SourceParts=/dev/null
        -o "Dir::State=$folder/state" -o "Dir::State::Status=$folder/state/status" -o "Dir::Cache=$folder/cache"
        -o Dir::Etc::Preferences=/dev/null -o Dir::Etc::PreferencesParts=/dev/null
        -o Acquire::Languages=none -o Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false
        -o Acquire::Retries=3 -o APT::Update::Error-Mode=any
    )
    # The file that dates sid's lists is valid for a week, and mirrors may lag behind.
    [ "$suite" != sid ] || apt+=(-o Acquire::Check-Valid-Until=false)
    quietly "${apt[@]}" update || fail "the archive of Debian $suite cannot be read" "see above" \
        "Check that http://deb.debian.org/debian can be reached, or put the programs of ${missing[*]} into $root/usr by hand"
    case $extent in
        alone) (cd "$folder/debs" && quietly "${apt[@]}" download "${missing[@]}") ;;
        whole)
            quietly "${apt[@]}" install --download-only --yes --no-install-recommends "${missing[@]}" &&
                mv "$folder"/cache/archives/*.deb "$folder/debs/"
            ;;
    esac || fail "packages of Debian $suite cannot be fetched" "see above" "Run this again; if it still fails, fetch them by hand: ${missing[*]}"
    for pair in "$folder"/debs/*.deb; do
        dpkg-deb --extract "$pair" "$root"
        dpkg-deb --show "$pair" >>"$root/versions" # for tests: PACKAGE and version, a tab between
    done
    rm -rf "$folder"/{debs,state,cache}
    for pair in "$@"; do
        is_unpacked "$root" "${pair%%:*}" ||
            fail "the package ${pair#*:} of Debian $suite lacks its program" "no ${pair%%:*}" "Install it by hand"
    done
}

is_unpacked() { # ROOT PROGRAM; a root without its list of versions is an earlier checkout's
    [ -r "$1/versions" ] && { [ -x "$1/usr/bin/$2" ] || [ -x "$1/usr/sbin/$2" ]; }
}

need_dotnet() {
    local fix="Install the .NET 10 SDK: https://dotnet.microsoft.com/download/dotnet/10.0"
    command -v dotnet >/dev/null || fail "the .NET SDK is not installed" "no dotnet in $PATH" "$fix"
    # It fails if no installed SDK satisfies global.json.
    dotnet --version >/dev/null 2>&1 ||
        fail "the installed .NET SDK cannot build this" "$(dotnet --list-sdks 2>/dev/null | tr '\n' ' ')" "$fix"
}
