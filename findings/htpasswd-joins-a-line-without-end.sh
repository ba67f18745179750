#!/usr/bin/env bash
# htpasswd (apache2-utils 2.4.71, Debian 12): adding a user to a file whose last line has no line break.
#
# Expected: the tool ends the last line, then writes the new user on a line of its own.
# Seen:     the new user is written onto the end of the last line, and htpasswd exits 0. Both users are broken: the last one's hash
#           has the new user's line behind it, and the new user does not exist.
# Matters:  such files are made by printf, by editors that add no final line break and by templates of configuration tools. A
#           program that reads user files should not take a line of this kind for a user.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get download -q apache2-utils=2.4.71-1~deb12u1 libapr1 libaprutil1 >/dev/null
for package in *.deb; do dpkg-deb --extract "$package" root; done
export LD_LIBRARY_PATH=$folder/root/usr/lib/x86_64-linux-gnu
htpasswd=$folder/root/usr/bin/htpasswd

"$htpasswd" -nbB -C 4 bob first | tr -d '\n' >users # a whole line, without its line break
exit_code=0
"$htpasswd" -bB -C 4 users alice second 2>/dev/null || exit_code=$?
lines=$(grep -c '' users)
bob=refused alice=refused
"$htpasswd" -vb users bob first 2>/dev/null && bob=accepted
"$htpasswd" -vb users alice second 2>/dev/null && alice=accepted
seen="exit code $exit_code, $lines line, bob $bob, alice $alice"
echo "$seen"
[ "$seen" = "exit code 0, 1 line, bob refused, alice refused" ]
