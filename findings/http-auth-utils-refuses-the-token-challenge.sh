#!/usr/bin/env bash
# http-auth-utils 6.0.1 (npm): the Bearer challenge of a registry.
#
# Expected: RFC 6750 lets a Bearer challenge carry further parameters, so the one of the Docker token service
#           (realm, service, scope) is read, at least with strict: false.
# Seen:     E_UNAUTHORIZED_KEY, since "service" is not one of the four parameters that the library has in a list; strict: false
#           only loosens the case of the scheme's name. The same challenge without "service" is read.
# Matters:  a client built on it cannot sign in at any registry that uses the token service, Docker Hub included.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund http-auth-utils@6.0.1 >/dev/null
cat >see.mjs <<'JS'
import { BASIC, BEARER, DIGEST, parseWWWAuthenticateHeader } from 'http-auth-utils';
const see = (header, strict) => {
  try {
    return JSON.stringify(parseWWWAuthenticateHeader(header, [BASIC, DIGEST, BEARER], { strict }).data);
  } catch (error) {
    return error.code ?? error.message;
  }
};
const challenge = 'Bearer realm="https://reg.example/token",service="reg.example",scope="repository:team/app:pull,push"';
console.log(see(challenge, true));
console.log(see(challenge, false));
console.log(see(challenge.replace(/service="[^"]*",/, ''), true));
JS
seen=$(node see.mjs)
echo "$seen"
[ "$seen" = 'E_UNAUTHORIZED_KEY
E_UNAUTHORIZED_KEY
{"realm":"https://reg.example/token","scope":"repository:team/app:pull,push"}' ]
