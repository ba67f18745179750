#!/usr/bin/env bash
# ratelimit-header-parser 0.1.0 (npm): the rate limit headers of Docker Hub, and of the IETF draft from its eighth version on.
#
# Expected: "100;w=21600" is 100 pulls in six hours, and the window is in the answer; `RateLimit: "default";r=50;t=30` leaves 50 for
#           the next 30 seconds; a form that is not known is an error or no answer at all.
# Seen:     the window of Docker Hub's headers is dropped, and there is no reset; the newer draft gives an object whose four values
#           are null, which a caller takes for "no limit is known", also where nothing is left.
# Matters:  a monitor of a pull budget warns by neither.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund ratelimit-header-parser@0.1.0 >/dev/null
cat >see.mjs <<'JS'
import { parseRateLimit } from 'ratelimit-header-parser';
const see = (headers) => console.log(JSON.stringify(parseRateLimit(headers)));
see({ 'ratelimit-limit': '100;w=21600', 'ratelimit-remaining': '76;w=21600' });
see({ 'ratelimit-policy': '"default";q=100;w=60', ratelimit: '"default";r=0;t=30' });
JS
seen=$(node see.mjs)
echo "$seen"
[ "$seen" = '{"limit":100,"used":24,"remaining":76}
{"limit":null,"used":null,"remaining":null,"reset":null}' ]
