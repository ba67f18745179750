#!/usr/bin/env bash
# docker-parse-image 3.0.1 (npm): image names with a registry's port and three path segments, and names with a digest.
#
# Expected: host, path, tag and digest apart, as the reference grammar of Distribution has them.
# Seen:     with three segments behind host:port the host becomes the repository, and everything behind the colon the tag; a digest
#           is a tag and the full name joins it with ":", which no registry can resolve; "localhost/app" is a namespace of Docker Hub.
# Matters:  an inventory or an admission check made with it looks in another registry than the one that the image comes from.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund docker-parse-image@3.0.1 >/dev/null
cat >see.js <<'JS'
const parse = require('docker-parse-image');
const digest = 'sha256:' + 'a'.repeat(64);
const line = (name) => {
  const { registry, repository, tag } = parse(name);
  console.log([name, registry, repository, tag].join(' | ').replaceAll('a'.repeat(64), '<64>'));
};
line('reg.example.com:443/team/app:v1'); // two segments: as expected
line('reg.example.com:443/team/sub/app:v1');
line('app@' + digest);
line('localhost/app:1');
console.log(parse('app@' + digest).fullname.replaceAll('a'.repeat(64), '<64>'));
JS
seen=$(node see.js)
echo "$seen"
[ "$seen" = 'reg.example.com:443/team/app:v1 | reg.example.com:443 | app | v1
reg.example.com:443/team/sub/app:v1 |  | reg.example.com | 443/team/sub/app:v1
app@sha256:<64> |  | app | sha256:<64>
localhost/app:1 |  | app | 1
library/app:sha256:<64>' ]
