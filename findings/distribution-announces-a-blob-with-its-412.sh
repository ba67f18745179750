#!/usr/bin/env bash
# Distribution 2.8.2 (Debian's docker-registry 2.8.2+ds1-1): a blob asked for with a condition that does not hold, and with a range
# beyond its end.
#
# Expected: 412 and 416 with the length of what they send: nothing, or a sentence.
# Seen:     both announce the blob's own length (1000 bytes here). The 412 sends none of it, the 416 sends 33 bytes; then the connection
#           is closed.
# Matters:  a client that resumes a download, or a proxy, sees a connection that broke off and tries again, instead of the answer.
#           Distribution 3.1 announces the right length with its 416, and still the blob's with its 412.
set -euo pipefail
folder=$(mktemp -d)
registry=''
trap '[ -z "$registry" ] || kill "$registry"; rm -rf "$folder"' EXIT
cd "$folder"
apt-get download docker-registry=2.8.2+ds1-1 >/dev/null 2>&1
dpkg-deb -x docker-registry_*.deb root
cat >config.yml <<YAML
version: 0.1
storage: { filesystem: { rootdirectory: $folder/data } }
http: { addr: "127.0.0.1:15732" }
YAML
timeout 60 root/usr/bin/docker-registry serve config.yml >registry.log 2>&1 &
registry=$!
url=http://127.0.0.1:15732/v2/team/app
for _ in $(seq 100); do
    ! curl -sf -o /dev/null http://127.0.0.1:15732/v2/ || break
    sleep 0.1
done
head -c 1000 /dev/zero >blob
digest=sha256:$(sha256sum <blob | cut -d' ' -f1)
upload=$(curl -sf -D - -o /dev/null -X POST "$url/blobs/uploads/" | sed -n 's/\r$//;s/^Location: //p')
curl -sf -X PUT -H 'Content-Type: application/octet-stream' --data-binary @blob "$upload&digest=$digest"

# Status, announced length, bytes that came, curl's verdict (18: the transfer ended early).
see() {
    local verdict=0
    : >body
    curl -s -m 5 -o body -D head -w '%{http_code}' -H "$1" "$url/blobs/$digest" || verdict=$?
    echo " announced $(sed -n 's/\r$//;s/^Content-Length: //p' head), came $(wc -c <body), curl $verdict"
}
seen=$(see 'Range: bytes=0-9'; see 'Range: bytes=5000-'; see 'If-Match: "another"')
echo "$seen"
[ "$seen" = '206 announced 10, came 10, curl 0
416 announced 1000, came 33, curl 18
412 announced 1000, came 0, curl 18' ]
