// Makes the requests of all virtual users, in the main thread, while theirs wait.
import http from 'node:http';
import https from 'node:https';
import { seconds } from './scenarios.mjs';

/** The connections of one virtual user, kept between its requests, as k6 does. HTTP/1.1 only. */
export class Connections {
  constructor({ insecure, ca }) {
    this.http = new http.Agent({ keepAlive: true });
    this.https = new https.Agent({ keepAlive: true, rejectUnauthorized: !insecure, ca });
  }

  close() {
    this.http.destroy();
    this.https.destroy();
  }

  /** Gives { status, headers, body, error, duration }; status 0 where no answer came, like k6. */
  async exchange({ method, url, headers, body, timeout }) {
    const started = performance.now();
    try {
      const answer = await this.#send(method, new URL(url), headers, body, timeout);
      return { ...answer, error: '', duration: performance.now() - started };
    } catch (error) {
      const text = `${error.code ?? error.name}: ${error.message}`;
      return { status: 0, headers: {}, body: new ArrayBuffer(0), error: text, duration: performance.now() - started };
    }
  }

  #send(method, url, headers, body, timeout) {
    const protocol = { 'http:': http, 'https:': https }[url.protocol];
    if (!protocol) {
      throw new Error(`the URL ${url} is neither http nor https`);
    }
    return new Promise((resolve, reject) => {
      const request = protocol.request(url, {
        method,
        headers: { 'User-Agent': 'k6-script-runner', ...headers },
        autoSelectFamily: true, // localhost may be ::1 first, and nobody there
        agent: url.protocol === 'https:' ? this.https : this.http,
        signal: AbortSignal.timeout(1000 * (typeof timeout === 'number' ? timeout / 1000 : seconds(timeout))),
      }, (answer) => {
        const chunks = [];
        answer.on('data', (chunk) => chunks.push(chunk));
        answer.on('error', reject);
        answer.on('end', () => resolve({
          status: answer.statusCode,
          headers: headersOf(answer),
          body: new Uint8Array(Buffer.concat(chunks)).buffer,
        }));
      });
      request.on('error', reject);
      if (body === null && ['POST', 'PUT', 'PATCH'].includes(method)) {
        request.setHeader('Content-Length', 0);
      }
      request.end(body === null ? undefined : typeof body === 'string' ? body : new Uint8Array(body));
    });
  }
}

// Names in Go's spelling, Www-Authenticate, since scripts find them so under k6.
function headersOf(answer) {
  return Object.fromEntries(Object.entries(answer.headersDistinct).map(([name, values]) =>
    [name.replace(/(^|-)[a-z]/g, (letter) => letter.toUpperCase()), values.join(', ')]));
}
