#!/usr/bin/env bash
# docker-registry-client 3.4.0 (npm): names that every registry accepts.
#
# Expected: the grammar of the distribution specification: a path segment may be one character long, and a name may carry a tag and
#           a digest together (the digest decides).
# Seen:     a first segment of one character is "invalid repository namespace, must be between 2 and 255 characters", also behind a
#           host of one's own; with tag and digest the tag is taken for a part of the name, which is then invalid.
# Matters:  the limit was Docker Hub's for user names. Mirrors and listings made with it fail on repositories such as "k/app".
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund docker-registry-client@3.4.0 >/dev/null 2>&1
cat >see.js <<'JS'
const { parseRepoAndRef } = require('docker-registry-client');
for (const name of ['reg.example.com/kk/app:1', 'reg.example.com/k/app:1', 'reg.example.com/kk/app:1@sha256:' + 'a'.repeat(64)]) {
  try {
    const { index, remoteName, tag } = parseRepoAndRef(name);
    console.log([index.name, remoteName, tag].join(' | '));
  } catch (error) {
    console.log(error.message);
  }
}
JS
seen=$(node see.js)
echo "$seen"
[ "$seen" = 'reg.example.com | kk/app | 1
invalid repository namespace, must be between 2 and 255 characters: k
invalid repository name, may only contain [a-z0-9_/.-] characters: app:1' ]
