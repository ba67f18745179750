import { exchange, only, record, strict } from '../runtime.mjs';

const expectedUnlessSaid = (status) => status >= 200 && status < 400;

function expectedStatuses(...statuses) {
  const expects = (status) => statuses.some((one) =>
    typeof one === 'number' ? status === one : status >= one.min && status <= one.max);
  return { expects };
}

function request(method, url, body = null, params = {}) {
  params ??= {};
  only(params, ['headers', 'redirects', 'responseType', 'responseCallback', 'tags', 'timeout'], `a request's parameters`);
  only(params.tags ?? {}, ['name'], `a request's tags`);
  const { responseType = 'text', timeout = '60s' } = params;
  if (!['text', 'binary', 'none'].includes(responseType)) {
    throw new Error(`there is no responseType "${responseType}"`);
  }
  if (body !== null && typeof body !== 'string' && !(body instanceof ArrayBuffer)) {
    throw new Error('a body is a string or an ArrayBuffer in this runner; use k6 itself for forms');
  }
  const { duration, ...answer } = exchange({ method, url: String(url), headers: params.headers ?? {}, body, timeout });
  if (answer.status >= 300 && answer.status < 400 && answer.headers.Location && params.redirects !== 0) {
    throw new Error('this runner follows no redirects: set "redirects: 0", or use k6 itself');
  }
  for (const name of ['Set-Cookie', 'Content-Encoding']) {
    if (answer.headers[name]) {
      throw new Error(`the answer has ${name}, which k6 acts on and this runner does not; use k6 itself`);
    }
  }
  const expects = params.responseCallback?.expects ?? expectedUnlessSaid;
  const name = params.tags?.name;
  record('http_reqs', 1, name);
  record('http_req_duration', duration, name);
  record('http_req_failed', expects(answer.status) ? 0 : 1, name);
  const read = { text: (bytes) => Buffer.from(bytes).toString(), binary: (bytes) => bytes, none: () => null }[responseType];
  return strict({
    ...answer,
    url: String(url),
    body: answer.status === 0 ? null : read(answer.body),
    timings: strict({ duration }, 'timings'),
    request: strict({ method, url: String(url) }, 'a request'),
  }, 'a response');
}

export default strict({
  request,
  expectedStatuses,
  get: (url, params) => request('GET', url, null, params),
  head: (url, params) => request('HEAD', url, null, params),
  post: (url, body, params) => request('POST', url, body, params),
  put: (url, body, params) => request('PUT', url, body, params),
  patch: (url, body, params) => request('PATCH', url, body, params),
  del: (url, body, params) => request('DELETE', url, body, params),
}, 'k6/http');
