// What a page of a registry UI does, one request at a time; a request that the browser refuses is "refused".
async function call(method, url, headers = {}, credentials = 'same-origin', body = undefined) {
  try {
    const answer = await fetch(url, { method, headers, credentials, body, cache: 'no-store' });
    return { status: answer.status, headers: Object.fromEntries(answer.headers), body: await answer.text() };
  } catch (error) {
    return { status: 0, headers: {}, body: `refused: ${error.name}` };
  }
}

// The Bearer exchange of the distribution specification, with a name and a password that the page has asked for.
async function signedIn(method, url, headers, user, password) {
  const challenged = await call(method, url, headers);
  const parts = /^Bearer realm="([^"]+)",service="([^"]+)"(?:,scope="([^"]+)")?/.exec(
    challenged.headers['www-authenticate'] ?? '');
  if (challenged.status !== 401 || !parts) {
    return challenged;
  }

  const query = new URLSearchParams({ service: parts[2], ...(parts[3] ? { scope: parts[3] } : {}) });
  const granted = await call('GET', `${parts[1]}?${query}`, { Authorization: `Basic ${btoa(`${user}:${password}`)}` });
  return granted.status === 200
    ? call(method, url, { ...headers, Authorization: `Bearer ${JSON.parse(granted.body).token}` })
    : granted;
}

// As UIs do it that leave the sign-in to the browser: XMLHttpRequest, "withCredentials" at the token endpoint, and
// sometimes everywhere; parameters of the challenge as they stand there, without escapes.
function send(method, url, headers, withCredentials) {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    request.open(method, url);
    request.withCredentials = withCredentials;
    for (const [name, value] of Object.entries(headers)) {
      request.setRequestHeader(name, value);
    }

    request.addEventListener('loadend', () => resolve({
      status: request.status,
      headers: Object.fromEntries(request.getAllResponseHeaders().trim().split('\r\n').map((line) => line.split(': ', 2))),
      body: request.responseText,
    }));
    request.send();
  });
}

async function sendSignedIn(method, url, headers, withCredentials) {
  const first = await send(method, url, headers, withCredentials);
  const challenge = /Bearer realm="(?<realm>[^"]+)",service="(?<service>[^"]+)",scope="(?<scope>[^"]+)"/.exec(
    first.headers['www-authenticate'] ?? '');
  if (first.status !== 401 || (withCredentials && !challenge)) {
    return first;
  }

  if (!challenge) {
    return send(method, url, headers, true);
  }

  const { realm, service, scope } = challenge.groups;
  const granted = await send('GET', `${realm}?service=${service}&scope=${scope}`, {}, true);
  return granted.status === 200
    ? send(method, url, { ...headers, Authorization: `Bearer ${JSON.parse(granted.body).token}` }, false)
    : granted;
}
