#!/usr/bin/env bash
# auth-header 1.0.0 and www-authenticate 0.6.3 (npm): two challenges in one WWW-Authenticate line.
#
# Expected: RFC 9110, section 11.6.1: one field line may hold several challenges, divided by commas. Two challenges, or the first.
# Seen:     both read one challenge. auth-header makes a list of the two realms and names the second scheme "token";
#           www-authenticate has a parameter that is called "Basic realm". Neither reports an error.
# Matters:  a gateway that offers Bearer and Basic together leaves such clients with a realm that is no URL; one challenge is safe.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund auth-header@1.0.0 www-authenticate@0.6.3 >/dev/null
cat >see.js <<'JS'
const two = 'Bearer realm="https://reg.example/token",service="reg.example", Basic realm="reg.example"';
console.log(JSON.stringify(require('auth-header').parse(two)));
const { scheme, parms } = new (require('www-authenticate').parsers.WWW_Authenticate)(two);
console.log(JSON.stringify({ scheme, parms }));
JS
seen=$(node see.js)
echo "$seen"
[ "$seen" = '{"scheme":"Bearer","params":{"realm":["https://reg.example/token","reg.example"],"service":"reg.example"},"token":"Basic"}
{"scheme":"Bearer","parms":{"realm":"https://reg.example/token","service":"reg.example","Basic realm":"reg.example"}}' ]
